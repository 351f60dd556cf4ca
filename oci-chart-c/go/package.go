package ocichart

// #include "call.h"
import "C"

import (
	"context"
	"unsafe"
)

// Package is a packaged chart: its bytes, wherever they lie, and their digest. It never changes, so any number of goroutines may use it at
// once.
type Package struct {
	object
	digest string
	size   int64
}

// LoadPackage opens the package in a file, with the provenance file beside it (.prov) where there is one. The file is read again when it is
// pushed.
func LoadPackage(ctx context.Context, path string, options *LoadOptions) (*Package, error) {
	var lend lender
	defer lend.free()
	name := lend.text("path", path)
	if err := lend.err(); err != nil {
		return nil, err
	}
	var found *C.oci_chart_package
	with := options.c()
	err := do(ctx, callbacks{}, func(call *C.oci_chart_call, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_package_load(name, &with, call, &found, err)
	})
	return newPackage(found, err)
}

// ReadPackage makes a package of its bytes, which are copied.
func ReadPackage(ctx context.Context, archive []byte, options *LoadOptions) (*Package, error) {
	data, size := lent(archive)
	var found *C.oci_chart_package
	with := options.c()
	err := do(ctx, callbacks{}, func(call *C.oci_chart_call, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_package_load_bytes(data, size, &with, call, &found, err)
	})
	return newPackage(found, err)
}

func newPackage(found *C.oci_chart_package, err error) (*Package, error) {
	if err != nil {
		return nil, err
	}
	pack := &Package{
		digest: C.GoString(C.oci_chart_package_get_digest(found)),
		size:   int64(C.oci_chart_package_get_size(found)),
	}
	pack.init("package", unsafe.Pointer(found), func(p unsafe.Pointer) { C.oci_chart_package_free((*C.oci_chart_package)(p)) })
	return pack, nil
}

// Digest is that of the package's bytes.
func (p *Package) Digest() string { return p.digest }

// Size is how many bytes the package has.
func (p *Package) Size() int64 { return p.size }

// FileName is the package's name as Helm has it, NAME-VERSION.tgz.
func (p *Package) FileName() (string, error) {
	return p.text(func(p *C.oci_chart_package, out **C.char, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_package_get_file_name(p, out, err)
	})
}

// Metadata is what the Chart.yaml in the package says.
func (p *Package) Metadata() (*Metadata, error) {
	text, err := p.text(func(p *C.oci_chart_package, out **C.char, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_package_get_metadata(p, out, err)
	})
	if err != nil {
		return nil, err
	}
	return document[Metadata](text)
}

// Provenance is the provenance file of the package; nil where there is none.
func (p *Package) Provenance() ([]byte, error) {
	pointer, err := p.use()
	if err != nil {
		return nil, err
	}
	defer p.done()
	var out *C.oci_chart_bytes
	var failure *C.oci_chart_error
	if err := taken(C.oci_chart_package_get_provenance((*C.oci_chart_package)(pointer), &out, &failure), failure); err != nil {
		return nil, err
	}
	return tookBytes(out), nil
}

// WithProvenance is the same package with a provenance file, whose bytes are copied.
func (p *Package) WithProvenance(provenance []byte) (*Package, error) {
	pointer, err := p.use()
	if err != nil {
		return nil, err
	}
	defer p.done()
	data, size := lent(provenance)
	var out *C.oci_chart_package
	var failure *C.oci_chart_error
	status := C.oci_chart_package_with_provenance((*C.oci_chart_package)(pointer), data, size, &out, &failure)
	return newPackage(out, taken(status, failure))
}

// Chart is the chart in the package, which is loaded each time.
func (p *Package) Chart(ctx context.Context) (*Chart, error) {
	pointer, err := p.use()
	if err != nil {
		return nil, err
	}
	defer p.done()
	var found *C.oci_chart_chart
	err = do(ctx, callbacks{}, func(call *C.oci_chart_call, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_package_get_chart((*C.oci_chart_package)(pointer), call, &found, err)
	})
	return newChart(found, err)
}

// Write writes the package into a directory, which is made if it is not there, under Helm's name for it, and its provenance file beside it.
// Files appear whole or not at all and replace what was there. It gives the path of the package.
func (p *Package) Write(ctx context.Context, directory string) (string, error) {
	return p.place(ctx, directory, func(p *C.oci_chart_package, to *C.char, call *C.oci_chart_call, out **C.char, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_package_write(p, to, call, out, err)
	})
}

// Unpack unpacks the chart into a new directory of its own name below directory: whole, or not at all. It gives the path of the new one.
func (p *Package) Unpack(ctx context.Context, directory string) (string, error) {
	return p.place(ctx, directory, func(p *C.oci_chart_package, to *C.char, call *C.oci_chart_call, out **C.char, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_package_unpack(p, to, call, out, err)
	})
}

// Close frees the package as soon as no call uses it any more. Twice is once.
func (p *Package) Close() error {
	if p == nil {
		return nil
	}
	return p.close()
}

func (p *Package) text(ask func(*C.oci_chart_package, **C.char, **C.oci_chart_error) C.oci_chart_status) (string, error) {
	pointer, err := p.use()
	if err != nil {
		return "", err
	}
	defer p.done()
	var out *C.char
	var failure *C.oci_chart_error
	if err := taken(ask((*C.oci_chart_package)(pointer), &out, &failure), failure); err != nil {
		return "", err
	}
	return took(out), nil
}

// place writes to the disk.
func (p *Package) place(ctx context.Context, directory string, write func(*C.oci_chart_package, *C.char, *C.oci_chart_call, **C.char, **C.oci_chart_error) C.oci_chart_status) (string, error) {
	pointer, err := p.use()
	if err != nil {
		return "", err
	}
	defer p.done()
	var lend lender
	defer lend.free()
	to := lend.text("the directory", directory)
	if err := lend.err(); err != nil {
		return "", err
	}
	var out *C.char
	err = do(ctx, callbacks{}, func(call *C.oci_chart_call, err **C.oci_chart_error) C.oci_chart_status {
		return write((*C.oci_chart_package)(pointer), to, call, &out, err)
	})
	if err != nil {
		return "", err
	}
	return took(out), nil
}
