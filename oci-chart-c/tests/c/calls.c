/* What the header promises about calls: callbacks on the caller's thread, stopping from anywhere, options that grow, results that are
 * written on success only, threads, and a child of fork(). */
#define _GNU_SOURCE
#include "support.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef struct {
    pthread_t caller;
    int events[OCI_CHART_EVENT_KIND_OTHER + 1];
    int stop_at_tick;
    int answers;
    int requests;
    const char *password;
    const char *failure;
    uint64_t moved;
} listener;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int32_t on_event(void *data, const oci_chart_event *event)
{
    listener *self = data;
    CHECK(pthread_equal(self->caller, pthread_self()));
    CHECK(event->struct_size >= sizeof *event);
    CHECK(event->kind >= 0 && event->kind <= OCI_CHART_EVENT_KIND_OTHER);
    self->events[event->kind]++;
    if (event->kind == OCI_CHART_EVENT_KIND_STARTED) {
        CHECK(event->digest && event->media_type && event->direction == OCI_CHART_DIRECTION_PUSH);
        self->moved += event->total;
    }
    return self->stop_at_tick && event->kind == OCI_CHART_EVENT_KIND_TICK;
}

static int32_t on_credentials(void *data, const char *host, oci_chart_answer *answer)
{
    listener *self = data;
    CHECK(pthread_equal(self->caller, pthread_self()));
    CHECK(strncmp(host, "127.0.0.1:", 10) == 0);
    self->answers++;
    if (self->failure)
        return oci_chart_answer_set_failure(answer, self->failure, NULL) != OCI_CHART_STATUS_OK;
    return oci_chart_answer_set_login(answer, "robot", self->password, NULL) != OCI_CHART_STATUS_OK;
}

static int32_t on_request(void *data, const oci_chart_request *request)
{
    listener *self = data;
    CHECK(pthread_equal(self->caller, pthread_self()));
    CHECK(request->struct_size >= sizeof *request && request->method && request->attempt > 0);
    CHECK(strncmp(request->url, "http://127.0.0.1:", 17) == 0);
    CHECK(!request->error == (request->status > 0));
    self->requests++;
    return 0;
}

static void *cancel_soon(void *token)
{
    struct timespec time = {0, 100 * 1000 * 1000};
    nanosleep(&time, NULL);
    CHECK(oci_chart_cancel_token_cancel(token, NULL) == OCI_CHART_STATUS_OK);
    return NULL;
}

static char *target_of(const registry *server)
{
    return format("oci://%s/charts", registry_host(server));
}

/* A directory of charts on the disk, there and back. */
static void layout(void)
{
    oci_chart_error *err = NULL;
    char *parent = scratch(), *target = format("oci-layout:%s/store", parent);
    oci_chart_package *package = make_package("1.2.3"), *back = NULL;
    oci_chart_client *client = make_client(NULL);
    listener heard = {.caller = pthread_self()};
    oci_chart_call call = OCI_CHART_CALL_INIT;
    call.on_event = on_event;
    call.user_data = &heard;
    char *done = NULL;
    MUST(oci_chart_client_push(client, package, target, NULL, &call, &done, &err));
    CHECK(heard.events[OCI_CHART_EVENT_KIND_STARTED] == 3 && heard.events[OCI_CHART_EVENT_KIND_FINISHED] == 3);
    CHECK(heard.moved > oci_chart_package_get_size(package));
    json *outcome = json_parse(done);
    CHECK_TEXT(json_text(outcome, "tag"), "1.2.3");
    CHECK_TEXT(json_text(outcome, "action"), "pushed");
    oci_chart_string_free(done);

    MUST_FAIL(oci_chart_client_push(client, package, target, NULL, NULL, NULL, &err), OCI_CHART_STATUS_ALREADY_EXISTS);
    oci_chart_push_options ensure = OCI_CHART_PUSH_OPTIONS_INIT;
    ensure.mode = OCI_CHART_TAG_MODE_ENSURE;
    MUST(oci_chart_client_push(client, package, target, &ensure, NULL, NULL, &err));

    oci_chart_pull_options options = OCI_CHART_PULL_OPTIONS_INIT;
    oci_chart_pulled *pulled = NULL;
    MUST_FAIL(oci_chart_client_pull(client, target, NULL, &options, NULL, &pulled, &err), OCI_CHART_STATUS_INVALID_INPUT);
    CHECK(!pulled);
    options.flags = OCI_CHART_PULL_WITHOUT_VERIFICATION;
    MUST(oci_chart_client_pull(client, target, "^1", &options, NULL, &pulled, &err));
    MUST(oci_chart_pulled_get_package(pulled, &back, &err));
    const char *digest = oci_chart_pulled_get_digest(pulled);
    CHECK(digest == oci_chart_pulled_get_digest(pulled));
    json *descriptor = json_parse(oci_chart_pulled_get_descriptor(pulled));
    CHECK_TEXT(json_text(descriptor, "digest"), digest);
    CHECK_TEXT(json_text(json_member(outcome, "descriptor"), "digest"), digest);
    CHECK(!oci_chart_pulled_get_evidence(pulled));
    oci_chart_pulled_free(pulled);
    /* The package lives on. */
    CHECK_TEXT(oci_chart_package_get_digest(back), oci_chart_package_get_digest(package));
    char *path = NULL, *wanted = format("%s/out/web-1.2.3.tgz", parent), *to = format("%s/out", parent);
    MUST(oci_chart_package_write(back, to, &call, &path, &err));
    CHECK_TEXT(path, wanted);

    oci_chart_string_free(path);
    json_free(descriptor), json_free(outcome);
    oci_chart_package_free(back), oci_chart_package_free(package);
    oci_chart_client_free(client);
    remove_tree(parent);
    free(parent), free(target), free(wanted), free(to);
}

