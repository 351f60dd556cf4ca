package ocichart

// #include "call.h"
import "C"

import (
	"context"
	"encoding/json"
	"time"
	"unsafe"
)

// VerifyOptions says how signatures are looked for; nil and the zero value are the default.
type VerifyOptions struct {
	// Signatures is the target where they lie; empty for beside the chart.
	Signatures string
	// Now is the time of the check; zero for now.
	Now time.Time
}

// Verified is a chart that satisfied a policy, and why: the proof without which [Client.PullVerified] gives nothing. Only [Client.Verify] and
// [Client.VerifySubchart] make one. It never changes, so any number of goroutines may use it at once.
type Verified struct {
	object
	descriptor Descriptor
	evidence   json.RawMessage
}

// Verify holds the signatures of the chart that is meant against a policy (JSON), and fails where it is not satisfied ([ErrNotSigned],
// [ErrSignatureInvalid], [ErrPolicyDenied]) or nobody can say ([ErrCouldNotCheck]); the error has the evidence then.
func (c *Client) Verify(ctx context.Context, target, version string, policy json.RawMessage, options *VerifyOptions) (*Verified, error) {
	var found *C.oci_chart_verified
	_, err := c.judge(ctx, target, version, policy, options, func(client *C.oci_chart_client, target, version, policy *C.char, with *C.oci_chart_verify_options, call *C.oci_chart_call, _ **C.char, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_client_verify(client, target, version, policy, with, call, &found, err)
	})
	if err != nil {
		return nil, err
	}
	return newVerified(found)
}

// VerifySubchart checks that a chart inside a chart is what its makers released in the repository target, file by file, and that the release
// satisfies the policy; it fails as [Client.Verify] does, with reason other-subject where it is another.
func (c *Client) VerifySubchart(ctx context.Context, subchart *Chart, target string, policy json.RawMessage, options *VerifyOptions) (*Verified, error) {
	pointer, err := subchart.use()
	if err != nil {
		return nil, err
	}
	defer subchart.done()
	var found *C.oci_chart_verified
	_, err = c.judge(ctx, target, "", policy, options, func(client *C.oci_chart_client, target, _, policy *C.char, with *C.oci_chart_verify_options, call *C.oci_chart_call, _ **C.char, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_client_verify_subchart(client, (*C.oci_chart_chart)(pointer), target, policy, with, call, &found, err)
	})
	if err != nil {
		return nil, err
	}
	return newVerified(found)
}

// PolicyFromFlux is what Flux is told to verify, as a policy: object is an OCIRepository, HelmChart or HelmRelease, YAML or JSON, and secrets the
// manifests of the Secrets that it names.
func PolicyFromFlux(object []byte, secrets ...[]byte) (json.RawMessage, error) {
	return imported(object, secrets, func(object, secrets *C.char, out **C.char, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_policy_from_flux(object, secrets, out, err)
	})
}

// PolicyFromClusterImagePolicy is what a ClusterImagePolicy of Sigstore's policy-controller demands, as a policy: object is its manifest, YAML or JSON,
// and secrets the manifests of the Secrets that it names; a trustRootRef names a Secret with the key trusted_root.json. Attestations, CUE and Rego are
// unsupported.
func PolicyFromClusterImagePolicy(object []byte, secrets ...[]byte) (json.RawMessage, error) {
	return imported(object, secrets, func(object, secrets *C.char, out **C.char, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_policy_from_cluster_image_policy(object, secrets, out, err)
	})
}

func imported(object []byte, secrets [][]byte, read func(object, secrets *C.char, out **C.char, err **C.oci_chart_error) C.oci_chart_status) (json.RawMessage, error) {
	var lend lender
	defer lend.free()
	texts := make([]string, len(secrets))
	for i, secret := range secrets {
		texts[i] = string(secret)
	}
	wanted, named := lend.text("the object", string(object)), lend.json(texts)
	if err := lend.err(); err != nil {
		return nil, err
	}
	var out *C.char
	var failure *C.oci_chart_error
	if err := taken(read(wanted, named, &out, &failure), failure); err != nil {
		return nil, err
	}
	return json.RawMessage(took(out)), nil
}

func newVerified(found *C.oci_chart_verified) (*Verified, error) {
	verified := &Verified{evidence: json.RawMessage(C.GoString(C.oci_chart_verified_get_evidence(found)))}
	verified.init("proof", unsafe.Pointer(found), func(p unsafe.Pointer) { C.oci_chart_verified_free((*C.oci_chart_verified)(p)) })
	descriptor, err := document[Descriptor](C.GoString(C.oci_chart_verified_get_descriptor(found)))
	if err != nil {
		verified.Close()
		return nil, err
	}
	verified.descriptor = *descriptor
	return verified, nil
}

// Descriptor is that of the manifest that was verified.
func (v *Verified) Descriptor() Descriptor { return v.descriptor }

// Evidence says why the chart is trusted, as JSON.
func (v *Verified) Evidence() json.RawMessage { return v.evidence }

// Close frees the proof as soon as no call uses it any more. Twice is once.
func (v *Verified) Close() error {
	if v == nil {
		return nil
	}
	return v.close()
}

