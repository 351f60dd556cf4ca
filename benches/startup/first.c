/* first HOST TARGET: asks for a chart. Nobody answers; it is about how soon the question comes. */
#include <oci_chart.h>

int main(int argc, char **argv)
{
    oci_chart_client *client = 0;
    char *metadata = 0;
    oci_chart_client_options *options = oci_chart_client_options_new();
    if (argc != 3 || oci_chart_client_options_add_plain_http(options, argv[1], 0) != OCI_CHART_STATUS_OK ||
        oci_chart_client_new(options, &client, 0) != OCI_CHART_STATUS_OK)
        return 2;
    return oci_chart_client_fetch_metadata(client, argv[2], "1.0.0", 0, &metadata, 0) != OCI_CHART_STATUS_OK;
}
