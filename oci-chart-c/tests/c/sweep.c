/* Lets each call of the operating system on files, and each request to a registry, go wrong in turn. Whatever happens: an error that is
 * one, nothing lost, and the next attempt works. */
#define _XOPEN_SOURCE 700
#include "io_faults.h"
#include "support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct {
    char *directory;
    char *chart;
    char *store;
    const char *registry;
    oci_chart_client *client;
    uint64_t timeout_ms;
} world;

/* Frees an error after a look at it. */
static bool failed(oci_chart_status status, oci_chart_error **err)
{
    if (status == OCI_CHART_STATUS_OK) {
        CHECK(!*err);
        return false;
    }
    CHECK(*err && oci_chart_error_get_status(*err) == status);
    CHECK(strlen(oci_chart_error_get_message(*err)) > 0 && oci_chart_error_get_context_json(*err));
    char *text = NULL;
    CHECK(oci_chart_error_to_json(*err, &text, NULL) == OCI_CHART_STATUS_OK);
    json_free(json_parse(text));
    oci_chart_string_free(text);
    /* A fault of somebody else's is none of the library's. */
    CHECK(status != OCI_CHART_STATUS_INTERNAL && status != OCI_CHART_STATUS_INVALID_INPUT);
    oci_chart_error_free(*err);
    *err = NULL;
    return true;
}

/* Pushes and pulls; whether all of it worked. */
static bool there_and_back(const world *at, const oci_chart_package *package, const char *base, const char *repository)
{
    oci_chart_error *err = NULL;
    oci_chart_push_options push = OCI_CHART_PUSH_OPTIONS_INIT;
    push.mode = OCI_CHART_TAG_MODE_ENSURE;
    oci_chart_call call = OCI_CHART_CALL_INIT;
    call.timeout_ms = at->timeout_ms;
    char *outcome = NULL;
    bool good = !failed(oci_chart_client_push(at->client, package, base, &push, &call, &outcome, &err), &err);
    oci_chart_string_free(outcome);
    oci_chart_pull_options pull = OCI_CHART_PULL_OPTIONS_INIT;
    pull.flags = OCI_CHART_PULL_WITHOUT_VERIFICATION | OCI_CHART_PULL_PROVENANCE;
    oci_chart_pulled *pulled = NULL;
    if (failed(oci_chart_client_pull(at->client, repository, "^1", &pull, &call, &pulled, &err), &err)) {
        CHECK(!pulled);
        return false;
    }
    oci_chart_package *back = NULL;
    char *path = NULL, *to = format("%s/out", at->directory);
    good &= !failed(oci_chart_pulled_get_package(pulled, &back, &err), &err);
    good &= back && !failed(oci_chart_package_write(back, to, &path, &err), &err);
    oci_chart_string_free(path);
    path = NULL;
    good &= back && !failed(oci_chart_package_unpack(back, to, &path, &err), &err);
    if (path)
        remove_tree(path);
    oci_chart_string_free(path);
    oci_chart_package_free(back);
    oci_chart_pulled_free(pulled);
    free(to);
    return good;
}

static bool attempt(const world *at)
{
    oci_chart_error *err = NULL;
    oci_chart_chart *chart = NULL;
    oci_chart_package *package = NULL;
    if (failed(oci_chart_chart_load(at->chart, NULL, NULL, &chart, &err), &err)) {
        CHECK(!chart);
        return false;
    }
    bool good = !failed(oci_chart_chart_package(chart, NULL, NULL, &package, &err), &err);
    oci_chart_chart_free(chart);
    if (package && at->registry) {
        char *repository = format("%s/web", at->registry);
        good &= there_and_back(at, package, at->registry, repository);
        free(repository);
    } else if (package) {
        good &= there_and_back(at, package, at->store, at->store);
    }
    oci_chart_package_free(package);
    return good;
}

/* A positive number of the environment's. */
static long number(const char *name, long otherwise)
{
    const char *text = getenv(name);
    long found = text ? strtol(text, NULL, 10) : otherwise;
    CHECK(found > 0);
    return found;
}

static world prepare(const char *host)
{
    world at = {.directory = scratch()};
    at.chart = write_chart(at.directory, "1.0.0");
    at.store = format("oci-layout:%s/store", at.directory);
    at.client = make_client(host);
    /* Nameless files lie there too, so that they are counted. */
    CHECK(setenv("TMPDIR", at.directory, 1) == 0);
    return at;
}

static void end(world *at)
{
    oci_chart_client_free(at->client);
    remove_tree(at->directory);
    free(at->directory), free(at->chart), free(at->store);
    CHECK(unsetenv("TMPDIR") == 0);
}

/* Every `step`th call of the operating system. */
static void files(long step)
{
    long last = 0, failures = 0, attempts = 0;
    for (long nth = 0; nth <= last; nth = nth == 0 ? 1 : nth + step) {
        world at = prepare(NULL);
        io_faults_begin(at.directory, nth, nth % 2 ? EIO : ENOSPC);
        bool good = attempt(&at);
        long calls = io_faults_end();
        if (nth == 0) {
            CHECK(good);
            last = calls;
        }
        attempts++;
        failures += !good;
        CHECK(attempt(&at));
        end(&at);
    }
    printf("sweep: %ld calls on files, %ld of %ld attempts failed\n", last, failures, attempts);
    /* Else nothing was counted, or nothing noticed. */
    CHECK(last > 50 && failures > attempts / 2);
}

static void requests(long step)
{
    static const char *const faults[] = {"status 500", "status 404", "status 401",    "status 403",  "drop",
                                         "lose-answer", "cut-response 7", "truncate 7", "flip 3",      "body {}",
                                         "wrong-digest", "retry-after 1", "endless",    "content-type text/html"};
    long failures = 0, attempts = 0;
    registry *server = registry_start(NULL);
    world at = prepare(registry_host(server));
    /* Waits that would outlast it are not begun. */
    at.timeout_ms = (uint64_t)number("SWEEP_TIMEOUT_MS", 400);
    for (size_t kind = 0; kind < sizeof faults / sizeof *faults; kind++) {
        for (long nth = 1; nth <= 9; nth += step) {
            char *base = format("oci://%s/charts/%zu/%ld", registry_host(server), kind, nth);
            /* With what follows it, so that trying again does not help. */
            for (long more = 0; more < 4; more++) {
                char *command = format("fault * /v2/charts/%zu/%ld/* %ld %s", kind, nth, nth + more, faults[kind]);
                char *answer = registry_tell(server, command);
                CHECK_TEXT(answer, "ok");
                free(command), free(answer);
            }
            at.registry = base;
            bool good = attempt(&at);
            attempts++;
            failures += !good;
            free(base);
        }
    }
    char *base = format("oci://%s/charts/last", registry_host(server));
    at.registry = base;
    CHECK(attempt(&at));
    free(base);
    end(&at);
    registry_stop(server);
    printf("sweep: %ld of %ld attempts on the registry failed\n", failures, attempts);
    CHECK(failures > attempts / 5);
}

int main(void)
{
    long step = number("SWEEP_STEP", 1);
    int before = open_descriptors();
    files(step);
    requests(step);
    /* What the last client had is closed by its own thread. */
    for (int n = 0; n < 100 && open_descriptors() > before; n++)
        nanosleep(&(struct timespec){0, 20 * 1000 * 1000}, NULL);
    CHECK(open_descriptors() == before);
    puts("sweep: ok");
    return 0;
}
