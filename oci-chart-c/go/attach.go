package ocichart

// #include "call.h"
import "C"

import (
	"context"
	"encoding/json"
	"time"
)

// Attachment is a document that is attached to a chart, unsigned: a bill of materials, the result of a scan, anything.
type Attachment struct {
	// ArtifactType says what it is; empty, it is a bill of materials (SPDX, CycloneDX) and tells itself.
	ArtifactType string
	Content      []byte
	// Title is a file name, under which `oras pull` stores it.
	Title string
	// LayerType is the type of the layer, if it is another than that of the artifact.
	LayerType string
	// Annotations are those of its manifest.
	Annotations map[string]string
	// Created is the annotation org.opencontainers.image.created; zero for none.
	Created time.Time
}

// Attestation is a statement about a chart.
type Attestation struct {
	// PredicateType is a URI or cosign's short name (slsaprovenance1); empty, the predicate is a bill of materials (SPDX, CycloneDX) and tells
	// itself.
	PredicateType string
	// Predicate goes into the statement as it stands.
	Predicate json.RawMessage
}

// AttachmentInfo says what an attachment claims to be. Its title is what a stranger wrote, and no path to be written to unseen.
type AttachmentInfo struct {
	ArtifactType string            `json:"artifactType"`
	LayerType    string            `json:"layerType"`
	Title        string            `json:"title,omitempty"`
	Annotations  map[string]string `json:"annotations,omitempty"`
	Bytes        int64             `json:"bytes"`
}

// Attach attaches a document to the chart that is meant, which is untouched. It gives the attachment's descriptor and whether it had to be
// written, as JSON.
func (c *Client) Attach(ctx context.Context, target, version string, attachment Attachment) (json.RawMessage, error) {
	var lend lender
	defer lend.free()
	kind, with := attachment.c(&lend)
	if err := lend.err(); err != nil {
		return nil, err
	}
	data, size := lent(attachment.Content)
	text, err := c.about(ctx, target, version, func(client *C.oci_chart_client, target, version *C.char, call *C.oci_chart_call, out **C.char, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_client_attach(client, target, version, kind, data, size, &with, call, out, err)
	})
	return json.RawMessage(text), err
}

// Tree is all that is attached to what is meant, and what is attached to that, as JSON. Nobody has checked what it claims to be.
func (c *Client) Tree(ctx context.Context, target, version string) (json.RawMessage, error) {
	text, err := c.about(ctx, target, version, func(client *C.oci_chart_client, target, version *C.char, call *C.oci_chart_call, out **C.char, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_client_tree(client, target, version, call, out, err)
	})
	return json.RawMessage(text), err
}

// FetchAttachment takes an attachment out by the digest of its manifest. The reader has its content, and is the caller's to close.
func (c *Client) FetchAttachment(ctx context.Context, target, digest string) (*Reader, *AttachmentInfo, error) {
	var lend lender
	defer lend.free()
	name := lend.text("the digest", digest)
	if err := lend.err(); err != nil {
		return nil, nil, err
	}
	var found *C.oci_chart_reader
	text, err := c.about(ctx, target, "", func(client *C.oci_chart_client, target, _ *C.char, call *C.oci_chart_call, out **C.char, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_client_fetch_attachment(client, target, name, call, &found, out, err)
	})
	if err != nil {
		return nil, nil, err
	}
	reader := newReader(ctx, callbacks{}, found)
	info, err := document[AttachmentInfo](text)
	if err != nil {
		reader.Close()
		return nil, nil, err
	}
	return reader, info, nil
}

// Attest signs a statement about the chart that is meant and attaches it as a bundle.
func (c *Client) Attest(ctx context.Context, target, version string, attestation Attestation, signer *Signer, options *SignOptions) (*Descriptor, error) {
	pointer, err := signer.use()
	if err != nil {
		return nil, err
	}
	defer signer.done()
	var lend lender
	defer lend.free()
	kind, predicate, with := lend.optional("the predicate's type", attestation.PredicateType), lend.text("the predicate", string(attestation.Predicate)), options.c(&lend)
	if err := lend.err(); err != nil {
		return nil, err
	}
	text, err := c.aboutWith(ctx, signing(signer), target, version, func(client *C.oci_chart_client, target, version *C.char, call *C.oci_chart_call, out **C.char, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_client_attest(client, target, version, kind, predicate, (*C.oci_chart_signer)(pointer), &with, call, out, err)
	})
	if err != nil {
		return nil, err
	}
	return document[Descriptor](text)
}

func (a *Attachment) c(lend *lender) (*C.char, C.oci_chart_attach_options) {
	with := C.oci_chart_attach_options{struct_size: C.sizeof_oci_chart_attach_options}
	with.title = lend.optional("the title", a.Title)
	with.layer_type = lend.optional("the layer's type", a.LayerType)
	with.annotations = lend.annotations(a.Annotations)
	if !a.Created.IsZero() {
		with.created, with.flags = C.uint64_t(a.Created.Unix()), C.OCI_CHART_ATTACH_CREATED
	}
	return lend.optional("the artifact's type", a.ArtifactType), with
}