// PullVerifiedOptions says how a verified chart is pulled; nil and the zero value are the default.
type PullVerifiedOptions struct {
	// Target is another repository that has the same; empty for where the chart was verified.
	Target string
	// OnEvent hears what the call does. An error stops the call.
	OnEvent func(Event) error
}

// PullVerified pulls what [Client.Verify] has checked, for whoever looks at the evidence in between: by its digest, whatever became of its tag.
func (c *Client) PullVerified(ctx context.Context, verified *Verified, options *PullVerifiedOptions) (*Pulled, error) {
	pointer, err := verified.use()
	if err != nil {
		return nil, err
	}
	defer verified.done()
	if options == nil {
		options = &PullVerifiedOptions{}
	}
	var lend lender
	defer lend.free()
	from := lend.optional("the target", options.Target)
	if err := lend.err(); err != nil {
		return nil, err
	}
	var found *C.oci_chart_pulled
	err = c.do(ctx, callbacks{event: options.OnEvent}, func(client *C.oci_chart_client, call *C.oci_chart_call, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_client_pull_verified(client, (*C.oci_chart_verified)(pointer), from, call, &found, err)
	})
	return newPulled(found, err)
}

// Examine holds the signatures of the chart that is meant against a policy (JSON) and tells what was found, as JSON, whatever it comes to.
func (c *Client) Examine(ctx context.Context, target, version string, policy json.RawMessage, options *VerifyOptions) (json.RawMessage, error) {
	text, err := c.judge(ctx, target, version, policy, options, func(client *C.oci_chart_client, target, version, policy *C.char, with *C.oci_chart_verify_options, call *C.oci_chart_call, out **C.char, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_client_examine(client, target, version, policy, with, call, out, err)
	})
	return json.RawMessage(text), err
}

// VerifiedAttestation is what satisfied a policy of attestations.
type VerifiedAttestation struct {
	// Statements are those that count, as JSON.
	Statements []json.RawMessage `json:"value"`
	// Evidence says why, as JSON.
	Evidence json.RawMessage `json:"evidence"`
}

// VerifyAttestation holds the attestations of the chart that is meant against a policy (JSON, one of attestations), and fails as
// [Client.Verify] does.
func (c *Client) VerifyAttestation(ctx context.Context, target, version string, policy json.RawMessage, options *VerifyOptions) (*VerifiedAttestation, error) {
	text, err := c.judge(ctx, target, version, policy, options, func(client *C.oci_chart_client, target, version, policy *C.char, with *C.oci_chart_verify_options, call *C.oci_chart_call, out **C.char, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_client_verify_attestation(client, target, version, policy, with, call, out, err)
	})
	if err != nil {
		return nil, err
	}
	return document[VerifiedAttestation](text)
}

// BundleCheck is a Sigstore bundle that lies beside any artifact, and what it is held against.
type BundleCheck struct {
	Bundle []byte
	// Artifact has the bytes that were signed, or Digest their digest alone.
	Artifact []byte
	Digest   string
	// Signer is JSON: {"key": PEM} or {"identities": [...]}.
	Signer json.RawMessage
	// TrustRoot is a trusted_root.json; nil for the one in the library.
	TrustRoot json.RawMessage
}

// VerifyBundle checks a bundle without a network, as `cosign verify-blob` does. It gives who signed, and when, as JSON.
func VerifyBundle(check BundleCheck) (json.RawMessage, error) {
	var lend lender
	defer lend.free()
	digest, signer, root := lend.optional("the digest", check.Digest), lend.text("the signer", string(check.Signer)), lend.optional("the trust root", string(check.TrustRoot))
	if err := lend.err(); err != nil {
		return nil, err
	}
	bundle, bundleSize := lent(check.Bundle)
	artifact, artifactSize := lent(check.Artifact)
	var out *C.char
	var failure *C.oci_chart_error
	status := C.oci_chart_verify_bundle(bundle, bundleSize, artifact, artifactSize, digest, signer, root, &out, &failure)
	if err := taken(status, failure); err != nil {
		return nil, err
	}
	return json.RawMessage(took(out)), nil
}

func (c *Client) judge(ctx context.Context, target, version string, policy json.RawMessage, options *VerifyOptions, work func(client *C.oci_chart_client, target, version, policy *C.char, with *C.oci_chart_verify_options, call *C.oci_chart_call, out **C.char, err **C.oci_chart_error) C.oci_chart_status) (string, error) {
	var lend lender
	defer lend.free()
	wanted := lend.text("the policy", string(policy))
	with := C.oci_chart_verify_options{struct_size: C.sizeof_oci_chart_verify_options}
	if options != nil {
		with.signatures = lend.optional("the place of the signatures", options.Signatures)
		if !options.Now.IsZero() {
			with.now, with.flags = C.uint64_t(options.Now.Unix()), C.OCI_CHART_VERIFY_NOW
		}
	}
	if err := lend.err(); err != nil {
		return "", err
	}
	return c.about(ctx, target, version, func(client *C.oci_chart_client, target, version *C.char, call *C.oci_chart_call, out **C.char, err **C.oci_chart_error) C.oci_chart_status {
		return work(client, target, version, wanted, &with, call, out, err)
	})
}
