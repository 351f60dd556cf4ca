/* The verbs of the parity scenarios, each through the functions that a program would call. */
#define _XOPEN_SOURCE 700
#include "scenario.h"

#include <stdlib.h>
#include <string.h>

static void put(result *to, const char *name, const char *value)
{
    char *text = format("%s%s\"%s\": %s", to->text ? to->text : "", to->text ? ", " : "", name, value ? value : "null");
    free(to->text);
    to->text = text;
}

/* Of a text: only what needs it is escaped. */
static void put_text(result *to, const char *name, const char *value)
{
    if (!value) {
        put(to, name, NULL);
        return;
    }
    char *text = quoted(value);
    put(to, name, text);
    free(text);
}

/* Of a member of a document, as it stands. */
static void put_member(result *to, const char *name, const json *document, const char *member);

static void put_owned(result *to, const char *name, char *value)
{
    put_text(to, name, value);
    oci_chart_string_free(value);
}

char *written(const json *value)
{
    if (!value || value->type == JSON_NULL)
        return copy_text("null");
    if (value->type == JSON_TRUE || value->type == JSON_FALSE)
        return copy_text(value->type == JSON_TRUE ? "true" : "false");
    if (value->type == JSON_NUMBER)
        return copy_text(value->text);
    if (value->type == JSON_STRING)
        return quoted(value->text);
    char *all = copy_text(value->type == JSON_ARRAY ? "[" : "{");
    for (const json *child = value->first; child; child = child->next) {
        char *text = written(child);
        char *more = child->name ? format("%s%s\"%s\": %s", all, child == value->first ? "" : ", ", child->name, text)
                                 : format("%s%s%s", all, child == value->first ? "" : ", ", text);
        free(all), free(text);
        all = more;
    }
    char *whole = format("%s%s", all, value->type == JSON_ARRAY ? "]" : "}");
    free(all);
    return whole;
}

static void put_member(result *to, const char *name, const json *document, const char *member)
{
    char *text = written(json_member(document, member));
    put(to, name, text);
    free(text);
}

/* Of a list of objects, one member of each. */
static void put_column(result *to, const char *name, const json *list, const char *member)
{
    char *all = copy_text("[");
    for (const json *item = list ? list->first : NULL; item; item = item->next) {
        char *text = written(json_member(item, member));
        char *more = format("%s%s%s", all, item == list->first ? "" : ", ", text);
        free(all), free(text);
        all = more;
    }
    char *whole = format("%s]", all);
    put(to, name, whole);
    free(all), free(whole);
}

json *taken(char *document)
{
    json *value = json_parse(document);
    oci_chart_string_free(document);
    return value;
}

static kept *find(const world *at, const char *reference)
{
    CHECK(reference && *reference == '$');
    size_t length = strcspn(++reference, ".");
    for (kept *one = at->all; one; one = one->next)
        if (one->name && strlen(one->name) == length && strncmp(one->name, reference, length) == 0)
            return one;
    fprintf(stderr, "nothing is kept as %s\n", reference);
    abort();
}

/* The value, or the member of an earlier result that it names. */
const json *resolved(const world *at, const json *value)
{
    const char *dot;
    if (!value || value->type != JSON_STRING || *value->text != '$' || !(dot = strchr(value->text, '.')))
        return value;
    return json_member(find(at, value->text)->result, dot + 1);
}

/* The target that a selector stands for; the version beside it is NULL for a digest. */
static char *meant(const world *at, const json *step, const char *key, const char **version)
{
    const json *selector = resolved(at, json_member(step, key));
    CHECK(selector && selector->type == JSON_STRING);
    bool digest = strncmp(selector->text, "sha256:", 7) == 0;
    *version = digest ? NULL : selector->text;
    return digest ? format("%s@%s", at->repository, selector->text) : copy_text(at->repository);
}

