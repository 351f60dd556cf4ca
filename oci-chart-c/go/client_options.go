package ocichart

// #include "call.h"
import "C"

import (
	"context"
	"encoding/json"
	"time"
)

// ClientOptions says how a client reaches registries; nil and the zero value are the default: anonymous, over https, with the proxies of the
// environment.
type ClientOptions struct {
	// UserAgent goes behind oci-chart/VERSION in the header of this name.
	UserAgent string

	// Logins are shown to their host, and win over every source.
	Logins map[string]Credentials
	// Credentials is asked for the login at a host where Logins has none: once a call and host, and again if the registry refuses what it
	// was given. Nil credentials mean that there are none.
	Credentials func(ctx context.Context, host string) (*Credentials, error)
	// PullSecret has logins, read under PullSecretRule, where nothing before has any. It is copied.
	PullSecret     *PullSecret
	PullSecretRule KeyRule
	// StoredLogins takes logins from where Helm, docker and podman keep theirs, where nothing before has any.
	StoredLogins bool
	// CloudLogins takes the logins of Amazon ECR, Google's registries and Azure's from the environment of this machine, where nothing before
	// has any.
	CloudLogins bool

	// OnRequest hears of every request, when it is done, on the goroutine of the call that made it: for people who look for a fault. A listener
	// that is slow misses some.
	OnRequest func(Request)

	// Hosts says how single hosts are reached, as localhost:5000.
	Hosts map[string]HostOptions
	// RootCertificates has authorities as PEM that are trusted beside those of the system, for every host.
	RootCertificates [][]byte
	// CertsDirectory has certificates as docker and containerd have them (certs.d, one folder a host).
	CertsDirectory string
	// RegistriesYAML has mirrors, certificates and logins, as K3s and RKE2 have them.
	RegistriesYAML []byte
	// Mirrors are asked first for the content of every host: https://mirror.example/v2/path.
	Mirrors []string
	// Proxy says how requests get out, whatever the environment says; nil leaves it to that.
	Proxy *Proxy

	// Attempts is how often a request is sent that fails in passing, the first time included: 1 for never again, zero for the default.
	Attempts int
	// FirstWait is the wait after the first attempt, which grows, and MostWait the longest; zero for the default.
	FirstWait, MostWait time.Duration
	// ConnectTimeout is the longest wait for a connection, IdleTimeout for the next byte of an answer, TokenTimeout for a token, and
	// RequestTimeout for the whole of a request; zero for the default. For the first byte of an answer it is ConnectTimeout and a second, where
	// that is longer than IdleTimeout.
	ConnectTimeout, IdleTimeout, TokenTimeout, RequestTimeout time.Duration

	// Limits bounds what is read, by name: package_bytes, manifest_bytes, tags, ...; the header has the table.
	Limits map[string]uint64
	// Policy lets only charts out of the stores that satisfy it (JSON), whatever the options of a pull say.
	Policy json.RawMessage
	// CacheDirectory keeps what is read from registries, up to CacheBytes; zero for 1 GiB.
	CacheDirectory string
	CacheBytes     uint64
}

// HostOptions says how one host is reached.
type HostOptions struct {
	// PlainHTTP speaks it, to this host alone.
	PlainHTTP bool
	// UncheckedCertificate takes the host's certificate as it is. Whoever can change the traffic can then read and change everything.
	UncheckedCertificate bool
	// RootCertificates has authorities as PEM that are trusted for this host.
	RootCertificates [][]byte
	// ClientCertificate and ClientKey, both PEM, are shown where the host asks for a certificate.
	ClientCertificate, ClientKey []byte
	// Mirrors are asked first for the host's content.
	Mirrors []string
	// MaxRequests are under way at once, and MaxRequestsPerMinute begin in a minute; zero for no bound.
	MaxRequests, MaxRequestsPerMinute int
}

// Proxy says how requests get out.
type Proxy struct {
	// URL is that of the proxy, http://user:password@proxy.example:3128; empty for none at all.
	URL string
	// NoProxy has the hosts that are reached directly, as the variable NO_PROXY has them.
	NoProxy string
}

type clientOptions = C.oci_chart_client_options

// setter carries a client's options over to C; after the first failure it does nothing.
type setter struct {
	to   *clientOptions
	lend lender
	err  error
}

