/* What the examples do with errors: they tell them, and end. */
#ifndef STORY_H
#define STORY_H

#include <oci_chart.h>
#include <stdio.h>
#include <stdlib.h>

/* Ends the program if the call failed; its last argument is &err. */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        oci_chart_error *err = NULL;                                                               \
        if ((call) != OCI_CHART_STATUS_OK)                                                         \
            give_up(err);                                                                          \
    } while (0)

static inline void give_up(oci_chart_error *err)
{
    fprintf(stderr, "%s: %s\n", oci_chart_status_string(oci_chart_error_get_status(err)), oci_chart_error_get_message(err));
    const char *hint = oci_chart_error_get_hint(err);
    if (hint)
        fprintf(stderr, "  -> %s\n", hint);
    oci_chart_error_free(err);
    exit(1);
}

#endif
