package ocichart

// #include "call.h"
import "C"

import (
	"context"
	"encoding/json"
	"time"
)

// SignFormat is where a signature is kept.
type SignFormat uint32

// The formats of signatures, which can be joined by |.
const (
	// SignBundle: a Sigstore bundle among the referrers, which cosign 3, Flux and Artifact Hub read.
	SignBundle SignFormat = C.OCI_CHART_SIGN_BUNDLE
	// SignTag: a layer behind the tag sha256-HEX.sig, which cosign 1 and 2, podman and older Flux read.
	SignTag SignFormat = C.OCI_CHART_SIGN_TAG
)

// SignOptions says how a chart is signed; nil and the zero value are the default.
type SignOptions struct {
	// Formats; zero is SignBundle.
	Formats SignFormat
	// Annotations are signed beside the digest.
	Annotations map[string]string
	// Identity is the repository that the payload of SignTag names, as host/path; empty for the chart's own.
	Identity string
	// Signatures is the target where the signatures go; empty for beside the chart.
	Signatures string
	// Created is the bundle's annotation org.opencontainers.image.created; zero for none.
	Created time.Time
	// Anyway adds a signature though a good one of the same key over the same words is there.
	Anyway bool
}

// VerifyOptions says how signatures are looked for; nil and the zero value are the default.
type VerifyOptions struct {
	// Signatures is the target where they lie; empty for beside the chart.
	Signatures string
	// Now is the time of the check; zero for now.
	Now time.Time
}

// Verified is what satisfied a policy.
type Verified[T any] struct {
	Value T `json:"value"`
	// Evidence says why, as JSON.
	Evidence json.RawMessage `json:"evidence"`
}

// Sign signs the manifest that is meant and puts the signature beside it; the chart is untouched. It gives what the signature is kept in, as
// JSON.
func (c *Client) Sign(ctx context.Context, target, version string, signer *Signer, options *SignOptions) (json.RawMessage, error) {
	pointer, err := signer.use()
	if err != nil {
		return nil, err
	}
	defer signer.done()
	var lend lender
	defer lend.free()
	with := options.c(&lend)
	if err := lend.err(); err != nil {
		return nil, err
	}
	text, err := c.aboutWith(ctx, signing(signer), target, version, func(client *C.oci_chart_client, target, version *C.char, call *C.oci_chart_call, out **C.char, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_client_sign(client, target, version, (*C.oci_chart_signer)(pointer), &with, call, out, err)
	})
	return json.RawMessage(text), err
}

// Verify holds the signatures of the chart that is meant against a policy (JSON), and fails where it is not satisfied ([ErrNotSigned],
// [ErrSignatureInvalid], [ErrPolicyDenied]) or nobody can say ([ErrCouldNotCheck]); the error has the evidence then. Pulling the digest that it
// gives takes what was verified.
func (c *Client) Verify(ctx context.Context, target, version string, policy json.RawMessage, options *VerifyOptions) (*Verified[Descriptor], error) {
	text, err := c.judge(ctx, target, version, policy, options, func(client *C.oci_chart_client, target, version, policy *C.char, with *C.oci_chart_verify_options, call *C.oci_chart_call, out **C.char, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_client_verify(client, target, version, policy, with, call, out, err)
	})
	if err != nil {
		return nil, err
	}
	return document[Verified[Descriptor]](text)
}

// Examine holds the signatures of the chart that is meant against a policy (JSON) and tells what was found, as JSON, whatever it comes to.
func (c *Client) Examine(ctx context.Context, target, version string, policy json.RawMessage, options *VerifyOptions) (json.RawMessage, error) {
	text, err := c.judge(ctx, target, version, policy, options, func(client *C.oci_chart_client, target, version, policy *C.char, with *C.oci_chart_verify_options, call *C.oci_chart_call, out **C.char, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_client_examine(client, target, version, policy, with, call, out, err)
	})
	return json.RawMessage(text), err
}

// VerifyAttestation holds the attestations of the chart that is meant against a policy (JSON, one of attestations), and fails as
// [Client.Verify] does.
func (c *Client) VerifyAttestation(ctx context.Context, target, version string, policy json.RawMessage, options *VerifyOptions) (*Verified[[]json.RawMessage], error) {
	text, err := c.judge(ctx, target, version, policy, options, func(client *C.oci_chart_client, target, version, policy *C.char, with *C.oci_chart_verify_options, call *C.oci_chart_call, out **C.char, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_client_verify_attestation(client, target, version, policy, with, call, out, err)
	})
	if err != nil {
		return nil, err
	}
	return document[Verified[[]json.RawMessage]](text)
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

func (o *SignOptions) c(lend *lender) C.oci_chart_sign_options {
	with := C.oci_chart_sign_options{struct_size: C.sizeof_oci_chart_sign_options}
	if o == nil {
		return with
	}
	with.annotations = lend.annotations(o.Annotations)
	with.identity = lend.optional("the identity", o.Identity)
	with.signatures = lend.optional("the place of the signatures", o.Signatures)
	with.flags = C.uint32_t(o.Formats)
	if !o.Created.IsZero() {
		with.created = C.uint64_t(o.Created.Unix())
		with.flags |= C.OCI_CHART_SIGN_CREATED
	}
	if o.Anyway {
		with.flags |= C.OCI_CHART_SIGN_ANYWAY
	}
	return with
}
