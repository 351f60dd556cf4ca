package ocichart

// #include <oci_chart.h>
import "C"

import "time"

// Request is a request to a registry that is done: each try and each redirect is one. Nothing in it is secret.
type Request struct {
	Method, URL string
	// Status is that of the answer; zero where none came.
	Status int
	// Error is what happened instead of an answer.
	Error string
	// Time is how long it took until the answer began, the wait for its turn included.
	Time time.Duration
	// Attempt is which try it was, counted from 1.
	Attempt int
}

func requestOf(found *C.oci_chart_request) Request {
	return Request{
		Method:  C.GoString(found.method),
		URL:     C.GoString(found.url),
		Status:  int(found.status),
		Error:   C.GoString(found.error),
		Time:    time.Duration(found.time_ms) * time.Millisecond,
		Attempt: int(found.attempt),
	}
}