// set sets one; texts that it uses were lent before.
func (s *setter) set(one func(to *clientOptions, err **C.oci_chart_error) C.oci_chart_status) {
	if s.err == nil {
		s.err = s.lend.err()
	}
	if s.err == nil {
		var failure *C.oci_chart_error
		s.err = taken(one(s.to, &failure), failure)
	}
}

func (o *ClientOptions) set(to *clientOptions) error {
	s := &setter{to: to}
	defer s.lend.free()
	if o.UserAgent != "" {
		suffix := s.lend.text("the user agent", o.UserAgent)
		s.set(func(to *clientOptions, err **C.oci_chart_error) C.oci_chart_status {
			return C.oci_chart_client_options_set_user_agent(to, suffix, err)
		})
	}
	o.setLogins(s)
	for name, host := range o.Hosts {
		host.set(s, name)
	}
	o.setConnection(s)
	o.setTimes(s)
	o.setRest(s)
	return s.err
}

func (o *ClientOptions) setLogins(s *setter) {
	for host, login := range o.Logins {
		name, user, password := s.lend.text("the host", host), s.lend.text("the user", login.User), s.lend.text("the password", login.Password)
		token, identity := s.lend.text("the token", login.Token), s.lend.text("the identity token", login.IdentityToken)
		s.set(func(to *clientOptions, err **C.oci_chart_error) C.oci_chart_status {
			switch {
			case login.Token != "":
				return C.oci_chart_client_options_add_token(to, name, token, err)
			case login.IdentityToken != "":
				return C.oci_chart_client_options_add_identity_token(to, name, identity, err)
			}
			return C.oci_chart_client_options_add_login(to, name, user, password, err)
		})
	}
	if o.Credentials != nil {
		s.set(func(to *clientOptions, err **C.oci_chart_error) C.oci_chart_status {
			return C.oci_chart_client_options_use_call_credentials(to, err)
		})
	}
	if o.PullSecret != nil {
		o.PullSecret.logins.RLock()
		defer o.PullSecret.logins.RUnlock()
		pointer, err := o.PullSecret.use()
		if err != nil {
			s.err = err
			return
		}
		defer o.PullSecret.done()
		s.set(func(to *clientOptions, err **C.oci_chart_error) C.oci_chart_status {
			return C.oci_chart_client_options_use_pull_secret(to, (*C.oci_chart_pull_secret)(pointer), C.int32_t(o.PullSecretRule), err)
		})
	}
	if o.StoredLogins {
		s.set(func(to *clientOptions, err **C.oci_chart_error) C.oci_chart_status {
			return C.oci_chart_client_options_use_stored_logins(to, err)
		})
	}
	if o.CloudLogins {
		s.set(func(to *clientOptions, err **C.oci_chart_error) C.oci_chart_status {
			return C.oci_chart_client_options_use_cloud_logins(to, err)
		})
	}
}

func (h *HostOptions) set(s *setter, host string) {
	name := s.lend.text("the host", host)
	if h.PlainHTTP {
		s.set(func(to *clientOptions, err **C.oci_chart_error) C.oci_chart_status {
			return C.oci_chart_client_options_add_plain_http(to, name, err)
		})
	}
	if h.UncheckedCertificate {
		s.set(func(to *clientOptions, err **C.oci_chart_error) C.oci_chart_status {
			return C.oci_chart_client_options_add_unchecked_certificate(to, name, err)
		})
	}
	for _, pem := range h.RootCertificates {
		data, size := lent(pem)
		s.set(func(to *clientOptions, err **C.oci_chart_error) C.oci_chart_status {
			return C.oci_chart_client_options_add_host_root_certificate(to, name, data, size, err)
		})
	}
	if h.ClientCertificate != nil || h.ClientKey != nil {
		chain, chainSize := lent(h.ClientCertificate)
		key, keySize := lent(h.ClientKey)
		s.set(func(to *clientOptions, err **C.oci_chart_error) C.oci_chart_status {
			return C.oci_chart_client_options_set_client_certificate(to, name, chain, chainSize, key, keySize, err)
		})
	}
	for _, mirror := range h.Mirrors {
		endpoint := s.lend.text("the mirror", mirror)
		s.set(func(to *clientOptions, err **C.oci_chart_error) C.oci_chart_status {
			return C.oci_chart_client_options_add_mirror(to, name, endpoint, err)
		})
	}
	if h.MaxRequests > 0 || h.MaxRequestsPerMinute > 0 {
		s.set(func(to *clientOptions, err **C.oci_chart_error) C.oci_chart_status {
			return C.oci_chart_client_options_set_pace(to, name, C.uint32_t(max(h.MaxRequests, 0)), C.uint32_t(max(h.MaxRequestsPerMinute, 0)), err)
		})
	}
}