static oci_chart_status load(world *at, const json *step, kept *keep, result *out, oci_chart_error **err)
{
    const char *name = json_text(step, "directory");
    char *directory = format("%s/%ld/%s", at->scratch, ++at->directories, name ? name : "web");
    for (const json *file = json_member(step, "files")->first; file; file = file->next) {
        char *path = format("%s/%s", directory, file->name);
        write_file(path, file->text);
        free(path);
    }
    oci_chart_status status = oci_chart_chart_load(directory, NULL, NULL, &keep->chart, err);
    free(directory);
    if (status != OCI_CHART_STATUS_OK)
        return status;
    char *text = NULL;
    oci_chart_bytes *readme = NULL;
    json *metadata = json_parse(oci_chart_chart_get_metadata(keep->chart));
    CHECK(oci_chart_chart_get_dependencies(keep->chart, &text, NULL) == OCI_CHART_STATUS_OK);
    json *dependencies = taken(text);
    CHECK(oci_chart_chart_get_readme(keep->chart, &readme, NULL) == OCI_CHART_STATUS_OK);
    put_member(out, "name", metadata, "name");
    put_member(out, "version", metadata, "version");
    put_member(out, "app_version", metadata, "appVersion");
    put_member(out, "api_version", metadata, "apiVersion");
    put_column(out, "dependencies", dependencies, "name");
    if (readme) {
        char *shown = format("%.*s", (int)oci_chart_bytes_get_size(readme), (const char *)oci_chart_bytes_get_data(readme));
        put_text(out, "readme", shown);
        free(shown);
    }
    oci_chart_bytes_free(readme);
    json_free(metadata), json_free(dependencies);
    return status;
}

static uint64_t seconds(const json *step, const char *name)
{
    const json *member = json_member(step, name);
    return member ? strtoull(member->text, NULL, 10) : 0;
}

static oci_chart_status package(world *at, const json *step, kept *keep, result *out, oci_chart_error **err)
{
    oci_chart_package_options options = OCI_CHART_PACKAGE_OPTIONS_INIT;
    options.version = json_text(step, "version");
    options.app_version = json_text(step, "app_version");
    options.time = seconds(step, "time");
    options.flags = options.time ? OCI_CHART_PACKAGE_TIME : 0;
    const oci_chart_chart *chart = find(at, json_text(step, "chart"))->chart;
    oci_chart_status status = oci_chart_chart_package(chart, &options, NULL, &keep->package, err);
    if (status != OCI_CHART_STATUS_OK)
        return status;
    char *text = NULL;
    put_text(out, "digest", oci_chart_package_get_digest(keep->package));
    CHECK(oci_chart_package_get_file_name(keep->package, &text, NULL) == OCI_CHART_STATUS_OK);
    put_owned(out, "file", text);
    return status;
}

static int32_t mode(const json *step)
{
    const char *name = json_text(step, "mode");
    if (!name || strcmp(name, "create") == 0)
        return OCI_CHART_TAG_MODE_CREATE;
    if (strcmp(name, "ensure") == 0)
        return OCI_CHART_TAG_MODE_ENSURE;
    CHECK_TEXT(name, "replace");
    return OCI_CHART_TAG_MODE_REPLACE;
}

static oci_chart_status push(world *at, const json *step, kept *keep, result *out, oci_chart_error **err)
{
    (void)keep;
    oci_chart_push_options options = OCI_CHART_PUSH_OPTIONS_INIT;
    options.mode = mode(step);
    options.created = seconds(step, "created");
    options.flags = OCI_CHART_PUSH_CREATED;
    const oci_chart_package *pack = find(at, json_text(step, "package"))->package;
    char *text = NULL;
    oci_chart_status status = oci_chart_client_push(at->client, pack, at->base, &options, NULL, &text, err);
    if (status != OCI_CHART_STATUS_OK)
        return status;
    json *pushed = taken(text);
    put_member(out, "digest", json_member(pushed, "descriptor"), "digest");
    put_member(out, "tag", pushed, "tag");
    put_member(out, "action", pushed, "action");
    json_free(pushed);
    return status;
}

