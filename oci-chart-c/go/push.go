package ocichart

// #include "call.h"
import "C"

import (
	"context"
	"strings"
	"time"
)

// TagMode is what may happen to a tag that exists.
type TagMode int32

// The modes of tags.
const (
	// Create: the tag must be new.
	Create TagMode = C.OCI_CHART_TAG_MODE_CREATE
	// Ensure: the tag must be new, or point at the same content already, which is fine.
	Ensure TagMode = C.OCI_CHART_TAG_MODE_ENSURE
	// Replace: the tag is moved, wherever it points.
	Replace TagMode = C.OCI_CHART_TAG_MODE_REPLACE
	// Expect: the tag must point at the digest that is expected.
	Expect TagMode = C.OCI_CHART_TAG_MODE_EXPECT
)

// PushOptions says how a package is pushed; nil and the zero value are the default.
type PushOptions struct {
	// Mode says what may happen if the version exists; by default it must not.
	Mode TagMode
	// ExpectedDigest is what the tag must point at now, with Expect.
	ExpectedDigest string
	// Created is the annotation org.opencontainers.image.created. Zero: SOURCE_DATE_EPOCH says it, else there is none.
	Created time.Time
	// Channels are more tags for the same manifest, moved wherever they point.
	Channels []string
	// HelmLayerOrder orders the layers by digest, as Helm does; it only matters beside a provenance file.
	HelmLayerOrder bool
	// OnEvent hears what the call does. An error stops the call.
	OnEvent func(Event) error
}

// Pushed is what a push did.
type Pushed struct {
	// Location is the repository or layout.
	Location string `json:"location"`
	// Tag is that of the version.
	Tag string `json:"tag"`
	// Action is pushed, unchanged or same-chart.
	Action string `json:"action"`
	// Descriptor is that of the manifest.
	Descriptor Descriptor `json:"descriptor"`
}

// Push pushes the package under its version's tag. The target is oci://HOST[/PATH], below which the chart's name is the repository, or
// oci-layout:DIRECTORY.
func (c *Client) Push(ctx context.Context, pack *Package, target string, options *PushOptions) (*Pushed, error) {
	pointer, err := pack.use()
	if err != nil {
		return nil, err
	}
	defer pack.done()
	if options == nil {
		options = &PushOptions{}
	}
	var lend lender
	defer lend.free()
	to, with := lend.text("the target", target), options.c(&lend)
	if err := lend.err(); err != nil {
		return nil, err
	}
	var out *C.char
	err = c.do(ctx, callbacks{event: options.OnEvent}, func(client *C.oci_chart_client, call *C.oci_chart_call, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_client_push(client, (*C.oci_chart_package)(pointer), to, &with, call, &out, err)
	})
	if err != nil {
		return nil, err
	}
	return document[Pushed](took(out))
}

func (o *PushOptions) c(lend *lender) C.oci_chart_push_options {
	with := C.oci_chart_push_options{struct_size: C.sizeof_oci_chart_push_options, mode: C.int32_t(o.Mode)}
	with.expected_digest = lend.optional("the expected digest", o.ExpectedDigest)
	with.channels = lend.optional("a channel", strings.Join(o.Channels, ","))
	if !o.Created.IsZero() {
		with.created = C.uint64_t(o.Created.Unix())
		with.flags |= C.OCI_CHART_PUSH_CREATED
	}
	if o.HelmLayerOrder {
		with.flags |= C.OCI_CHART_PUSH_HELM_LAYER_ORDER
	}
	return with
}
