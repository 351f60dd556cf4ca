package ocichart

// #include "call.h"
import "C"

import (
	"context"
	"encoding/json"
)

// PullOptions says how a chart is pulled. Which trust is asked for must be said: Policy or WithoutVerification.
type PullOptions struct {
	// Version is a version or a range (^1.2). Empty: that of the target, else the newest release.
	Version string
	// Policy is a policy as JSON, which the chart's signatures must satisfy.
	Policy json.RawMessage
	// WithoutVerification takes what the target names without asking who made it. Digests and sizes are checked all the same.
	WithoutVerification bool
	// Provenance fetches the provenance file too, where there is one.
	Provenance bool
	// MaxPackageBytes is the largest package; zero for 1 GiB.
	MaxPackageBytes uint64
	// OnEvent hears what the call does. An error stops the call.
	OnEvent func(Event) error
}

// Pulled is a chart that was taken out of a store.
type Pulled struct {
	// Package is the chart's; Close closes it.
	Package *Package
	// Descriptor is that of the manifest.
	Descriptor Descriptor
	// Manifest is the manifest, byte for byte.
	Manifest []byte
	// Evidence says why the chart is trusted, as JSON; nil where no policy was asked for.
	Evidence json.RawMessage
	// Legacy says that the chart's layer has the type that only very old clients pushed, of which Helm warns.
	Legacy bool
}

// Pull pulls a chart. The target is oci://HOST/REPOSITORY[:TAG][@DIGEST] or oci-layout:DIRECTORY[:TAG][@DIGEST].
func (c *Client) Pull(ctx context.Context, target string, options *PullOptions) (*Pulled, error) {
	if options == nil {
		options = &PullOptions{}
	}
	var lend lender
	defer lend.free()
	from, version := lend.text("the target", target), lend.optional("the version", options.Version)
	with := C.oci_chart_pull_options{struct_size: C.sizeof_oci_chart_pull_options}
	with.policy = lend.optional("the policy", string(options.Policy))
	with.max_package_bytes = C.uint64_t(options.MaxPackageBytes)
	if options.WithoutVerification {
		with.flags |= C.OCI_CHART_PULL_WITHOUT_VERIFICATION
	}
	if options.Provenance {
		with.flags |= C.OCI_CHART_PULL_PROVENANCE
	}
	if err := lend.err(); err != nil {
		return nil, err
	}
	var found *C.oci_chart_pulled
	err := c.do(ctx, callbacks{event: options.OnEvent}, func(client *C.oci_chart_client, call *C.oci_chart_call, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_client_pull(client, from, version, &with, call, &found, err)
	})
	return newPulled(found, err)
}

// Close closes the package. Twice is once.
func (p *Pulled) Close() error {
	if p == nil {
		return nil
	}
	return p.Package.Close()
}

func newPulled(found *C.oci_chart_pulled, err error) (*Pulled, error) {
	if err != nil {
		return nil, err
	}
	defer C.oci_chart_pulled_free(found)
	var manifest *C.oci_chart_bytes
	var pack *C.oci_chart_package
	var failure *C.oci_chart_error
	descriptor, err := document[Descriptor](C.GoString(C.oci_chart_pulled_get_descriptor(found)))
	if err != nil {
		return nil, err
	}
	pulled := &Pulled{Descriptor: *descriptor, Legacy: C.oci_chart_pulled_is_legacy(found) == 1}
	if evidence := C.oci_chart_pulled_get_evidence(found); evidence != nil {
		pulled.Evidence = json.RawMessage(C.GoString(evidence))
	}
	if err := taken(C.oci_chart_pulled_get_manifest(found, &manifest, &failure), failure); err != nil {
		return nil, err
	}
	pulled.Manifest = tookBytes(manifest)
	status := C.oci_chart_pulled_get_package(found, &pack, &failure)
	if pulled.Package, err = newPackage(pack, taken(status, failure)); err != nil {
		return nil, err
	}
	return pulled, nil
}
