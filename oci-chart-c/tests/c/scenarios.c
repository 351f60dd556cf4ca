/* The parity scenarios, as the other languages run them (oci-chart-core/testkit/scenarios/README.md). */
#define _XOPEN_SOURCE 700
#include "scenario.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>

/* Ends the program unless the members that are wanted are the ones that were found. */
static void compare(const world *at, const json *found, const json *wanted, const char *where)
{
    for (const json *member = wanted ? wanted->first : NULL; member; member = member->next) {
        char *is = written(json_member(found, member->name)), *should = written(resolved(at, member));
        if (strcmp(is, should) != 0) {
            fprintf(stderr, "%s: %s is %s, not %s\n", where, member->name, is, should);
            abort();
        }
        free(is), free(should);
    }
}

static void take_step(world *at, const json *step, const char *where)
{
    verb *function = verb_called(json_text(step, "do"));
    CHECK(function && "no such verb");
    kept *keep = calloc(1, sizeof *keep);
    CHECK(keep);
    result out = {NULL};
    oci_chart_error *err = NULL;
    oci_chart_status status = function(at, step, keep, &out, &err);
    const json *wanted = json_member(step, "error");
    if ((status == OCI_CHART_STATUS_OK) == (wanted != NULL)) {
        fprintf(stderr, "%s: %s\n", where, err ? oci_chart_error_get_message(err) : "it worked");
        abort();
    }
    if (err) {
        char *text = NULL;
        CHECK(oci_chart_error_get_status(err) == status);
        CHECK(oci_chart_error_to_json(err, &text, NULL) == OCI_CHART_STATUS_OK);
        json *details = taken(text);
        compare(at, details, wanted, where);
        json_free(details);
        oci_chart_error_free(err);
    }
    char *whole = format("{%s}", out.text ? out.text : "");
    keep->result = json_parse(whole);
    free(whole), free(out.text);
    if (!wanted)
        compare(at, keep->result, json_member(step, "expect"), where);
    keep->name = json_text(step, "as");
    keep->next = at->all;
    at->all = keep;
}

static void build(world *at, const json *scenario, const char *store)
{
    oci_chart_error *err = NULL;
    at->scratch = scratch();
    oci_chart_client_options *options = oci_chart_client_options_new();
    if (strcmp(store, "registry") == 0) {
        const json *wanted = json_member(scenario, "registry"), *login = json_member(scenario, "login");
        char *kind = wanted ? format("--%s", json_text(wanted, "auth")) : NULL;
        char *pair = wanted ? format("%s:%s", json_text(wanted, "user"), json_text(wanted, "password")) : NULL;
        at->server = registry_start((const char *const[]){kind, pair, NULL});
        free(kind), free(pair);
        at->host = copy_text(registry_host(at->server));
        at->base = format("oci://%s/charts", at->host);
        at->repository = format("%s/web", at->base);
        MUST(oci_chart_client_options_add_plain_http(options, at->host, &err));
        if (login)
            MUST(oci_chart_client_options_add_login(options, at->host, json_text(login, "user"),
                                                    json_text(login, "password"), &err));
    } else {
        at->base = format("oci-layout:%s/store", at->scratch);
        at->repository = copy_text(at->base);
    }
    at->logins = format("%s/logins.json", at->scratch);
    MUST(oci_chart_client_new(options, &at->client, &err));
    oci_chart_client_options_free(options);
}

static void run(const json *scenario, const char *store, const char *path)
{
    world at = {0};
    build(&at, scenario, store);
    int number = 0;
    for (const json *step = json_member(scenario, "steps")->first; step; step = step->next) {
        char *where = format("%s on %s, step %d, %s", path, store, ++number, json_text(step, "do"));
        take_step(&at, step, where);
        free(where);
    }
    while (at.all) {
        kept *next = at.all->next;
        oci_chart_chart_free(at.all->chart), oci_chart_package_free(at.all->package), oci_chart_signer_free(at.all->key);
        oci_chart_verified_free(at.all->verified);
        json_free(at.all->result);
        free(at.all);
        at.all = next;
    }
    oci_chart_client_free(at.client);
    if (at.server)
        registry_stop(at.server);
    remove_tree(at.scratch);
    free(at.scratch), free(at.base), free(at.repository), free(at.host), free(at.logins);
}

int main(void)
{
    const char *directory = getenv("OCI_CHART_SCENARIOS");
    CHECK(directory && "OCI_CHART_SCENARIOS names the directory of the scenarios");
    char *pattern = format("%s/*.json", directory);
    glob_t found;
    CHECK(glob(pattern, 0, NULL, &found) == 0);
    free(pattern);
    int count = 0;
    for (size_t n = 0; n < found.gl_pathc; n++) {
        char *text = read_file(found.gl_pathv[n]);
        json *scenario = json_parse(text);
        const json *stores = json_member(scenario, "stores");
        if (!stores) {
            run(scenario, "none", found.gl_pathv[n]);
            count++;
        }
        for (const json *store = stores ? stores->first : NULL; store; store = store->next) {
            run(scenario, store->text, found.gl_pathv[n]);
            count++;
        }
        json_free(scenario);
        free(text);
    }
    globfree(&found);
    CHECK(count >= 12);
    printf("scenarios: %d\n", count);
    return 0;
}
