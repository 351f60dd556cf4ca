package ocichart

// #include "call.h"
import "C"

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/cgo"
	"sync"
	"unsafe"
)

// Reader gives content in pieces, and checks its digest at the end: whoever reads until io.EOF has the right bytes. It is read by one goroutine
// at a time; any may close it, which ends a read that works.
type Reader struct {
	object
	ctx    context.Context
	cancel context.CancelFunc
	with   callbacks
	read   sync.Mutex
	failed error
}

var _ io.ReadCloser = (*Reader)(nil)

// OpenBlob gives content of a repository in pieces, all of them within the context.
func (c *Client) OpenBlob(ctx context.Context, target string, descriptor Descriptor) (*Reader, error) {
	var lend lender
	defer lend.free()
	place, what := lend.text("the target", target), lend.json(descriptor)
	if err := lend.err(); err != nil {
		return nil, err
	}
	pointer, err := c.use()
	if err != nil {
		return nil, err
	}
	defer c.done()
	var found *C.oci_chart_reader
	var failure *C.oci_chart_error
	if err := taken(C.oci_chart_client_open_blob((*C.oci_chart_client)(pointer), place, what, &found, &failure), failure); err != nil {
		return nil, err
	}
	return newReader(ctx, c.callbacks(), found), nil
}

// Open gives the package's bytes in pieces, all of them within the context.
func (p *Package) Open(ctx context.Context) (*Reader, error) {
	pointer, err := p.use()
	if err != nil {
		return nil, err
	}
	defer p.done()
	var found *C.oci_chart_reader
	var failure *C.oci_chart_error
	if err := taken(C.oci_chart_package_open((*C.oci_chart_package)(pointer), &found, &failure), failure); err != nil {
		return nil, err
	}
	return newReader(ctx, callbacks{}, found), nil
}

func newReader(ctx context.Context, with callbacks, found *C.oci_chart_reader) *Reader {
	reader := &Reader{with: with}
	reader.ctx, reader.cancel = context.WithCancel(ctx)
	reader.init("reader", unsafe.Pointer(found), func(p unsafe.Pointer) { C.oci_chart_reader_free((*C.oci_chart_reader)(p)) })
	return reader
}

// Read gives the next bytes, and io.EOF after the last ones, which were the right ones then.
func (r *Reader) Read(buffer []byte) (int, error) {
	r.read.Lock()
	defer r.read.Unlock()
	pointer, err := r.use()
	if err != nil {
		return 0, err
	}
	defer r.done()
	if r.failed != nil {
		return 0, r.failed
	}
	if len(buffer) == 0 {
		return 0, nil
	}
	data, size := lent(buffer)
	var count C.size_t
	err = do(r.ctx, r.with, func(call *C.oci_chart_call, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_reader_read((*C.oci_chart_reader)(pointer), data, size, call, &count, err)
	})
	switch {
	case err != nil:
		r.failed = err
	case count == 0:
		r.failed = io.EOF
	}
	return int(count), r.failed
}

// Close frees the reader; what was not read is not fetched. Twice is once.
func (r *Reader) Close() error {
	if r == nil {
		return nil
	}
	if r.cancel != nil {
		r.cancel()
	}
	return r.close()
}

// FetchBlob puts content of a repository into a file, which appears whole and checked or not at all.
func (c *Client) FetchBlob(ctx context.Context, target string, descriptor Descriptor, path string) error {
	var lend lender
	defer lend.free()
	what, to := lend.json(descriptor), lend.text("the path", path)
	if err := lend.err(); err != nil {
		return err
	}
	_, err := c.about(ctx, target, "", func(client *C.oci_chart_client, target, _ *C.char, call *C.oci_chart_call, _ **C.char, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_client_fetch_blob(client, target, what, to, call, err)
	})
	return err
}

// HasBlob tells whether a repository has this content; the media type tells manifests from other content. That it cannot be said is an error.
func (c *Client) HasBlob(ctx context.Context, target string, descriptor Descriptor) (bool, error) {
	var lend lender
	defer lend.free()
	what := lend.json(descriptor)
	if err := lend.err(); err != nil {
		return false, err
	}
	var found C.int32_t
	_, err := c.about(ctx, target, "", func(client *C.oci_chart_client, target, _ *C.char, call *C.oci_chart_call, _ **C.char, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_client_has_blob(client, target, what, call, &found, err)
	})
	return found == 1, err
}

// StoreOptions says under which tag a manifest is stored; nil and the zero value are none.
type StoreOptions struct {
	// Tag points at the manifest then.
	Tag string
	// Mode says what may happen if the tag exists; by default it must not.
	Mode TagMode
	// ExpectedDigest is what the tag must point at now, with Expect.
	ExpectedDigest string
}

// StoreBlob puts bytes into a repository, as content of this media type.
func (c *Client) StoreBlob(ctx context.Context, target, mediaType string, content []byte, options *StoreOptions) (*Descriptor, error) {
	if options == nil {
		options = &StoreOptions{}
	}
	var lend lender
	defer lend.free()
	kind, name := lend.text("the media type", mediaType), lend.optional("the tag", options.Tag)
	expected := lend.optional("the expected digest", options.ExpectedDigest)
	if err := lend.err(); err != nil {
		return nil, err
	}
	data, size := lent(content)
	text, err := c.about(ctx, target, "", func(client *C.oci_chart_client, target, _ *C.char, call *C.oci_chart_call, out **C.char, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_client_store_blob(client, target, kind, data, size, name, C.int32_t(options.Mode), expected, call, out, err)
	})
	if err != nil {
		return nil, err
	}
	return document[Descriptor](text)
}

// ReadPackageFrom makes a package of what a stream gives; above 8 MiB it goes through a nameless temporary file.
func ReadPackageFrom(ctx context.Context, stream io.Reader, options *LoadOptions) (*Package, error) {
	from := &source{stream: stream}
	handle := cgo.NewHandle(from)
	defer handle.Delete()
	var found *C.oci_chart_package
	with := options.c()
	err := do(ctx, callbacks{}, func(call *C.oci_chart_call, err **C.oci_chart_error) C.oci_chart_status {
		return C.ocichart_go_load_stream(C.uintptr_t(handle), &with, call, &found, err)
	})
	if from.panicked != nil {
		C.oci_chart_package_free(found)
		panic(*from.panicked)
	}
	var details *Error
	if errors.As(err, &details) && from.failed != nil {
		details.causes = append(details.causes, from.failed)
	}
	return newPackage(found, err)
}

// source is a stream that C reads from.
type source struct {
	stream   io.Reader
	failed   error
	panicked *any
}

//export ocichartGoRead
func ocichartGoRead(handle C.uintptr_t, buffer *C.uint8_t, size C.size_t, count *C.size_t) (answer C.int32_t) {
	from := cgo.Handle(handle).Value().(*source)
	defer func() {
		if value := recover(); value != nil {
			from.panicked, answer = &value, 1
		}
	}()
	// Nothing without an end is nothing yet, but to C it would be the end.
	for range 100 {
		n, err := from.stream.Read(unsafe.Slice((*byte)(buffer), size))
		*count = C.size_t(n)
		switch {
		case n > 0 || err == io.EOF:
			return 0
		case err != nil:
			from.failed = fmt.Errorf("ocichart: reading the package: %w", err)
			return 1
		}
	}
	from.failed = io.ErrNoProgress
	return 1
}