static oci_chart_status pull_one(world *at, const json *step, oci_chart_pulled **pulled, oci_chart_error **err)
{
    const char *version;
    char *target = meant(at, step, "selector", &version);
    oci_chart_pull_options options = OCI_CHART_PULL_OPTIONS_INIT;
    options.flags = OCI_CHART_PULL_WITHOUT_VERIFICATION;
    oci_chart_status status = oci_chart_client_pull(at->client, target, version, &options, NULL, pulled, err);
    free(target);
    return status;
}

/* Of what was pulled, which is freed. */
static void put_pulled(result *out, oci_chart_pulled *pulled)
{
    oci_chart_package *pack = NULL;
    char *text = NULL;
    put_text(out, "digest", oci_chart_pulled_get_digest(pulled));
    CHECK(oci_chart_pulled_get_package(pulled, &pack, NULL) == OCI_CHART_STATUS_OK);
    oci_chart_pulled_free(pulled);
    put_text(out, "package", oci_chart_package_get_digest(pack));
    CHECK(oci_chart_package_get_metadata(pack, &text, NULL) == OCI_CHART_STATUS_OK);
    oci_chart_package_free(pack);
    json *metadata = taken(text);
    put_member(out, "name", metadata, "name");
    put_member(out, "version", metadata, "version");
    json_free(metadata);
}

static oci_chart_status pull(world *at, const json *step, kept *keep, result *out, oci_chart_error **err)
{
    (void)keep;
    oci_chart_pulled *pulled = NULL;
    oci_chart_status status = pull_one(at, step, &pulled, err);
    if (status == OCI_CHART_STATUS_OK)
        put_pulled(out, pulled);
    return status;
}

static void put_bytes(result *out, const char *name, oci_chart_bytes *bytes)
{
    char *text = bytes ? format("%.*s", (int)oci_chart_bytes_get_size(bytes), (const char *)oci_chart_bytes_get_data(bytes)) : NULL;
    put_text(out, name, text);
    free(text);
    oci_chart_bytes_free(bytes);
}

static oci_chart_status show(world *at, const json *step, kept *keep, result *out, oci_chart_error **err)
{
    (void)keep;
    oci_chart_pulled *pulled = NULL;
    oci_chart_package *pack = NULL;
    oci_chart_chart *chart = NULL;
    oci_chart_bytes *bytes = NULL;
    oci_chart_status status = pull_one(at, step, &pulled, err);
    if (status != OCI_CHART_STATUS_OK)
        return status;
    CHECK(oci_chart_pulled_get_package(pulled, &pack, NULL) == OCI_CHART_STATUS_OK);
    CHECK(oci_chart_package_get_chart(pack, NULL, &chart, NULL) == OCI_CHART_STATUS_OK);
    char *text = NULL;
    json *metadata = json_parse(oci_chart_chart_get_metadata(chart));
    CHECK(oci_chart_chart_get_files(chart, &text, NULL) == OCI_CHART_STATUS_OK);
    json *files = taken(text);
    put_member(out, "name", metadata, "name");
    put_column(out, "files", files, "path");
    CHECK(oci_chart_chart_get_values(chart, &bytes, NULL) == OCI_CHART_STATUS_OK);
    put_bytes(out, "values", bytes);
    CHECK(oci_chart_chart_get_readme(chart, &bytes, NULL) == OCI_CHART_STATUS_OK);
    put_bytes(out, "readme", bytes);
    CHECK(oci_chart_chart_get_crds(chart, &bytes, NULL) == OCI_CHART_STATUS_OK);
    put_bytes(out, "crds", bytes);
    json_free(metadata), json_free(files);
    oci_chart_chart_free(chart), oci_chart_package_free(pack), oci_chart_pulled_free(pulled);
    return status;
}

/* Calls about what a selector or digest means, whose document has members of the result. */
static oci_chart_status document(world *at, const json *step, const char *key,
                                 oci_chart_status (*ask)(const oci_chart_client *, const char *, const char *,
                                                         const oci_chart_call *, char **, oci_chart_error **),
                                 json **found, oci_chart_error **err)
{
    const char *version;
    char *target = meant(at, step, key, &version), *text = NULL;
    oci_chart_status status = ask(at->client, target, version, NULL, &text, err);
    free(target);
    if (status == OCI_CHART_STATUS_OK)
        *found = taken(text);
    return status;
}