func (o *ClientOptions) setConnection(s *setter) {
	for _, pem := range o.RootCertificates {
		data, size := lent(pem)
		s.set(func(to *clientOptions, err **C.oci_chart_error) C.oci_chart_status {
			return C.oci_chart_client_options_add_root_certificate(to, data, size, err)
		})
	}
	if o.CertsDirectory != "" {
		directory := s.lend.text("the directory of certificates", o.CertsDirectory)
		s.set(func(to *clientOptions, err **C.oci_chart_error) C.oci_chart_status {
			return C.oci_chart_client_options_add_certs_directory(to, directory, err)
		})
	}
	if o.RegistriesYAML != nil {
		data, size := lent(o.RegistriesYAML)
		s.set(func(to *clientOptions, err **C.oci_chart_error) C.oci_chart_status {
			return C.oci_chart_client_options_add_registries_yaml(to, data, size, err)
		})
	}
	for _, mirror := range o.Mirrors {
		endpoint := s.lend.text("the mirror", mirror)
		s.set(func(to *clientOptions, err **C.oci_chart_error) C.oci_chart_status {
			return C.oci_chart_client_options_add_mirror(to, nil, endpoint, err)
		})
	}
	if o.Proxy != nil {
		proxy, but := s.lend.optional("the proxy", o.Proxy.URL), s.lend.optional("the hosts without a proxy", o.Proxy.NoProxy)
		s.set(func(to *clientOptions, err **C.oci_chart_error) C.oci_chart_status {
			return C.oci_chart_client_options_set_proxy(to, proxy, but, err)
		})
	}
}

func (o *ClientOptions) setTimes(s *setter) {
	if o.Attempts > 0 || o.FirstWait > 0 || o.MostWait > 0 {
		s.set(func(to *clientOptions, err **C.oci_chart_error) C.oci_chart_status {
			return C.oci_chart_client_options_set_retry(to, C.uint32_t(max(o.Attempts, 0)), milliseconds(o.FirstWait), milliseconds(o.MostWait), err)
		})
	}
	if o.ConnectTimeout > 0 || o.IdleTimeout > 0 || o.TokenTimeout > 0 || o.RequestTimeout > 0 {
		s.set(func(to *clientOptions, err **C.oci_chart_error) C.oci_chart_status {
			return C.oci_chart_client_options_set_timeouts(to, milliseconds(o.ConnectTimeout), milliseconds(o.IdleTimeout), milliseconds(o.TokenTimeout), milliseconds(o.RequestTimeout), err)
		})
	}
}

func (o *ClientOptions) setRest(s *setter) {
	for limit, value := range o.Limits {
		name := s.lend.text("the limit", limit)
		s.set(func(to *clientOptions, err **C.oci_chart_error) C.oci_chart_status {
			return C.oci_chart_client_options_set_limit(to, name, C.uint64_t(value), err)
		})
	}
	if o.Policy != nil {
		policy := s.lend.text("the policy", string(o.Policy))
		s.set(func(to *clientOptions, err **C.oci_chart_error) C.oci_chart_status {
			return C.oci_chart_client_options_set_policy(to, policy, err)
		})
	}
	if o.CacheDirectory != "" {
		directory := s.lend.text("the cache's directory", o.CacheDirectory)
		s.set(func(to *clientOptions, err **C.oci_chart_error) C.oci_chart_status {
			return C.oci_chart_client_options_set_cache(to, directory, C.uint64_t(o.CacheBytes), err)
		})
	}
}

// milliseconds are rounded up: what is set is never nothing.
func milliseconds(duration time.Duration) C.uint64_t {
	return C.uint64_t((max(duration, 0) + time.Millisecond - 1) / time.Millisecond)
}
