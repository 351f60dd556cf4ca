package ocichart

// #include "call.h"
import "C"

import (
	"context"
	"errors"
	"runtime/cgo"
	"time"
	"unsafe"
)

// Credentials are what a registry is shown: a user and a password, or a token.
type Credentials struct {
	User, Password string
	// Token is one that the registry itself takes; where it is not empty, it is used alone.
	Token string
	// IdentityToken is one that the registry's token service takes (OAuth2 refresh token); only for [ClientOptions].Logins.
	IdentityToken string
}

// String tells nothing.
func (Credentials) String() string { return "Credentials(...)" }

// GoString tells nothing.
func (Credentials) GoString() string { return "ocichart.Credentials{...}" }

// callbacks are the caller's functions that a call may need. They run on the goroutine that makes the call; an error stops the call, which
// then fails with it below.
type callbacks struct {
	event       func(Event) error
	credentials func(ctx context.Context, host string) (*Credentials, error)
	sign        func(ctx context.Context, key string, payload []byte) ([]byte, error)
	request     func(Request)
}

// running is a call that C is working on.
type running struct {
	callbacks
	ctx      context.Context
	failed   error
	panicked *any
}

// do makes a call that may take long: one of a bounded number, stopped by its context, with the caller's functions at hand.
func do(ctx context.Context, with callbacks, work func(call *C.oci_chart_call, err **C.oci_chart_error) C.oci_chart_status) error {
	leave, err := enter(ctx)
	if err != nil {
		return stopped(ctx, err)
	}
	defer leave()

	token := C.oci_chart_cancel_token_new()
	defer C.oci_chart_cancel_token_free(token)
	cancelled := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		C.oci_chart_cancel_token_cancel(token, nil)
		close(cancelled)
	})
	run := &running{callbacks: with, ctx: context.WithValue(ctx, inside{}, true)}
	status, found := run.call(token, work)
	// Both the library and the context look at the clock, and whichever is first ends the call: it is one thing to its caller.
	if status == C.OCI_CHART_STATUS_CANCELLED && run.failed == nil && ctx.Err() == context.DeadlineExceeded {
		status = C.OCI_CHART_STATUS_TIMEOUT
	}
	if !stop() {
		// Then it is being used right now.
		<-cancelled
	}
	if run.panicked != nil {
		C.oci_chart_error_free(found)
		panic(*run.panicked)
	}
	return taken(status, found, run.causes(Kind(status))...)
}

func (run *running) call(token *C.oci_chart_cancel_token, work func(*C.oci_chart_call, **C.oci_chart_error) C.oci_chart_status) (C.oci_chart_status, *C.oci_chart_error) {
	var wants C.int
	if run.event != nil {
		wants |= C.OCICHART_GO_EVENTS
	}
	if run.credentials != nil {
		wants |= C.OCICHART_GO_CREDENTIALS
	}
	if run.sign != nil {
		wants |= C.OCICHART_GO_SIGN
	}
	if run.request != nil {
		wants |= C.OCICHART_GO_REQUESTS
	}
	var handle cgo.Handle
	if wants != 0 {
		handle = cgo.NewHandle(run)
		defer handle.Delete()
	}
	var timeout C.uint64_t
	if deadline, set := run.ctx.Deadline(); set {
		timeout = C.uint64_t(max(time.Until(deadline), 0)/time.Millisecond) + 1
	}
	call := C.ocichart_go_call(token, timeout, C.uintptr_t(handle), wants)
	var found *C.oci_chart_error
	status := work(&call, &found)
	return status, found
}

// causes are the caller's own reasons for the end of a call.
func (run *running) causes(kind Kind) []error {
	switch {
	case run.failed != nil:
		return []error{run.failed}
	case kind != ErrCancelled && kind != ErrTimeout:
		return nil
	case run.ctx.Err() != nil:
		return ends(run.ctx)
	}
	// The library looks at a clock of its own, and ends before a wait that would outlast the deadline.
	if deadline, set := run.ctx.Deadline(); set && kind == ErrTimeout && time.Until(deadline) < 10*time.Millisecond {
		return []error{context.DeadlineExceeded}
	}
	return nil
}

// stopped is the error of a call that was not made.
func stopped(ctx context.Context, err error) error {
	kind := ErrCancelled
	if errors.Is(err, context.DeadlineExceeded) {
		kind = ErrTimeout
	}
	return &Error{Kind: kind, Message: err.Error(), text: err.Error(), causes: ends(ctx)}
}

// ends are the error of a context that is done, and what its maker gave as the cause.
func ends(ctx context.Context) []error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if cause == err {
		return []error{err}
	}
	return []error{err, cause}
}

// guarded runs a function of the caller's inside of C: neither an error nor a panic may leave it there.
func (run *running) guarded(function func() error) (answer C.int32_t) {
	if run.failed != nil || run.panicked != nil {
		return 1
	}
	defer func() {
		if value := recover(); value != nil {
			run.panicked, answer = &value, 1
		}
	}()
	if run.failed = function(); run.failed != nil {
		return 1
	}
	return 0
}

func behind(handle C.uintptr_t) *running { return cgo.Handle(handle).Value().(*running) }

//export ocichartGoEvent
func ocichartGoEvent(handle C.uintptr_t, event *C.oci_chart_event) C.int32_t {
	run := behind(handle)
	return run.guarded(func() error {
		if event, known := eventOf(event); known {
			return run.event(event)
		}
		return nil
	})
}

//export ocichartGoRequest
func ocichartGoRequest(handle C.uintptr_t, request *C.oci_chart_request) C.int32_t {
	run := behind(handle)
	return run.guarded(func() error {
		run.request(requestOf(request))
		return nil
	})
}

//export ocichartGoCredentials
func ocichartGoCredentials(handle C.uintptr_t, host *C.char, answer *C.oci_chart_answer) C.int32_t {
	run := behind(handle)
	return run.guarded(func() error {
		found, err := run.credentials(run.ctx, C.GoString(host))
		if err != nil || found == nil {
			return err
		}
		var lend lender
		defer lend.free()
		user, password, token := lend.text("the user", found.User), lend.text("the password", found.Password), lend.text("the token", found.Token)
		if err := lend.err(); err != nil {
			return err
		}
		var failure *C.oci_chart_error
		if found.Token != "" {
			return taken(C.oci_chart_answer_set_token(answer, token, &failure), failure)
		}
		return taken(C.oci_chart_answer_set_login(answer, user, password, &failure), failure)
	})
}

//export ocichartGoSign
func ocichartGoSign(handle C.uintptr_t, key *C.char, payload *C.uint8_t, size C.size_t, answer *C.oci_chart_answer) C.int32_t {
	run := behind(handle)
	return run.guarded(func() error {
		signature, err := run.sign(run.ctx, C.GoString(key), C.GoBytes(unsafe.Pointer(payload), C.int(size)))
		if err != nil {
			return err
		}
		data, length := lent(signature)
		var failure *C.oci_chart_error
		return taken(C.oci_chart_answer_set_bytes(answer, data, length, &failure), failure)
	})
}
