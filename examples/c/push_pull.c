/* push_pull CHART TARGET [REPOSITORY]: packs a chart, pushes it to oci://HOST/PATH or oci-layout:DIRECTORY, and pulls it back. Below a
 * registry's path it has a repository of its own, of the chart's name; say that as REPOSITORY. */
#include "story.h"

/* Runs on the thread that called, while the call runs. Anything but 0 would stop it. */
static int32_t tell(void *user_data, const oci_chart_event *event)
{
    (void)user_data;
    if (event->kind == OCI_CHART_EVENT_KIND_STARTED)
        printf("  %s %s, %llu bytes\n", event->direction == OCI_CHART_DIRECTION_PUSH ? "->" : "<-", event->media_type,
               (unsigned long long)event->total);
    if (event->kind == OCI_CHART_EVENT_KIND_WAITING)
        printf("  waiting for %s: %s\n", event->text, event->why);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 3 && argc != 4) {
        fprintf(stderr, "usage: push_pull CHART TARGET [REPOSITORY]\n");
        return 2;
    }
    oci_chart_chart *chart = NULL;
    oci_chart_package *package = NULL;
    TRY(oci_chart_chart_load(argv[1], NULL, NULL, &chart, &err));
    TRY(oci_chart_chart_package(chart, NULL, NULL, &package, &err));
    oci_chart_chart_free(chart);

    /* One client for the whole program: it keeps connections and tokens. This one knows the logins of Helm, docker and podman. */
    oci_chart_client_options *options = oci_chart_client_options_new();
    oci_chart_client *client = NULL;
    TRY(oci_chart_client_options_use_stored_logins(options, &err));
    TRY(oci_chart_client_new(options, &client, &err));
    oci_chart_client_options_free(options);

    oci_chart_call call = OCI_CHART_CALL_INIT;
    call.on_event = tell;
    call.timeout_ms = 60 * 1000;
    oci_chart_push_options push = OCI_CHART_PUSH_OPTIONS_INIT;
    push.mode = OCI_CHART_TAG_MODE_ENSURE;
    char *done = NULL;
    TRY(oci_chart_client_push(client, package, argv[2], &push, &call, &done, &err));
    printf("pushed: %s\n", done);
    oci_chart_string_free(done);
    oci_chart_package_free(package);

    oci_chart_pull_options pull = OCI_CHART_PULL_OPTIONS_INIT;
    pull.flags = OCI_CHART_PULL_WITHOUT_VERIFICATION;
    oci_chart_pulled *pulled = NULL;
    TRY(oci_chart_client_pull(client, argv[argc - 1], ">0.0.0-0", &pull, &call, &pulled, &err));
    printf("pulled: %s\n", oci_chart_pulled_get_digest(pulled));
    oci_chart_pulled_free(pulled);
    oci_chart_client_free(client);
    return 0;
}
