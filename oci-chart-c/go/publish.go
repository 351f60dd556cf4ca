package ocichart

// #include "call.h"
import "C"

import (
	"context"
	"encoding/json"
)

// Publication is what a chart is published with. The zero value is the chart alone.
type Publication struct {
	// Signers sign the chart, and each of the Attestations.
	Signers []*Signer
	// Sign says how.
	Sign *SignOptions
	// Attachments are attached unsigned.
	Attachments []Attachment
	// Attestations are said and signed by each of the Signers.
	Attestations []Attestation
}

// Published is what was done.
type Published struct {
	Chart struct {
		Descriptor Descriptor `json:"descriptor"`
		Tag        string     `json:"tag"`
		Action     string     `json:"action"`
	} `json:"chart"`
	// Signatures are in the order of the signers, as JSON.
	Signatures []json.RawMessage `json:"signatures"`
	// Attachments are the manifests of those, in their order.
	Attachments []Descriptor `json:"attachments"`
	// Attestations are the manifests of those: of the first signer in their order, then of the next.
	Attestations []Descriptor `json:"attestations"`
}

// Publish pushes the package to the target (as [Client.Push] has it) with all that belongs to it, so that nobody who looks at the tag ever sees
// less. Run again after a failure it does what is missing.
func (c *Client) Publish(ctx context.Context, pack *Package, target string, publication Publication, options *PushOptions) (*Published, error) {
	pointer, err := pack.use()
	if err != nil {
		return nil, err
	}
	defer pack.done()
	if options == nil {
		options = &PushOptions{}
	}
	what := C.oci_chart_publication_new()
	defer C.oci_chart_publication_free(what)
	if err := publication.fill(what); err != nil {
		return nil, err
	}
	var lend lender
	defer lend.free()
	to, with := lend.text("the target", target), options.c(&lend)
	if err := lend.err(); err != nil {
		return nil, err
	}
	callbacks := signing(publication.Signers...)
	callbacks.event = options.OnEvent
	text, err := c.text(ctx, callbacks, func(client *C.oci_chart_client, call *C.oci_chart_call, out **C.char, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_client_publish(client, (*C.oci_chart_package)(pointer), to, what, &with, call, out, err)
	})
	if err != nil {
		return nil, err
	}
	return document[Published](text)
}

func (p *Publication) fill(what *C.oci_chart_publication) error {
	var lend lender
	defer lend.free()
	with := p.Sign.c(&lend)
	if err := lend.err(); err != nil {
		return err
	}
	var failure *C.oci_chart_error
	if err := taken(C.oci_chart_publication_set_sign_options(what, &with, &failure), failure); err != nil {
		return err
	}
	for _, signer := range p.Signers {
		pointer, err := signer.use()
		if err != nil {
			return err
		}
		// It may be closed afterwards.
		err = taken(C.oci_chart_publication_add_signer(what, (*C.oci_chart_signer)(pointer), &failure), failure)
		signer.done()
		if err != nil {
			return err
		}
	}
	for _, attachment := range p.Attachments {
		kind, with := attachment.c(&lend)
		if err := lend.err(); err != nil {
			return err
		}
		data, size := lent(attachment.Content)
		if err := taken(C.oci_chart_publication_add_attachment(what, kind, data, size, &with, &failure), failure); err != nil {
			return err
		}
	}
	for _, attestation := range p.Attestations {
		kind, predicate := lend.optional("the predicate's type", attestation.PredicateType), lend.text("the predicate", string(attestation.Predicate))
		if err := lend.err(); err != nil {
			return err
		}
		if err := taken(C.oci_chart_publication_add_attestation(what, kind, predicate, &failure), failure); err != nil {
			return err
		}
	}
	return nil
}
