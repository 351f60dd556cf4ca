#include "call.h"
#include "_cgo_export.h"

/* Go's exported functions know no const. */
static int32_t on_event(void *handle, const oci_chart_event *event)
{
    return ocichartGoEvent((uintptr_t)handle, (oci_chart_event *)event);
}

static int32_t on_credentials(void *handle, const char *host, oci_chart_answer *answer)
{
    return ocichartGoCredentials((uintptr_t)handle, (char *)host, answer);
}

static int32_t on_sign(void *handle, const char *key, const uint8_t *payload, size_t payload_len, oci_chart_answer *answer)
{
    return ocichartGoSign((uintptr_t)handle, (char *)key, (uint8_t *)payload, payload_len, answer);
}

static int32_t on_request(void *handle, const oci_chart_request *request)
{
    return ocichartGoRequest((uintptr_t)handle, (oci_chart_request *)request);
}

oci_chart_call ocichart_go_call(const oci_chart_cancel_token *token, uint64_t timeout_ms, uintptr_t handle, int wants)
{
    oci_chart_call call = OCI_CHART_CALL_INIT;
    call.cancel = token;
    call.timeout_ms = timeout_ms;
    call.user_data = (void *)handle;
    if (wants & OCICHART_GO_EVENTS)
        call.on_event = on_event;
    if (wants & OCICHART_GO_CREDENTIALS)
        call.on_credentials = on_credentials;
    if (wants & OCICHART_GO_SIGN)
        call.on_sign = on_sign;
    if (wants & OCICHART_GO_REQUESTS)
        call.on_request = on_request;
    return call;
}

static int32_t on_read(void *handle, uint8_t *buffer, size_t buffer_len, size_t *read)
{
    return ocichartGoRead((uintptr_t)handle, buffer, buffer_len, read);
}

oci_chart_status ocichart_go_load_stream(uintptr_t handle, const oci_chart_load_options *options, const oci_chart_call *call,
                                         oci_chart_package **out, oci_chart_error **err)
{
    return oci_chart_package_load_stream(on_read, (void *)handle, options, call, out, err);
}