static oci_chart_status metadata(world *at, const json *step, kept *keep, result *out, oci_chart_error **err)
{
    (void)keep;
    json *found = NULL;
    oci_chart_status status = document(at, step, "selector", oci_chart_client_fetch_metadata, &found, err);
    put_member(out, "name", found, "name");
    put_member(out, "version", found, "version");
    json_free(found);
    return status;
}

static oci_chart_status resolve(world *at, const json *step, kept *keep, result *out, oci_chart_error **err)
{
    (void)keep;
    json *found = NULL;
    oci_chart_status status = document(at, step, "selector", oci_chart_client_resolve, &found, err);
    put_member(out, "digest", found, "digest");
    json_free(found);
    return status;
}

static oci_chart_status tree(world *at, const json *step, kept *keep, result *out, oci_chart_error **err)
{
    (void)keep;
    json *found = NULL;
    oci_chart_status status = document(at, step, "selector", oci_chart_client_tree, &found, err);
    put_column(out, "kinds", json_member(found, "attached"), "kind");
    json_free(found);
    return status;
}

static oci_chart_status tags(world *at, const json *step, kept *keep, result *out, oci_chart_error **err)
{
    (void)step, (void)keep;
    char *text = NULL, *page = NULL;
    oci_chart_list *list = NULL;
    oci_chart_status status = oci_chart_client_tags(at->client, at->repository, NULL, &text, err);
    if (status != OCI_CHART_STATUS_OK)
        return status;
    CHECK(oci_chart_client_list_tags(at->client, at->repository, &list, NULL) == OCI_CHART_STATUS_OK);
    CHECK(oci_chart_list_next(list, NULL, &page, NULL) == OCI_CHART_STATUS_OK);
    CHECK_TEXT(page, text);
    oci_chart_string_free(page);
    CHECK(oci_chart_list_next(list, NULL, &page, NULL) == OCI_CHART_STATUS_OK && !page);
    oci_chart_list_free(list);
    put(out, "tags", text);
    oci_chart_string_free(text);
    return status;
}

static oci_chart_status tag(world *at, const json *step, kept *keep, result *out, oci_chart_error **err)
{
    (void)keep, (void)out;
    const char *version;
    char *target = meant(at, step, "digest", &version);
    oci_chart_status status =
        oci_chart_client_tag(at->client, target, version, json_text(step, "tag"), mode(step), NULL, NULL, err);
    free(target);
    return status;
}

static oci_chart_status exists(world *at, const json *step, kept *keep, result *out, oci_chart_error **err)
{
    (void)keep;
    const char *version;
    int32_t found = -1;
    char *target = meant(at, step, "digest", &version);
    oci_chart_status status = oci_chart_client_exists(at->client, target, version, NULL, &found, err);
    free(target);
    put(out, "exists", found == 1 ? "true" : "false");
    return status;
}

static oci_chart_status delete(world *at, const json *step, kept *keep, result *out, oci_chart_error **err)
{
    (void)keep, (void)out;
    const char *version;
    char *target = meant(at, step, "selector", &version);
    oci_chart_status status = oci_chart_client_delete(at->client, target, version, NULL, err);
    free(target);
    return status;
}

static oci_chart_status reference(world *at, const json *step, kept *keep, result *out, oci_chart_error **err)
{
    (void)at, (void)keep;
    char *text = NULL;
    oci_chart_status status = oci_chart_target_parse(json_text(step, "text"), &text, err);
    if (status != OCI_CHART_STATUS_OK)
        return status;
    json *found = taken(text);
    put_member(out, "host", found, "host");
    put_member(out, "repository", found, "repository");
    put_member(out, "selector", found, "selector");
    json_free(found);
    return status;
}

static oci_chart_status matches(world *at, const json *step, kept *keep, result *out, oci_chart_error **err)
{
    (void)at, (void)keep;
    int32_t found = -1;
    oci_chart_status status =
        oci_chart_version_matches(json_text(step, "constraint"), json_text(step, "version"), &found, err);
    put(out, "matches", found == 1 ? "true" : "false");
    return status;
}

