package ocichart

// #include "call.h"
import "C"

import (
	"context"
	"unsafe"
)

// Client is what registries and image layouts are reached with. It keeps connections, tokens and one thread, so make one and keep it. Any
// number of goroutines may use it at once.
type Client struct {
	object
	credentials func(ctx context.Context, host string) (*Credentials, error)
	request     func(Request)
}

// NewClient makes a client. It opens no connection and starts no thread: its first use does.
func NewClient(options *ClientOptions) (*Client, error) {
	if options == nil {
		options = &ClientOptions{}
	}
	with := C.oci_chart_client_options_new()
	defer C.oci_chart_client_options_free(with)
	if err := options.set(with); err != nil {
		return nil, err
	}
	var found *C.oci_chart_client
	var failure *C.oci_chart_error
	if err := taken(C.oci_chart_client_new(with, &found, &failure), failure); err != nil {
		return nil, err
	}
	client := &Client{credentials: options.Credentials, request: options.OnRequest}
	client.init("client", unsafe.Pointer(found), func(p unsafe.Pointer) { C.oci_chart_client_free((*C.oci_chart_client)(p)) })
	return client, nil
}

// Close frees the client and its connections as soon as no call uses it any more. Twice is once.
func (c *Client) Close() error {
	if c == nil {
		return nil
	}
	return c.close()
}

// do makes a call with the client.
func (c *Client) do(ctx context.Context, with callbacks, work func(client *C.oci_chart_client, call *C.oci_chart_call, err **C.oci_chart_error) C.oci_chart_status) error {
	pointer, err := c.use()
	if err != nil {
		return err
	}
	defer c.done()
	with.credentials, with.request = c.credentials, c.request
	return do(ctx, with, func(call *C.oci_chart_call, err **C.oci_chart_error) C.oci_chart_status {
		return work((*C.oci_chart_client)(pointer), call, err)
	})
}

// text makes a call that gives a text; empty where C gives none.
func (c *Client) text(ctx context.Context, with callbacks, work func(client *C.oci_chart_client, call *C.oci_chart_call, out **C.char, err **C.oci_chart_error) C.oci_chart_status) (string, error) {
	var out *C.char
	err := c.do(ctx, with, func(client *C.oci_chart_client, call *C.oci_chart_call, err **C.oci_chart_error) C.oci_chart_status {
		return work(client, call, &out, err)
	})
	if err != nil {
		return "", err
	}
	return took(out), nil
}
