/* verify TARGET: signs the newest chart there with a new key, pulls it under a policy that wants this key, and sees that another key is not
 * enough. */
#include "story.h"

#include <string.h>

/* A policy that trusts one key and asks nothing of a transparency log. Line ends are escaped, as JSON wants them. */
static char *policy_of(const oci_chart_signer *signer)
{
    static const char before[] = "{\"keys\": {\"keys\": [{\"key\": \"", behind[] = "\"}], \"tlog\": \"ignore-explicitly\"}}";
    const char *pem = oci_chart_signer_get_public_key(signer);
    char *policy = malloc(sizeof before + sizeof behind + 2 * strlen(pem)), *end = policy;
    if (!policy)
        exit(1);
    end += sprintf(end, "%s", before);
    for (const char *at = pem; *at; at++)
        end += *at == '\n' ? sprintf(end, "\\n") : sprintf(end, "%c", *at);
    sprintf(end, "%s", behind);
    return policy;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: verify TARGET\n");
        return 2;
    }
    oci_chart_client *client = NULL;
    oci_chart_signer *mine = NULL, *other = NULL;
    TRY(oci_chart_client_new(NULL, &client, &err));
    TRY(oci_chart_signer_generate(&mine, &err));
    TRY(oci_chart_signer_generate(&other, &err));
    TRY(oci_chart_client_sign(client, argv[1], ">0.0.0-0", mine, NULL, NULL, NULL, &err));
    printf("signed\n");

    char *policy = policy_of(mine), *foreign = policy_of(other);
    oci_chart_pull_options options = OCI_CHART_PULL_OPTIONS_INIT;
    options.policy = policy;
    oci_chart_pulled *pulled = NULL;
    TRY(oci_chart_client_pull(client, argv[1], ">0.0.0-0", &options, NULL, &pulled, &err));
    printf("verified and pulled: %s\n", oci_chart_pulled_get_digest(pulled));
    oci_chart_pulled_free(pulled);

    options.policy = foreign;
    oci_chart_error *err = NULL;
    pulled = NULL;
    oci_chart_status status = oci_chart_client_pull(client, argv[1], ">0.0.0-0", &options, NULL, &pulled, &err);
    if (status != OCI_CHART_STATUS_SIGNATURE_INVALID)
        give_up(err);
    printf("refused: %s\n", oci_chart_error_get_message(err));
    oci_chart_error_free(err);

    free(policy);
    free(foreign);
    oci_chart_signer_free(mine);
    oci_chart_signer_free(other);
    oci_chart_client_free(client);
    return 0;
}
