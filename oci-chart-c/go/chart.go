package ocichart

// #include "call.h"
import "C"

import (
	"context"
	"time"
	"unsafe"
)

// LoadOptions says how charts and packages are loaded; nil and the zero value are the default.
type LoadOptions struct {
	// FollowOutsideSymlinks follows symbolic links that lead out of the chart's directory, as Helm does. Only for directories that are known.
	FollowOutsideSymlinks bool
	// Strict refuses a package with something wrong behind its last file, where Helm never looks.
	Strict bool
	// MaxFileBytes is the largest file; zero for Helm's 5 MiB.
	MaxFileBytes uint64
	// MaxTotalBytes is the largest chart, unpacked; zero for Helm's 100 MiB.
	MaxTotalBytes uint64
}

// PackageOptions says how a chart is packaged; nil and the zero value are the default.
type PackageOptions struct {
	// Version is another version than Chart.yaml has, in the package only.
	Version string
	// AppVersion is another appVersion.
	AppVersion string
	// Time is that of every entry. Zero: SOURCE_DATE_EPOCH says it, else a constant.
	Time time.Time
	// Threads compress at most; zero for two. The bytes do not depend on it.
	Threads int
}

// Chart is a chart as Helm loads it. It never changes, so any number of goroutines may use it at once.
type Chart struct {
	object
	metadata Metadata
}

// LoadChart loads a directory with a Chart.yaml, or a package (.tgz).
func LoadChart(ctx context.Context, path string, options *LoadOptions) (*Chart, error) {
	var lend lender
	defer lend.free()
	name := lend.text("path", path)
	if err := lend.err(); err != nil {
		return nil, err
	}
	var found *C.oci_chart_chart
	with := options.c()
	err := do(ctx, callbacks{}, func(call *C.oci_chart_call, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_chart_load(name, &with, call, &found, err)
	})
	return newChart(found, err)
}

// ReadChart loads the chart whose package (.tgz) this is.
func ReadChart(ctx context.Context, archive []byte, options *LoadOptions) (*Chart, error) {
	data, size := lent(archive)
	var found *C.oci_chart_chart
	with := options.c()
	err := do(ctx, callbacks{}, func(call *C.oci_chart_call, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_chart_load_bytes(data, size, &with, call, &found, err)
	})
	return newChart(found, err)
}

func newChart(found *C.oci_chart_chart, err error) (*Chart, error) {
	if err != nil {
		return nil, err
	}
	chart := &Chart{}
	chart.init("chart", unsafe.Pointer(found), func(p unsafe.Pointer) { C.oci_chart_chart_free((*C.oci_chart_chart)(p)) })
	metadata, err := document[Metadata](C.GoString(C.oci_chart_chart_get_metadata(found)))
	if err != nil {
		chart.Close()
		return nil, err
	}
	chart.metadata = *metadata
	return chart, nil
}

// Name is that of Chart.yaml.
func (c *Chart) Name() string { return c.metadata.Name }

// Version is that of Chart.yaml.
func (c *Chart) Version() string { return c.metadata.Version }

// Metadata is what Chart.yaml says. It is the caller's to change, but what it points to is not.
func (c *Chart) Metadata() Metadata { return c.metadata }

// MetadataYAML is what Chart.yaml says, as `helm show chart` prints it.
func (c *Chart) MetadataYAML() (string, error) {
	return c.text(func(c *C.oci_chart_chart, out **C.char, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_chart_get_metadata_yaml(c, out, err)
	})
}

// Values is values.yaml, byte for byte; nil where the chart has none.
func (c *Chart) Values() ([]byte, error) {
	return c.bytes(func(c *C.oci_chart_chart, out **C.oci_chart_bytes, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_chart_get_values(c, out, err)
	})
}

// Schema is values.schema.json, byte for byte; nil where the chart has none.
func (c *Chart) Schema() ([]byte, error) {
	return c.bytes(func(c *C.oci_chart_chart, out **C.oci_chart_bytes, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_chart_get_schema(c, out, err)
	})
}

// Readme is the readme, byte for byte; nil where the chart has none.
func (c *Chart) Readme() ([]byte, error) {
	return c.bytes(func(c *C.oci_chart_chart, out **C.oci_chart_bytes, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_chart_get_readme(c, out, err)
	})
}

// CRDs are all custom resource definitions, those of dependencies included, as one YAML stream.
func (c *Chart) CRDs() ([]byte, error) {
	return c.bytes(func(c *C.oci_chart_chart, out **C.oci_chart_bytes, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_chart_get_crds(c, out, err)
	})
}

