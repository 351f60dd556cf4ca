package ocichart

// #include <oci_chart.h>
import "C"

import (
	"sync"
	"unsafe"
)

// KeyRule is how the keys of a pull secret are held against a repository.
type KeyRule int32

// The rules of keys.
const (
	// DockerKeys: a key means its host, whatever path follows; Helm and Flux's HelmRepository share it.
	DockerKeys KeyRule = C.OCI_CHART_KEY_RULE_DOCKER
	// PodmanKeys: a key with a path means the repositories below it and no others.
	PodmanKeys KeyRule = C.OCI_CHART_KEY_RULE_PODMAN
	// KubeletKeys: stars within the parts of the host, equal ports, the path as a plain prefix; Flux's OCIRepository shares it.
	KubeletKeys KeyRule = C.OCI_CHART_KEY_RULE_KUBELET
)

// PullSecret has logins as Kubernetes keeps them for registries. Closing it wipes it.
type PullSecret struct {
	object
	// Reading may be done by many at once, changing by one.
	logins sync.RWMutex
}

// NewPullSecret makes a secret without logins.
func NewPullSecret() *PullSecret { return newPullSecret(C.oci_chart_pull_secret_new()) }

// ParsePullSecret reads a Secret as a manifest, YAML or JSON: a docker configuration, or username and password.
func ParsePullSecret(manifest []byte) (*PullSecret, error) {
	data, size := lent(manifest)
	var found *C.oci_chart_pull_secret
	var failure *C.oci_chart_error
	if err := taken(C.oci_chart_pull_secret_parse(data, size, &found, &failure), failure); err != nil {
		return nil, err
	}
	return newPullSecret(found), nil
}

func newPullSecret(found *C.oci_chart_pull_secret) *PullSecret {
	secret := &PullSecret{}
	secret.init("pull secret", unsafe.Pointer(found), func(p unsafe.Pointer) { C.oci_chart_pull_secret_free((*C.oci_chart_pull_secret)(p)) })
	return secret
}

// AddLogin adds a login for a host, or replaces the one that is there.
func (s *PullSecret) AddLogin(host, user, password string) error {
	s.logins.Lock()
	defer s.logins.Unlock()
	pointer, err := s.use()
	if err != nil {
		return err
	}
	defer s.done()
	var lend lender
	defer lend.free()
	name, who, secret := lend.text("the host", host), lend.text("the user", user), lend.text("the password", password)
	if err := lend.err(); err != nil {
		return err
	}
	var failure *C.oci_chart_error
	return taken(C.oci_chart_pull_secret_add_login((*C.oci_chart_pull_secret)(pointer), name, who, secret, &failure), failure)
}

// User is the user's name that the secret holds for a repository, which may be empty for the host alone; false where it has none.
func (s *PullSecret) User(host, repository string, rule KeyRule) (string, bool, error) {
	var lend lender
	defer lend.free()
	name, path := lend.text("the host", host), lend.optional("the repository", repository)
	if err := lend.err(); err != nil {
		return "", false, err
	}
	found := false
	user, err := s.text(func(s *C.oci_chart_pull_secret, out **C.char, err **C.oci_chart_error) C.oci_chart_status {
		status := C.oci_chart_pull_secret_get_user(s, name, path, C.int32_t(rule), out, err)
		found = *out != nil
		return status
	})
	return user, found, err
}

// Manifest is that of a Secret, for imagePullSecrets and for the sources of Flux and Argo CD, with its logins in clear. The namespace may be
// empty.
func (s *PullSecret) Manifest(name, namespace string) (string, error) {
	var lend lender
	defer lend.free()
	called, in := lend.text("the name", name), lend.optional("the namespace", namespace)
	if err := lend.err(); err != nil {
		return "", err
	}
	return s.text(func(s *C.oci_chart_pull_secret, out **C.char, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_pull_secret_to_manifest(s, called, in, out, err)
	})
}

// DockerConfig is the docker configuration in the secret, as .dockerconfigjson holds it, with its logins in clear.
func (s *PullSecret) DockerConfig() (string, error) {
	return s.text(func(s *C.oci_chart_pull_secret, out **C.char, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_pull_secret_to_docker_config(s, out, err)
	})
}

// Close frees and wipes the secret as soon as no call uses it any more. Twice is once.
func (s *PullSecret) Close() error {
	if s == nil {
		return nil
	}
	return s.close()
}

func (s *PullSecret) text(ask func(*C.oci_chart_pull_secret, **C.char, **C.oci_chart_error) C.oci_chart_status) (string, error) {
	s.logins.RLock()
	defer s.logins.RUnlock()
	pointer, err := s.use()
	if err != nil {
		return "", err
	}
	defer s.done()
	var out *C.char
	var failure *C.oci_chart_error
	if err := taken(ask((*C.oci_chart_pull_secret)(pointer), &out, &failure), failure); err != nil {
		return "", err
	}
	return took(out), nil
}