static void stopping(void)
{
    oci_chart_error *err = NULL;
    registry *server = registry_start(NULL);
    char *target = target_of(server), *poison = (char *)&server;
    oci_chart_package *package = make_package("1.0.0");
    oci_chart_client *client = make_client(registry_host(server));
    free(registry_tell(server, "fault * * 1 delay 20000"));
    listener heard = {.caller = pthread_self(), .stop_at_tick = 1};
    oci_chart_call call = OCI_CHART_CALL_INIT;
    call.user_data = &heard;
    call.on_event = on_event;
    char *out = poison;
    double began = now();
    MUST_FAIL(oci_chart_client_push(client, package, target, NULL, &call, &out, &err), OCI_CHART_STATUS_CANCELLED);
    CHECK(now() - began < 5.0 && heard.events[OCI_CHART_EVENT_KIND_TICK] == 1);
    CHECK(out == poison);

    /* By a token of another thread's, which is freed before the call is over. */
    free(registry_tell(server, "fault * * 1 delay 20000"));
    oci_chart_cancel_token *token = oci_chart_cancel_token_new();
    oci_chart_call other = OCI_CHART_CALL_INIT;
    other.cancel = token;
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, cancel_soon, token) == 0);
    began = now();
    MUST_FAIL(oci_chart_client_push(client, package, target, NULL, &other, &out, &err), OCI_CHART_STATUS_CANCELLED);
    CHECK(now() - began < 5.0);
    pthread_join(thread, NULL);
    CHECK(oci_chart_cancel_token_is_cancelled(token) == 1);
    MUST_FAIL(oci_chart_client_push(client, package, target, NULL, &other, &out, &err), OCI_CHART_STATUS_CANCELLED);
    oci_chart_cancel_token_free(token);

    free(registry_tell(server, "fault * * 1 delay 20000"));
    oci_chart_call hasty = OCI_CHART_CALL_INIT;
    hasty.timeout_ms = 100;
    began = now();
    MUST_FAIL(oci_chart_client_push(client, package, target, NULL, &hasty, &out, &err), OCI_CHART_STATUS_TIMEOUT);
    CHECK(now() - began < 5.0);
    CHECK(out == poison);
    oci_chart_client_free(client);
    oci_chart_package_free(package);
    registry_stop(server);
    free(target);
}

static void logins(void)
{
    oci_chart_error *err = NULL;
    registry *server = registry_start((const char *const[]){"--basic", "robot:right", NULL});
    char *target = target_of(server);
    oci_chart_package *package = make_package("1.0.0");
    oci_chart_client *client = NULL;
    oci_chart_client_options *options = oci_chart_client_options_new();
    MUST(oci_chart_client_options_add_plain_http(options, registry_host(server), &err));
    MUST(oci_chart_client_options_use_call_credentials(options, &err));
    MUST(oci_chart_client_new(options, &client, &err));
    oci_chart_client_options_free(options);

    listener heard = {.caller = pthread_self(), .password = "wrong"};
    oci_chart_call call = OCI_CHART_CALL_INIT;
    call.user_data = &heard;
    call.on_credentials = on_credentials;
    MUST_FAIL(oci_chart_client_push(client, package, target, NULL, NULL, NULL, &err), OCI_CHART_STATUS_UNAUTHENTICATED);
    MUST_FAIL(oci_chart_client_push(client, package, target, NULL, &call, NULL, &err), OCI_CHART_STATUS_UNAUTHENTICATED);
    heard.failure = "the vault is sealed";
    CHECK(oci_chart_client_push(client, package, target, NULL, &call, NULL, &err) == OCI_CHART_STATUS_CANCELLED);
    CHECK(strstr(oci_chart_error_get_message(err), "the vault is sealed"));
    oci_chart_error_free(err);
    err = NULL;
    heard.failure = NULL;
    heard.password = "right";
    heard.answers = 0;
    CHECK(heard.requests == 0);
    call.on_request = on_request;
    MUST(oci_chart_client_push(client, package, target, NULL, &call, NULL, &err));
    CHECK(heard.answers == 1 && heard.requests > 3);
    oci_chart_client_free(client);
    oci_chart_package_free(package);
    registry_stop(server);
    free(target);
}

