package ocichart

// #include "call.h"
import "C"

import (
	"context"
	"unsafe"
)

// ClientOptions says how a client reaches registries; nil and the zero value are the default: anonymous, over https, with the proxies of the
// environment.
type ClientOptions struct {
	// UserAgent goes behind oci-chart/VERSION in the header of this name.
	UserAgent string
	// PlainHTTP has the hosts, as localhost:5000, to which plain HTTP is spoken.
	PlainHTTP []string
	// RootCertificates has authorities as PEM that are trusted beside those of the system.
	RootCertificates [][]byte
	// Logins are shown to their host, and win over every other source.
	Logins map[string]Credentials
	// Credentials is asked for the login at a host where Logins has none: once a call and host, and again if the registry refuses what it
	// was given. Nil credentials mean that there are none.
	Credentials func(ctx context.Context, host string) (*Credentials, error)
	// StoredLogins takes logins from where Helm, docker and podman keep theirs, where nothing before has any.
	StoredLogins bool
}

// Client is what registries and image layouts are reached with. It keeps connections, tokens and one thread, so make one and keep it. Any
// number of goroutines may use it at once.
type Client struct {
	object
	credentials func(ctx context.Context, host string) (*Credentials, error)
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
	client := &Client{credentials: options.Credentials}
	client.init("client", unsafe.Pointer(found), func(p unsafe.Pointer) { C.oci_chart_client_free((*C.oci_chart_client)(p)) })
	return client, nil
}

// Close frees the client and its connections, as soon as no call uses it any more. Twice is once.
func (c *Client) Close() error { return c.close() }

func (o *ClientOptions) set(with *C.oci_chart_client_options) error {
	var lend lender
	defer lend.free()
	var failure *C.oci_chart_error
	// A text that cannot be lent makes no call.
	try := func(set func() C.oci_chart_status) error {
		if err := lend.err(); err != nil {
			return err
		}
		return taken(set(), failure)
	}
	if o.UserAgent != "" {
		suffix := lend.text("the user agent", o.UserAgent)
		if err := try(func() C.oci_chart_status { return C.oci_chart_client_options_set_user_agent(with, suffix, &failure) }); err != nil {
			return err
		}
	}
	for _, host := range o.PlainHTTP {
		name := lend.text("the host", host)
		if err := try(func() C.oci_chart_status { return C.oci_chart_client_options_add_plain_http(with, name, &failure) }); err != nil {
			return err
		}
	}
	for _, pem := range o.RootCertificates {
		data, size := lent(pem)
		if err := try(func() C.oci_chart_status {
			return C.oci_chart_client_options_add_root_certificate(with, data, size, &failure)
		}); err != nil {
			return err
		}
	}
	for host, login := range o.Logins {
		name, user, password := lend.text("the host", host), lend.text("the user", login.User), lend.text("the password", login.Password)
		if err := try(func() C.oci_chart_status {
			return C.oci_chart_client_options_add_login(with, name, user, password, &failure)
		}); err != nil {
			return err
		}
	}
	if o.Credentials != nil {
		if err := try(func() C.oci_chart_status { return C.oci_chart_client_options_use_call_credentials(with, &failure) }); err != nil {
			return err
		}
	}
	if o.StoredLogins {
		return try(func() C.oci_chart_status { return C.oci_chart_client_options_use_stored_logins(with, &failure) })
	}
	return nil
}

// do makes a call with the client.
func (c *Client) do(ctx context.Context, with callbacks, work func(client *C.oci_chart_client, call *C.oci_chart_call, err **C.oci_chart_error) C.oci_chart_status) error {
	pointer, err := c.use()
	if err != nil {
		return err
	}
	defer c.done()
	with.credentials = c.credentials
	return do(ctx, with, func(call *C.oci_chart_call, err **C.oci_chart_error) C.oci_chart_status {
		return work((*C.oci_chart_client)(pointer), call, err)
	})
}