static oci_chart_status key(world *at, const json *step, kept *keep, result *out, oci_chart_error **err)
{
    (void)at, (void)step;
    oci_chart_status status = oci_chart_signer_generate(&keep->key, err);
    CHECK(status == OCI_CHART_STATUS_OK);
    put_text(out, "algorithm", oci_chart_signer_get_algorithm(keep->key));
    return status;
}

static oci_chart_status sign(world *at, const json *step, kept *keep, result *out, oci_chart_error **err)
{
    (void)keep;
    const char *version;
    char *target = meant(at, step, "digest", &version), *text = NULL;
    oci_chart_sign_options options = OCI_CHART_SIGN_OPTIONS_INIT;
    options.flags = strcmp(json_text(step, "format"), "bundle") == 0 ? OCI_CHART_SIGN_BUNDLE : OCI_CHART_SIGN_TAG;
    options.identity = json_text(step, "identity");
    const oci_chart_signer *signer = find(at, json_text(step, "key"))->key;
    oci_chart_status status = oci_chart_client_sign(at->client, target, version, signer, &options, NULL, &text, err);
    free(target);
    if (status != OCI_CHART_STATUS_OK)
        return status;
    json *found = taken(text);
    put_member(out, "digest", json_member(found, "subject"), "digest");
    put_member(out, "kept", found, "kept");
    json_free(found);
    return status;
}

static void put_verified(result *out, const oci_chart_verified *verified)
{
    json *evidence = json_parse(oci_chart_verified_get_evidence(verified));
    put_text(out, "digest", oci_chart_verified_get_digest(verified));
    put_member(out, "outcome", evidence, "outcome");
    json_free(evidence);
}

static oci_chart_status verify(world *at, const json *step, kept *keep, result *out, oci_chart_error **err)
{
    const char *version;
    char *target = meant(at, step, "selector", &version);
    char *policy = make_policy(find(at, json_text(step, "key"))->key);
    oci_chart_status status = oci_chart_client_verify(at->client, target, version, policy, NULL, NULL, &keep->verified, err);
    free(target), free(policy);
    if (status == OCI_CHART_STATUS_OK)
        put_verified(out, keep->verified);
    return status;
}

static oci_chart_status verify_subchart(world *at, const json *step, kept *keep, result *out, oci_chart_error **err)
{
    const oci_chart_chart *subchart = find(at, json_text(step, "chart"))->chart;
    char *key = quoted(oci_chart_signer_get_public_key(find(at, json_text(step, "key"))->key));
    char *secret = format("{\"kind\": \"Secret\", \"metadata\": {\"name\": \"mine\"}, \"stringData\": {\"mine.pub\": %s}}", key);
    char *written = quoted(secret), *secrets = format("[%s]", written), *policy = NULL;
    const char *flux = "spec: {verify: {secretRef: {name: mine}}}";
    const char *images = "{kind: ClusterImagePolicy, spec: {authorities: [{key: {secretRef: {name: mine}}, signatureFormat: bundle}]}}";
    oci_chart_status status = json_text(step, "policy") ? oci_chart_policy_from_cluster_image_policy(images, secrets, &policy, err)
                                                       : oci_chart_policy_from_flux(flux, secrets, &policy, err);
    free(key), free(secret), free(written), free(secrets);
    if (status != OCI_CHART_STATUS_OK)
        return status;
    status = oci_chart_client_verify_subchart(at->client, subchart, at->repository, policy, NULL, NULL, &keep->verified, err);
    oci_chart_string_free(policy);
    if (status == OCI_CHART_STATUS_OK)
        put_verified(out, keep->verified);
    return status;
}

