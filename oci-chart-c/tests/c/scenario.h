/* What the verbs of the parity scenarios and their runner share. */
#ifndef SCENARIO_H
#define SCENARIO_H

#include "support.h"

/* What a step has made and a later one uses: its result, and the object behind it. */
typedef struct kept kept;
struct kept {
    const char *name;
    json *result;
    oci_chart_chart *chart;
    oci_chart_package *package;
    oci_chart_signer *key;
    oci_chart_verified *verified;
    kept *next;
};

typedef struct {
    char *scratch;
    char *base;
    char *repository;
    char *host;
    char *logins;
    registry *server;
    oci_chart_client *client;
    kept *all;
    long directories;
} world;

/* A result that grows: an object of JSON as text. */
typedef struct {
    char *text;
} result;

/* Does a step: fills the result, and keeps what later steps may use. */
typedef oci_chart_status verb(world *, const json *step, kept *, result *, oci_chart_error **);

/* NULL where there is no such verb. */
verb *verb_called(const char *name);

/* JSON as text; the caller frees it. */
char *written(const json *value);

/* Reads JSON that the library wrote, and frees the text. */
json *taken(char *document);

/* What "$NAME" or "$NAME.MEMBER" stands for; anything else is itself. */
const json *resolved(const world *at, const json *value);

#endif