// ChartFile is one of a chart's own files.
type ChartFile struct {
	Path  string `json:"path"`
	Bytes int64  `json:"bytes"`
}

// Files are the chart's own files but Chart.yaml and Chart.lock: values, schema, templates, then everything else, in load order. Those of the
// charts inside it are not among them.
func (c *Chart) Files() ([]ChartFile, error) {
	text, err := c.text(func(c *C.oci_chart_chart, out **C.char, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_chart_get_files(c, out, err)
	})
	if err != nil {
		return nil, err
	}
	found, err := document[[]ChartFile](text)
	if err != nil {
		return nil, err
	}
	return *found, nil
}

// ReadFile is one of the files that [Chart.Files] lists, byte for byte.
func (c *Chart) ReadFile(path string) ([]byte, error) {
	var lend lender
	defer lend.free()
	name := lend.text("the path", path)
	if err := lend.err(); err != nil {
		return nil, err
	}
	return c.bytes(func(c *C.oci_chart_chart, out **C.oci_chart_bytes, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_chart_read_file(c, name, out, err)
	})
}

// Subchart names a chart inside of a chart.
type Subchart struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Dependencies are the charts inside the chart, sorted by name.
func (c *Chart) Dependencies() ([]Subchart, error) {
	text, err := c.text(func(c *C.oci_chart_chart, out **C.char, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_chart_get_dependencies(c, out, err)
	})
	if err != nil {
		return nil, err
	}
	found, err := document[[]Subchart](text)
	if err != nil {
		return nil, err
	}
	return *found, nil
}

// Package packs the chart: the same bytes for the same chart and options, on every machine.
func (c *Chart) Package(ctx context.Context, options *PackageOptions) (*Package, error) {
	pointer, err := c.use()
	if err != nil {
		return nil, err
	}
	defer c.done()
	if options == nil {
		options = &PackageOptions{}
	}
	var lend lender
	defer lend.free()
	with := C.oci_chart_package_options{struct_size: C.sizeof_oci_chart_package_options}
	with.version = lend.optional("the version", options.Version)
	with.app_version = lend.optional("the appVersion", options.AppVersion)
	with.threads = C.uint32_t(max(options.Threads, 0))
	if !options.Time.IsZero() {
		with.time, with.flags = C.uint64_t(options.Time.Unix()), C.OCI_CHART_PACKAGE_TIME
	}
	if err := lend.err(); err != nil {
		return nil, err
	}
	var found *C.oci_chart_package
	err = do(ctx, callbacks{}, func(call *C.oci_chart_call, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_chart_package((*C.oci_chart_chart)(pointer), &with, call, &found, err)
	})
	return newPackage(found, err)
}

// Close frees the chart as soon as no call uses it any more. Twice is once.
func (c *Chart) Close() error {
	if c == nil {
		return nil
	}
	return c.close()
}

func (c *Chart) text(ask func(*C.oci_chart_chart, **C.char, **C.oci_chart_error) C.oci_chart_status) (string, error) {
	pointer, err := c.use()
	if err != nil {
		return "", err
	}
	defer c.done()
	var out *C.char
	var failure *C.oci_chart_error
	if err := taken(ask((*C.oci_chart_chart)(pointer), &out, &failure), failure); err != nil {
		return "", err
	}
	return took(out), nil
}

func (c *Chart) bytes(ask func(*C.oci_chart_chart, **C.oci_chart_bytes, **C.oci_chart_error) C.oci_chart_status) ([]byte, error) {
	pointer, err := c.use()
	if err != nil {
		return nil, err
	}
	defer c.done()
	var out *C.oci_chart_bytes
	var failure *C.oci_chart_error
	if err := taken(ask((*C.oci_chart_chart)(pointer), &out, &failure), failure); err != nil {
		return nil, err
	}
	return tookBytes(out), nil
}

func (o *LoadOptions) c() C.oci_chart_load_options {
	with := C.oci_chart_load_options{struct_size: C.sizeof_oci_chart_load_options}
	if o == nil {
		return with
	}
	if o.FollowOutsideSymlinks {
		with.flags |= C.OCI_CHART_LOAD_FOLLOW_OUTSIDE_SYMLINKS
	}
	if o.Strict {
		with.flags |= C.OCI_CHART_LOAD_STRICT
	}
	with.max_file_bytes, with.max_total_bytes = C.uint64_t(o.MaxFileBytes), C.uint64_t(o.MaxTotalBytes)
	return with
}
