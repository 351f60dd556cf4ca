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
