/* What Go cannot write in Go: function pointers, and a handle that is no pointer. */
#ifndef OCICHART_GO_CALL_H
#define OCICHART_GO_CALL_H

#include <oci_chart.h>

enum { OCICHART_GO_EVENTS = 1, OCICHART_GO_CREDENTIALS = 2, OCICHART_GO_SIGN = 4, OCICHART_GO_REQUESTS = 8 };

/* A call that can be stopped by `token`, and that asks the Go value behind `handle` for what `wants` says. */
oci_chart_call ocichart_go_call(const oci_chart_cancel_token *token, uint64_t timeout_ms, uintptr_t handle, int wants);

/* A package of the stream behind `handle`. */
oci_chart_status ocichart_go_load_stream(uintptr_t handle, const oci_chart_load_options *options, const oci_chart_call *call,
                                         oci_chart_package **out, oci_chart_error **err);

#endif
