package ocichart

// #include "call.h"
import "C"

import (
	"context"
	"time"
)

// LoginPlace is which file a login is kept in; where that file names a credential helper, the helper keeps it.
type LoginPlace int32

// The places of logins.
const (
	// HelmLogins: Helm's registry/config.json, as `helm registry login` does.
	HelmLogins LoginPlace = C.OCI_CHART_LOGIN_PLACE_HELM
	// DockerLogins: Docker's config.json, as docker, crane, regctl and oras do.
	DockerLogins LoginPlace = C.OCI_CHART_LOGIN_PLACE_DOCKER
	// PodmanLogins: Podman's auth.json, as podman, buildah and skopeo do.
	PodmanLogins LoginPlace = C.OCI_CHART_LOGIN_PLACE_PODMAN
	// FileLogins: the File of the options, of docker's form.
	FileLogins LoginPlace = C.OCI_CHART_LOGIN_PLACE_FILE
)

// LoginOptions says how a login is made; nil and the zero value are the default.
type LoginOptions struct {
	Place LoginPlace
	// File is the path for FileLogins.
	File string
	// Unverified keeps the login without asking the registry whether it takes it.
	Unverified bool
	// IdentityToken keeps such a token instead of the password, where the registry's token service gives one.
	IdentityToken bool
}

// Login is what came of a login.
type Login struct {
	// StoredIn is the file or helper that keeps it.
	StoredIn string `json:"storedIn"`
	// Verified says that the registry took it.
	Verified bool `json:"verified"`
	// Expiry is when it ends, where that is known.
	Expiry *time.Time `json:"expiry,omitempty"`
}

// Logout is what came of a logout.
type Logout struct {
	// Removed are the files and helpers that it was taken away from.
	Removed []string `json:"removed"`
	// Remaining is where one would still be found; empty for nowhere.
	Remaining string `json:"remaining,omitempty"`
}

// LoginStatus is whose name a client uses at a registry.
type LoginStatus struct {
	Username string `json:"username,omitempty"`
	// Origin is where the credentials come from.
	Origin string `json:"origin,omitempty"`
	// Expiry is when they end, and TokenExpiry when the tokens made of them do, where that is known.
	Expiry      *time.Time `json:"expiry,omitempty"`
	TokenExpiry *time.Time `json:"tokenExpiry,omitempty"`
}

// StoredLogin is a login that is kept on this machine.
type StoredLogin struct {
	Key      string `json:"key"`
	Username string `json:"username"`
	Origin   string `json:"origin"`
}

// Login shows a user and a password to a registry and, if it takes them, keeps them where other programs find them too. The host may have a
// scheme and a path.
func (c *Client) Login(ctx context.Context, host, user, password string, options *LoginOptions) (*Login, error) {
	var lend lender
	defer lend.free()
	name, who, secret, with := lend.text("the host", host), lend.text("the user", user), lend.text("the password", password), options.c(&lend)
	if err := lend.err(); err != nil {
		return nil, err
	}
	text, err := c.text(ctx, callbacks{}, func(client *C.oci_chart_client, call *C.oci_chart_call, out **C.char, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_client_login(client, name, who, secret, &with, call, out, err)
	})
	if err != nil {
		return nil, err
	}
	return document[Login](text)
}

// Logout forgets a login that this or another program has left.
func (c *Client) Logout(ctx context.Context, host string, options *LoginOptions) (*Logout, error) {
	var lend lender
	defer lend.free()
	name, with := lend.text("the host", host), options.c(&lend)
	if err := lend.err(); err != nil {
		return nil, err
	}
	text, err := c.text(ctx, callbacks{}, func(client *C.oci_chart_client, call *C.oci_chart_call, out **C.char, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_client_logout(client, name, &with, call, out, err)
	})
	if err != nil {
		return nil, err
	}
	return document[Logout](text)
}

// LoginStatus is whose name the client uses at a registry; nil where it is anonymous.
func (c *Client) LoginStatus(ctx context.Context, host string) (*LoginStatus, error) {
	var lend lender
	defer lend.free()
	name := lend.text("the host", host)
	if err := lend.err(); err != nil {
		return nil, err
	}
	text, err := c.text(ctx, callbacks{}, func(client *C.oci_chart_client, call *C.oci_chart_call, out **C.char, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_client_login_status(client, name, call, out, err)
	})
	if err != nil || text == "" {
		return nil, err
	}
	return document[LoginStatus](text)
}

// StoredLogins are the logins that Helm, docker and podman keep on this machine, without their secrets.
func (c *Client) StoredLogins(ctx context.Context) ([]StoredLogin, error) {
	text, err := c.text(ctx, callbacks{}, func(client *C.oci_chart_client, call *C.oci_chart_call, out **C.char, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_client_stored_logins(client, call, out, err)
	})
	if err != nil {
		return nil, err
	}
	found, err := document[[]StoredLogin](text)
	if err != nil {
		return nil, err
	}
	return *found, nil
}

func (o *LoginOptions) c(lend *lender) C.oci_chart_login_options {
	with := C.oci_chart_login_options{struct_size: C.sizeof_oci_chart_login_options}
	if o == nil {
		return with
	}
	with.place, with.file = C.int32_t(o.Place), lend.optional("the file", o.File)
	if o.Unverified {
		with.flags |= C.OCI_CHART_LOGIN_UNVERIFIED
	}
	if o.IdentityToken {
		with.flags |= C.OCI_CHART_LOGIN_IDENTITY_TOKEN
	}
	return with
}
