/* Lets each call of the operating system on files, and each request to a registry, go wrong in turn. Whatever happens: an error that is
 * one, nothing lost, and the next attempt works. */
#define _XOPEN_SOURCE 700
#include "io_faults.h"
#include "support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* How many ways each request fails in, of all ways in turn. */
enum { ROUNDS = 3 };
/* Of so many attempts one is made again, without a fault. */
enum { AGAIN = 8 };

typedef struct {
    char *directory;
    char *chart;
    char *store;
    char *registry;
    oci_chart_client *client;
    oci_chart_signer *signer;
    char *policy;
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
    if (status == OCI_CHART_STATUS_INTERNAL)
        fail_with(__FILE__, __LINE__, oci_chart_status_string(status), *err);
    oci_chart_error_free(*err);
    *err = NULL;
    return true;
}

/* Signs, attaches, verifies and lists; whether all of it worked. */
static bool trusted(const world *at, const char *repository, const oci_chart_call *call)
{
    static const uint8_t report[] = "{\"fine\": true}";
    oci_chart_error *err = NULL;
    oci_chart_sign_options sign = OCI_CHART_SIGN_OPTIONS_INIT;
    sign.flags = OCI_CHART_SIGN_BUNDLE | OCI_CHART_SIGN_TAG;
    sign.identity = "registry.example/charts/web";
    bool good = !failed(oci_chart_client_sign(at->client, repository, "^1", at->signer, &sign, call, NULL, &err), &err);
    good &= !failed(oci_chart_client_attach(at->client, repository, "^1", "application/vnd.example.report", report, sizeof report - 1,
                                            NULL, call, NULL, &err),
                    &err);
    oci_chart_verified *verified = NULL;
    oci_chart_pulled *pulled = NULL;
    good &= !failed(oci_chart_client_verify(at->client, repository, "1.0.0", at->policy, NULL, call, &verified, &err), &err);
    good &= verified && !failed(oci_chart_client_pull_verified(at->client, verified, NULL, call, &pulled, &err), &err);
    oci_chart_verified_free(verified), oci_chart_pulled_free(pulled);
    char *texts[4] = {NULL};
    good &= !failed(oci_chart_client_examine(at->client, repository, "1.0.0", at->policy, NULL, call, &texts[0], &err), &err);
    good &= !failed(oci_chart_client_tree(at->client, repository, "1.0.0", call, &texts[1], &err), &err);
    good &= !failed(oci_chart_client_tags(at->client, repository, call, &texts[2], &err), &err);
    good &= !failed(oci_chart_client_fetch_metadata(at->client, repository, "1.0.0", call, &texts[3], &err), &err);
    for (size_t n = 0; n < sizeof texts / sizeof *texts; n++)
        oci_chart_string_free(texts[n]);
    oci_chart_list *list = NULL;
    char *page = NULL;
    if (failed(oci_chart_client_list_referrers(at->client, repository, "1.0.0", NULL, call, &list, &err), &err))
        return false;
    do {
        oci_chart_string_free(page);
        page = NULL;
        good &= !failed(oci_chart_list_next(list, call, &page, &err), &err);
    } while (page);
    oci_chart_list_free(list);
    return good;
}

/* Pushes and pulls; whether all of it worked. */
static bool there_and_back(const world *at, const oci_chart_package *package, const char *base, const char *repository)
{
    oci_chart_error *err = NULL;
    oci_chart_push_options push = OCI_CHART_PUSH_OPTIONS_INIT;
    push.mode = OCI_CHART_TAG_MODE_ENSURE;
    oci_chart_call call = OCI_CHART_CALL_INIT;
    /* For answers that never end. */
    call.timeout_ms = 20 * 1000;
    char *outcome = NULL;
    bool good = !failed(oci_chart_client_push(at->client, package, base, &push, &call, &outcome, &err), &err);
    oci_chart_string_free(outcome);
    good &= trusted(at, repository, &call);
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
    good &= back && !failed(oci_chart_package_write(back, to, &call, &path, &err), &err);
    oci_chart_string_free(path);
    path = NULL;
    good &= back && !failed(oci_chart_package_unpack(back, to, &call, &path, &err), &err);
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
    oci_chart_error *err = NULL;
    oci_chart_client_options *options = oci_chart_client_options_new();
    if (host)
        MUST(oci_chart_client_options_add_plain_http(options, host, &err));
    /* Nothing is tried again, so that what fails is seen to fail. */
    MUST(oci_chart_client_options_set_retry(options, 1, 0, 0, &err));
    MUST(oci_chart_client_new(options, &at.client, &err));
    oci_chart_client_options_free(options);
    CHECK(oci_chart_signer_generate(&at.signer, NULL) == OCI_CHART_STATUS_OK);
    at.policy = make_policy(at.signer);
    /* Nameless files lie there too, so that they are counted. */
    CHECK(setenv("TMPDIR", at.directory, 1) == 0);
    return at;
}

static void end(world *at)
{
    oci_chart_client_free(at->client);
    oci_chart_signer_free(at->signer);
    remove_tree(at->directory);
    free(at->directory), free(at->chart), free(at->store), free(at->policy);
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
        /* What is half there is made whole. */
        CHECK(attempts % AGAIN != 0 || attempt(&at));
        end(&at);
    }
    printf("sweep: %ld calls on files, %ld of %ld attempts failed\n", last, failures, attempts);
    /* Else nothing was counted, or nothing noticed. */
    CHECK(last > 50 && failures > attempts / 2);
}

/* How many requests there were since this was last asked. */
static long requests_so_far(registry *server)
{
    char *text = registry_tell(server, "log");
    json *log = json_parse(text);
    long count = 0;
    for (const json *exchange = log->first; exchange; exchange = exchange->next)
        count++;
    json_free(log);
    free(text);
    return count;
}

/* Every `step`th request, in some of the ways. */
static void requests(long step)
{
    static const char *const faults[] = {"status 500",     "status 404", "status 401", "status 403",   "drop",
                                         "lose-answer",    "truncate 7", "flip 3",     "body {}",      "cut-response 7",
                                         "wrong-digest",   "endless",    "retry-after 1", "content-type text/html"};
    long failures = 0, attempts = 0;
    registry *server = registry_start(NULL);
    world at = prepare(registry_host(server));
    at.registry = format("oci://%s/charts/first", registry_host(server));
    CHECK(attempt(&at));
    free(at.registry);
    long last = requests_so_far(server);
    for (long nth = 1; nth <= last; nth += step) {
        for (long round = 0; round < ROUNDS; round++) {
            long number = nth / step * ROUNDS + round;
            const char *fault = faults[(size_t)number % (sizeof faults / sizeof *faults)];
            char *command = format("fault * /v2/charts/%ld/* %ld %s", number, nth, fault);
            char *answer = registry_tell(server, command);
            CHECK_TEXT(answer, "ok");
            at.registry = format("oci://%s/charts/%ld", registry_host(server), number);
            bool good = attempt(&at);
            attempts++;
            failures += !good;
            CHECK(attempts % AGAIN != 0 || attempt(&at));
            free(command), free(answer), free(at.registry);
        }
    }
    end(&at);
    registry_stop(server);
    printf("sweep: %ld requests, %ld of %ld attempts failed\n", last, failures, attempts);
    CHECK(last > 20 && failures > attempts / 8);
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
