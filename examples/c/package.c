/* package CHART DIRECTORY: packs a chart, the same bytes on every machine. */
#include "story.h"

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: package CHART DIRECTORY\n");
        return 2;
    }
    oci_chart_chart *chart = NULL;
    oci_chart_package *package = NULL;
    TRY(oci_chart_chart_load(argv[1], NULL, NULL, &chart, &err));

    /* Options are made with their INIT macro; what is not set is the default. */
    oci_chart_package_options options = OCI_CHART_PACKAGE_OPTIONS_INIT;
    options.version = "1.0.0-rc.1";
    TRY(oci_chart_chart_package(chart, &options, NULL, &package, &err));
    oci_chart_chart_free(chart);

    char *path = NULL;
    TRY(oci_chart_package_write(package, argv[2], NULL, &path, &err));
    printf("%s\n  %s\n", path, oci_chart_package_get_digest(package));
    oci_chart_string_free(path);
    oci_chart_package_free(package);
    return 0;
}
