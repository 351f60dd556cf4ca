package ocichart

import (
	"fmt"
	"io/fs"
	"runtime"
	"sync"
	"unsafe"
)

// object keeps something of C's until it is closed. Uses share it, and closing waits for them. What is forgotten is freed by the garbage
// collector.
type object struct {
	what    string
	free    func(unsafe.Pointer)
	mu      sync.RWMutex
	pointer unsafe.Pointer
	cleanup runtime.Cleanup
}

func (o *object) init(what string, pointer unsafe.Pointer, free func(unsafe.Pointer)) {
	o.what, o.pointer, o.free = what, pointer, free
	o.cleanup = runtime.AddCleanup(o, free, pointer)
}

// use gives the object to C; every success is followed by one done.
func (o *object) use() (unsafe.Pointer, error) {
	o.mu.RLock()
	if o.pointer == nil {
		o.mu.RUnlock()
		return nil, fmt.Errorf("ocichart: the %s is %w", o.what, fs.ErrClosed)
	}
	return o.pointer, nil
}

func (o *object) done() { o.mu.RUnlock() }

func (o *object) close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.pointer != nil {
		o.cleanup.Stop()
		o.free(o.pointer)
		o.pointer = nil
	}
	return nil
}