static oci_chart_status pull_verified(world *at, const json *step, kept *keep, result *out, oci_chart_error **err)
{
    (void)keep;
    oci_chart_pulled *pulled = NULL;
    const oci_chart_verified *verified = find(at, json_text(step, "verified"))->verified;
    oci_chart_status status = oci_chart_client_pull_verified(at->client, verified, NULL, NULL, &pulled, err);
    if (status != OCI_CHART_STATUS_OK)
        return status;
    json *evidence = json_parse(oci_chart_pulled_get_evidence(pulled));
    put_member(out, "outcome", evidence, "outcome");
    json_free(evidence);
    put_pulled(out, pulled);
    return status;
}

static oci_chart_status attach(world *at, const json *step, kept *keep, result *out, oci_chart_error **err)
{
    (void)keep;
    const char *version, *content = json_text(step, "text");
    char *target = meant(at, step, "digest", &version), *text = NULL;
    oci_chart_status status = oci_chart_client_attach(at->client, target, version, json_text(step, "type"),
                                                      (const uint8_t *)content, strlen(content), NULL, NULL, &text, err);
    free(target);
    if (status != OCI_CHART_STATUS_OK)
        return status;
    json *found = taken(text);
    put_member(out, "digest", json_member(found, "descriptor"), "digest");
    json_free(found);
    return status;
}

static oci_chart_login_options in_file(const world *at)
{
    oci_chart_login_options options = OCI_CHART_LOGIN_OPTIONS_INIT;
    options.place = OCI_CHART_LOGIN_PLACE_FILE;
    options.file = at->logins;
    return options;
}

static oci_chart_status login(world *at, const json *step, kept *keep, result *out, oci_chart_error **err)
{
    (void)keep;
    oci_chart_login_options options = in_file(at);
    char *text = NULL;
    oci_chart_status status = oci_chart_client_login(at->client, at->host, json_text(step, "user"),
                                                     json_text(step, "password"), &options, NULL, &text, err);
    if (status != OCI_CHART_STATUS_OK)
        return status;
    json *found = taken(text);
    put_member(out, "verified", found, "verified");
    json_free(found);
    return status;
}

static oci_chart_status logout(world *at, const json *step, kept *keep, result *out, oci_chart_error **err)
{
    (void)step, (void)keep;
    oci_chart_login_options options = in_file(at);
    char *text = NULL;
    oci_chart_status status = oci_chart_client_logout(at->client, at->host, &options, NULL, &text, err);
    if (status != OCI_CHART_STATUS_OK)
        return status;
    json *found = taken(text);
    int count = 0;
    for (const json *one = json_member(found, "removed")->first; one; one = one->next)
        count++;
    char *number = format("%d", count);
    put(out, "removed", number);
    free(number);
    json_free(found);
    return status;
}

static oci_chart_status diagnose(world *at, const json *step, kept *keep, result *out, oci_chart_error **err)
{
    (void)step, (void)keep;
    char *text = NULL;
    oci_chart_status status = oci_chart_client_diagnose(at->client, at->repository, NULL, &text, err);
    if (status != OCI_CHART_STATUS_OK)
        return status;
    json *found = taken(text);
    bool good = true;
    for (const json *one = json_member(found, "findings")->first; one; one = one->next) {
        put_member(out, json_text(one, "check"), one, "status");
        good &= strcmp(json_text(one, "status"), "failed") != 0;
    }
    put(out, "ok", good ? "true" : "false");
    json_free(found);
    return status;
}

static const struct {
    const char *name;
    verb *verb;
} verbs[] = {
    {"load", load},         {"package", package},     {"push", push},       {"pull", pull},     {"metadata", metadata},
    {"resolve", resolve},   {"tags", tags},           {"tag", tag},         {"exists", exists}, {"delete", delete},
    {"show", show},         {"key", key},             {"sign", sign},       {"verify", verify}, {"attach", attach},
    {"tree", tree},         {"login", login},         {"logout", logout},   {"diagnose", diagnose},
    {"reference", reference}, {"matches", matches},   {"pull-verified", pull_verified},
    {"verify-subchart", verify_subchart},
};

verb *verb_called(const char *name)
{
    for (size_t n = 0; n < sizeof verbs / sizeof *verbs; n++)
        if (strcmp(verbs[n].name, name) == 0)
            return verbs[n].verb;
    return NULL;
}