/* Callers that are older and newer than the library. */
static void growing(void)
{
    oci_chart_error *err = NULL;
    oci_chart_package *package = make_package("1.0.0");
    oci_chart_chart *chart = NULL;
    MUST(oci_chart_package_get_chart(package, NULL, &chart, &err));
    oci_chart_package_free(package);
    oci_chart_package_options options = OCI_CHART_PACKAGE_OPTIONS_INIT;
    options.version = "2.0.0";
    options.flags = OCI_CHART_PACKAGE_TIME;
    options.time = 1700000000;
    /* An older caller's struct ended behind `version`: what is behind that is not read. */
    options.struct_size = offsetof(oci_chart_package_options, app_version);
    char *name = NULL;
    MUST(oci_chart_chart_package(chart, &options, NULL, &package, &err));
    MUST(oci_chart_package_get_file_name(package, &name, &err));
    CHECK_TEXT(name, "web-2.0.0.tgz");
    oci_chart_string_free(name);
    oci_chart_package *short_one = package;
    options.struct_size = sizeof options;
    MUST(oci_chart_chart_package(chart, &options, NULL, &package, &err));
    CHECK(strcmp(oci_chart_package_get_digest(short_one), oci_chart_package_get_digest(package)) != 0);
    oci_chart_package_free(short_one), oci_chart_package_free(package);

    struct {
        oci_chart_package_options known;
        uint64_t later;
    } newer = {OCI_CHART_PACKAGE_OPTIONS_INIT, 0};
    newer.known.struct_size = sizeof newer;
    MUST(oci_chart_chart_package(chart, &newer.known, NULL, &package, &err));
    oci_chart_package_free(package);
    newer.later = 1;
    MUST_FAIL(oci_chart_chart_package(chart, &newer.known, NULL, &package, &err), OCI_CHART_STATUS_UNSUPPORTED);
    options.struct_size = 0;
    MUST_FAIL(oci_chart_chart_package(chart, &options, NULL, &package, &err), OCI_CHART_STATUS_INVALID_INPUT);
    options.struct_size = sizeof options;
    options.flags = 0x80000000;
    MUST_FAIL(oci_chart_chart_package(chart, &options, NULL, &package, &err), OCI_CHART_STATUS_INVALID_INPUT);
    oci_chart_push_options push = OCI_CHART_PUSH_OPTIONS_INIT;
    push.mode = 77;
    oci_chart_client *client = make_client(NULL);
    MUST(oci_chart_chart_package(chart, NULL, NULL, &package, &err));
    MUST_FAIL(oci_chart_client_push(client, package, "oci-layout:/nowhere", &push, NULL, NULL, &err),
              OCI_CHART_STATUS_INVALID_INPUT);
    MUST_FAIL(oci_chart_client_push(client, package, "oci-layout:/\xff", NULL, NULL, NULL, &err),
              OCI_CHART_STATUS_INVALID_INPUT);
    oci_chart_client_free(client);
    oci_chart_package_free(package);
    oci_chart_chart_free(chart);
}

typedef struct {
    const oci_chart_client *client;
    const char *target;
} shared;

static void *pull_some(void *data)
{
    const shared *with = data;
    oci_chart_error *err = NULL;
    oci_chart_pull_options options = OCI_CHART_PULL_OPTIONS_INIT;
    options.flags = OCI_CHART_PULL_WITHOUT_VERIFICATION;
    for (int n = 0; n < 10; n++) {
        oci_chart_pulled *pulled = NULL;
        MUST(oci_chart_client_pull(with->client, with->target, "1.0.0", &options, NULL, &pulled, &err));
        oci_chart_pulled_free(pulled);
    }
    return NULL;
}

