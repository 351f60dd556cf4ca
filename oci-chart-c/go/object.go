package ocichart

import (
	"io/fs"
	"runtime"
	"sync"
	"unsafe"
)

// object keeps something of C's until it is closed and no call uses it any more. What is forgotten is freed by the garbage collector.
type object struct {
	what    string
	free    func(unsafe.Pointer)
	cleanup runtime.Cleanup

	mu      sync.Mutex
	pointer unsafe.Pointer
	users   int
	closed  bool
}

func (o *object) init(what string, pointer unsafe.Pointer, free func(unsafe.Pointer)) {
	o.what, o.pointer, o.free = what, pointer, free
	o.cleanup = runtime.AddCleanup(o, free, pointer)
}

// use gives the object to C; every success is followed by one done.
func (o *object) use() (unsafe.Pointer, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed || o.pointer == nil {
		return nil, &closedError{o.what}
	}
	o.users++
	return o.pointer, nil
}

// closedError matches fs.ErrClosed, as that of a file does.
type closedError struct{ what string }

func (e *closedError) Error() string {
	if e.what == "" {
		return "ocichart: this was not made by a function of the package"
	}
	return "ocichart: the " + e.what + " is closed"
}

func (e *closedError) Unwrap() error { return fs.ErrClosed }

func (o *object) done() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.users--
	o.release()
}

// close waits for nobody, so that it may be called from anywhere, even from a callback of a call that uses the object.
func (o *object) close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	o.release()
	return nil
}

func (o *object) release() {
	if o.closed && o.users == 0 && o.pointer != nil {
		o.cleanup.Stop()
		o.free(o.pointer)
		o.pointer = nil
	}
}
