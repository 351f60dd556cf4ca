// Package ocichart packages, pushes, pulls and verifies Helm charts as OCI artifacts, byte for byte as Helm 4.2 reads and writes them.
//
// It is the Go side of the C library oci_chart, which it finds by pkg-config: install that first (`make install PREFIX=...`), and set
// PKG_CONFIG_PATH where it is not in a place of the system's. With the build tag oci_chart_static the library becomes part of the program.
// Go's build cache does not notice that another library was installed: build with -a after that.
//
// You hold a value; its type tells which step you are in:
//
//	directory --LoadChart--> Chart --Package--> Package --Client.Push--> registry or image layout
//	                                            Package <--Client.Pull-- registry or image layout
//
// # Contexts
//
// Every call that may wait or take long takes a [context.Context], and ends within about 50 milliseconds when that is done. Its error then is
// an [ErrCancelled] that matches context.Canceled, or an [ErrTimeout] that matches context.DeadlineExceeded, and matches the cause.
//
// # Errors
//
// Every error of the library is an [Error] with a [Kind] for errors.Is, a stable Reason below it, and a Hint for people.
//
// # Threads
//
// Everything here may be used by many goroutines at once, but for a [Reader], which is read by one. A call that works keeps an OS thread, so
// [DefaultMaxCalls] of them work at once and the others wait; see [SetMaxCalls].
//
// # Callbacks
//
// Functions that are handed to a call run on its goroutine, while it runs. Their error stops the call, and is what it fails with; a panic in
// them goes up through the call. They must not end their goroutine (runtime.Goexit, testing.T.FailNow). Calls that they make must use
// the context that they are given, if they are given one.
//
// # Closing
//
// What has a Close holds memory, connections or files of the library's. What is forgotten is freed by the garbage collector at some time.
// Close takes nil, as a failed call returns it, and may be called twice; what is closed answers every other call with an error that matches
// fs.ErrClosed.
package ocichart

// #cgo !oci_chart_static pkg-config: oci_chart
// #cgo oci_chart_static pkg-config: oci_chart-static
// #cgo oci_chart_static CFLAGS: -DOCI_CHART_STATIC
// #include <oci_chart.h>
import "C"

// Version is that of the C library, 0.1.0 for example.
func Version() string { return C.GoString(C.oci_chart_version()) }