/* One client on many threads; and in a child that has none of them, beside a client of its own. */
static void threads_and_children(void)
{
    oci_chart_error *err = NULL;
    registry *server = registry_start(NULL);
    char *base = target_of(server), *target = format("%s/web", base);
    oci_chart_package *package = make_package("1.0.0");
    oci_chart_client *client = make_client(registry_host(server));
    MUST(oci_chart_client_push(client, package, base, NULL, NULL, NULL, &err));
    shared with = {client, target};
    pthread_t threads[8];
    for (size_t n = 0; n < 8; n++)
        CHECK(pthread_create(&threads[n], NULL, pull_some, &with) == 0);
    for (size_t n = 0; n < 8; n++)
        pthread_join(threads[n], NULL);

    for (int n = 0; n < 3; n++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            alarm(60);
            pull_some(&with);
            shared own = {make_client(registry_host(server)), target};
            pull_some(&own);
            _exit(0);
        }
        int status = -1;
        CHECK(waitpid(child, &status, 0) == child);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    pull_some(&with);
    oci_chart_client_free(client);
    oci_chart_package_free(package);
    registry_stop(server);
    free(base), free(target);
}

/* A number that the kernel tells of this process, in the base that it writes it in. */
static unsigned long long of_process(const char *name, int base)
{
    char line[256];
    FILE *file = fopen("/proc/self/status", "r");
    CHECK(file);
    do
        CHECK(fgets(line, sizeof line, file));
    while (strncmp(line, name, strlen(name)) != 0);
    fclose(file);
    return strtoull(line + strlen(name), NULL, base);
}

/* No thread until one is needed, and no signal that is caught, ignored or blocked. Two are glibc's own: with the first
 * thread it catches one and unblocks both, however its parent left them. */
static void leaves_the_process_alone(void)
{
    static const char *const of_signals[] = {"SigCgt:", "SigIgn:", "SigBlk:"};
    const unsigned long long own = 3ULL << 31;
    CHECK(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &own, NULL, sizeof own) == 0);
    oci_chart_error *err = NULL;
    registry *server = registry_start(NULL);
    char *target = target_of(server);
    unsigned long long threads = of_process("Threads:", 10), signals[3];
    for (size_t n = 0; n < 3; n++)
        signals[n] = of_process(of_signals[n], 16);
    oci_chart_client *client = make_client(registry_host(server));
    oci_chart_package *package = make_package("1.0.0");
    CHECK(of_process("Threads:", 10) == threads);
    MUST(oci_chart_client_push(client, package, target, NULL, NULL, NULL, &err));
    for (size_t n = 0; n < 3; n++) {
        unsigned long long now = of_process(of_signals[n], 16);
        if ((now ^ signals[n]) & ~own) {
            fprintf(stderr, "%s was %llx, is %llx\n", of_signals[n], signals[n], now);
            abort();
        }
    }
    oci_chart_client_free(client);
    oci_chart_package_free(package);
    registry_stop(server);
    free(target);
}

static void small_things(void)
{
    char *version = format("%d.%d.%d", OCI_CHART_VERSION_MAJOR, OCI_CHART_VERSION_MINOR, OCI_CHART_VERSION_PATCH);
    CHECK_TEXT(oci_chart_version(), version);
    CHECK(oci_chart_version_number() == OCI_CHART_VERSION_NUMBER);
    free(version);
    for (int32_t status = -3; status < 1000; status++)
        CHECK(oci_chart_status_string(status));
    CHECK_TEXT(oci_chart_status_string(OCI_CHART_STATUS_NOT_FOUND), "not-found");
    CHECK_TEXT(oci_chart_status_string(-1), "unknown");
    /* An error that nobody wants. */
    oci_chart_chart *chart = NULL;
    CHECK(oci_chart_chart_load("/nowhere", NULL, NULL, &chart, NULL) == OCI_CHART_STATUS_NOT_FOUND);
    oci_chart_error *err = NULL;
    CHECK(oci_chart_chart_load("/nowhere", NULL, NULL, &chart, &err) == OCI_CHART_STATUS_NOT_FOUND);
    CHECK(oci_chart_error_get_os_error(err) == 2 && oci_chart_error_is_retryable(err) == 0);
    CHECK(oci_chart_error_get_hint(err) == oci_chart_error_get_hint(err));
    char *text = NULL;
    CHECK(oci_chart_error_to_json(err, &text, NULL) == OCI_CHART_STATUS_OK);
    json *document = json_parse(text);
    CHECK_TEXT(json_text(document, "kind"), "not-found");
    json_free(document);
    oci_chart_string_free(text);
    oci_chart_error_free(err);
}

int main(void)
{
    leaves_the_process_alone();
    small_things();
    layout();
    growing();
    logins();
    stopping();
    threads_and_children();
    puts("calls: ok");
    return 0;
}
