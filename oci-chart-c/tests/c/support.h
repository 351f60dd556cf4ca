/* What the C tests share: checks that end the program, files, the test registry as a program, and a reader of JSON. */
#ifndef OCI_CHART_TESTS_SUPPORT_H
#define OCI_CHART_TESTS_SUPPORT_H

#include <oci_chart.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* Ends the program unless `condition` holds. */
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail(__FILE__, __LINE__, #condition);                                                  \
    } while (0)

/* Ends the program unless both texts are there and equal. */
#define CHECK_TEXT(found, wanted) check_text(__FILE__, __LINE__, #found, found, wanted)

/* Ends the program unless the call succeeds; prints its error, which must be in `err`. */
#define MUST(call)                                                                                 \
    do {                                                                                           \
        if ((call) != OCI_CHART_STATUS_OK)                                                         \
            fail_with(__FILE__, __LINE__, #call, err);                                             \
    } while (0)

/* Ends the program unless the call fails with `status`, and its error, which is freed, says so too. */
#define MUST_FAIL(call, status) must_fail(__FILE__, __LINE__, #call, (call), (status), &err)

void fail_with(const char *file, int line, const char *what, const oci_chart_error *err);
void must_fail(const char *file, int line, const char *what, oci_chart_status found, oci_chart_status wanted,
               oci_chart_error **err);
void fail(const char *file, int line, const char *what);
void check_text(const char *file, int line, const char *what, const char *found, const char *wanted);

/* An owned text; end the program where there is no memory. */
char *format(const char *pattern, ...) __attribute__((format(printf, 1, 2)));
char *copy_text(const char *text);

/* Writes a file, and the directories above it. */
void write_file(const char *path, const char *content);
/* All of a file, with a NUL behind it. */
char *read_file(const char *path);
/* A new directory, to be removed with `remove_tree`. */
char *scratch(void);
void remove_tree(const char *path);
/* The smallest chart there is, in a directory `web` below `parent`; the result is its path. */
char *write_chart(const char *parent, const char *version);
/* The same, packaged. */
oci_chart_package *make_package(const char *version);
/* A client that speaks plain HTTP to `host`, which may be NULL. */
oci_chart_client *make_client(const char *host);
/* A policy that trusts the signer's key, and asks nothing of a log. */
char *make_policy(const oci_chart_signer *signer);
/* The text as a string of JSON. */
char *quoted(const char *text);
/* How many descriptors this process holds. */
int open_descriptors(void);

/* The program `serve` of the testkit; its place is in OCI_CHART_SERVE. */
typedef struct registry registry;
registry *registry_start(const char *const *arguments);
/* HOST:PORT. */
const char *registry_host(const registry *server);
/* Sends one command and gives the answer, which is the caller's. */
char *registry_tell(registry *server, const char *command);
void registry_stop(registry *server);

/* A value of JSON. Members and elements are its children, in order; a member has a name. */
typedef struct json json;
struct json {
    enum { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT } type;
    char *name;
    char *text; /* of a string, unescaped; of a number, as written */
    json *first;
    json *next;
};
json *json_parse(const char *text);
const json *json_member(const json *object, const char *name);
/* The text of a member that is a string, or NULL. */
const char *json_text(const json *object, const char *name);
void json_free(json *value);

#endif
