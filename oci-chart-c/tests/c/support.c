#define _XOPEN_SOURCE 700
#include "support.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct registry {
    pid_t pid;
    FILE *in;
    FILE *out;
    char *host;
};

void fail(const char *file, int line, const char *what)
{
    fflush(stdout);
    fprintf(stderr, "%s:%d: %s\n", file, line, what);
    abort();
}

void fail_with(const char *file, int line, const char *what, const oci_chart_error *err)
{
    fprintf(stderr, "%s:%d: %s: %s\n", file, line, what, err ? oci_chart_error_get_message(err) : "(no error)");
    abort();
}

void must_fail(const char *file, int line, const char *what, oci_chart_status found, oci_chart_status wanted,
               oci_chart_error **err)
{
    if (found != wanted) {
        fprintf(stderr, "wanted %s, found %s\n", oci_chart_status_string(wanted), oci_chart_status_string(found));
        fail_with(file, line, what, *err);
    }
    CHECK(*err);
    CHECK(oci_chart_error_get_status(*err) == wanted);
    CHECK(oci_chart_error_get_message(*err));
    oci_chart_error_free(*err);
    *err = NULL;
}

void check_text(const char *file, int line, const char *what, const char *found, const char *wanted)
{
    if (found && wanted && strcmp(found, wanted) == 0)
        return;
    fprintf(stderr, "%s:%d: %s is \"%s\", not \"%s\"\n", file, line, what, found ? found : "(null)",
            wanted ? wanted : "(null)");
    abort();
}

char *format(const char *pattern, ...)
{
    va_list arguments;
    va_start(arguments, pattern);
    int length = vsnprintf(NULL, 0, pattern, arguments);
    va_end(arguments);
    CHECK(length >= 0);
    char *text = malloc((size_t)length + 1);
    CHECK(text);
    va_start(arguments, pattern);
    vsnprintf(text, (size_t)length + 1, pattern, arguments);
    va_end(arguments);
    return text;
}

char *copy_text(const char *text)
{
    return format("%s", text);
}

void write_file(const char *path, const char *content)
{
    char *above = copy_text(path);
    for (char *slash = strchr(above + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        CHECK(mkdir(above, 0755) == 0 || errno == EEXIST);
        *slash = '/';
    }
    free(above);
    FILE *file = fopen(path, "wb");
    CHECK(file);
    CHECK(fputs(content, file) >= 0);
    CHECK(fclose(file) == 0);
}

char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    CHECK(file);
    CHECK(fseek(file, 0, SEEK_END) == 0);
    long size = ftell(file);
    CHECK(size >= 0);
    rewind(file);
    char *content = malloc((size_t)size + 1);
    CHECK(content);
    CHECK(fread(content, 1, (size_t)size, file) == (size_t)size);
    content[size] = '\0';
    CHECK(fclose(file) == 0);
    return content;
}

char *scratch(void)
{
    const char *parent = getenv("TMPDIR");
    char *path = format("%s/oci-chart-c-XXXXXX", parent ? parent : "/tmp");
    CHECK(mkdtemp(path));
    return path;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status, (void)type, (void)place;
    return remove(path);
}

void remove_tree(const char *path)
{
    CHECK(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
}

char *write_chart(const char *parent, const char *version)
{
    char *directory = format("%s/web", parent);
    char *path = format("%s/Chart.yaml", directory);
    char *text = format("apiVersion: v2\nname: web\nversion: %s\n", version);
    write_file(path, text);
    free(path);
    free(text);
    path = format("%s/values.yaml", directory);
    write_file(path, "replicas: 1\n");
    free(path);
    return directory;
}

oci_chart_package *make_package(const char *version)
{
    oci_chart_error *err = NULL;
    oci_chart_chart *chart = NULL;
    oci_chart_package *package = NULL;
    char *parent = scratch();
    char *directory = write_chart(parent, version);
    MUST(oci_chart_chart_load(directory, NULL, NULL, &chart, &err));
    MUST(oci_chart_chart_package(chart, NULL, NULL, &package, &err));
    oci_chart_chart_free(chart);
    remove_tree(parent);
    free(directory);
    free(parent);
    return package;
}

oci_chart_client *make_client(const char *host)
{
    oci_chart_error *err = NULL;
    oci_chart_client *client = NULL;
    oci_chart_client_options *options = oci_chart_client_options_new();
    CHECK(options);
    if (host)
        MUST(oci_chart_client_options_add_plain_http(options, host, &err));
    MUST(oci_chart_client_new(options, &client, &err));
    oci_chart_client_options_free(options);
    return client;
}

char *quoted(const char *text)
{
    /* Only what needs it is escaped. */
    char *whole = malloc(2 * strlen(text) + 3), *end = whole;
    CHECK(whole);
    *end++ = '"';
    for (; *text; text++) {
        if (*text == '"' || *text == '\\' || *text == '\n')
            *end++ = '\\';
        *end++ = *text == '\n' ? 'n' : *text;
    }
    *end++ = '"';
    *end = '\0';
    return whole;
}

char *make_policy(const oci_chart_signer *signer)
{
    char *key = quoted(oci_chart_signer_get_public_key(signer));
    char *policy = format("{\"keys\": {\"keys\": [{\"key\": %s}], \"tlog\": \"ignore-explicitly\"}}", key);
    free(key);
    return policy;
}

int open_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    CHECK(directory);
    int count = 0;
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

registry *registry_start(const char *const *arguments)
{
    const char *program = getenv("OCI_CHART_SERVE");
    CHECK(program && "OCI_CHART_SERVE names the test registry");
    /* It must not outlive a write to a registry that is gone. */
    signal(SIGPIPE, SIG_IGN);
    int in[2], out[2];
    CHECK(pipe(in) == 0 && pipe(out) == 0);
    /* Another registry that held these would keep this one running. */
    CHECK(fcntl(in[1], F_SETFD, FD_CLOEXEC) == 0 && fcntl(out[0], F_SETFD, FD_CLOEXEC) == 0);
    registry *server = calloc(1, sizeof *server);
    CHECK(server);
    size_t count = 0;
    while (arguments && arguments[count])
        count++;
    char **command = calloc(count + 2, sizeof *command);
    CHECK(command);
    command[0] = copy_text(program);
    for (size_t n = 0; n < count; n++)
        command[n + 1] = copy_text(arguments[n]);
    server->pid = fork();
    CHECK(server->pid >= 0);
    if (server->pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[0]), close(out[1]);
        execv(program, command);
        _exit(127);
    }
    for (size_t n = 0; n <= count; n++)
        free(command[n]);
    free(command);
    close(in[0]), close(out[1]);
    server->in = fdopen(in[1], "w");
    server->out = fdopen(out[0], "r");
    CHECK(server->in && server->out);
    char line[256];
    CHECK(fgets(line, sizeof line, server->out) && "the test registry starts");
    line[strcspn(line, "\n")] = '\0';
    const char *host = strstr(line, "://");
    CHECK(host);
    server->host = copy_text(host + 3);
    return server;
}

const char *registry_host(const registry *server)
{
    return server->host;
}

char *registry_tell(registry *server, const char *command)
{
    CHECK(fprintf(server->in, "%s\n", command) > 0 && fflush(server->in) == 0);
    char *answer = NULL;
    size_t size = 0;
    CHECK(getline(&answer, &size, server->out) > 0);
    answer[strcspn(answer, "\n")] = '\0';
    return answer;
}

void registry_stop(registry *server)
{
    fclose(server->in);
    fclose(server->out);
    CHECK(waitpid(server->pid, NULL, 0) == server->pid);
    free(server->host);
    free(server);
}
