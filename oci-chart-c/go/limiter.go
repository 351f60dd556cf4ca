package ocichart

import (
	"context"
	"sync/atomic"
)

// DefaultMaxCalls is how many calls work at once unless [SetMaxCalls] says otherwise.
const DefaultMaxCalls = 64

// A call into C that waits keeps an OS thread to itself, so it is bounded how many there are; the rest wait as goroutines, which is cheap.
type limiter struct{ places chan struct{} }

var calls atomic.Pointer[limiter]

func init() { SetMaxCalls(DefaultMaxCalls) }

// SetMaxCalls sets how many calls of this process work at once; at least one does. It is about OS threads, of which each such call has one.
// Calls that work or wait already keep to what was set when they began.
func SetMaxCalls(count int) {
	calls.Store(&limiter{make(chan struct{}, max(count, 1))})
}

// inside marks the context of a callback: the call around it has a place already, and would wait for itself if a call in the callback
// needed another.
type inside struct{}

// enter waits for a place, and gives the way to leave it.
func enter(ctx context.Context) (leave func(), err error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	if ctx.Value(inside{}) != nil {
		return func() {}, nil
	}
	limiter := calls.Load()
	select {
	case limiter.places <- struct{}{}:
		return func() { <-limiter.places }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
