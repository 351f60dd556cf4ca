package ocichart

// #include <oci_chart.h>
import "C"

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// Error is what every failing call returns. Match it with errors.As for the details, or with errors.Is against a [Kind]:
//
//	errors.Is(err, ocichart.ErrNotFound)
//
// A call that its context stopped also matches context.Canceled or context.DeadlineExceeded, and one that a callback's error stopped
// matches that error. It has no passwords, tokens or keys in it.
type Error struct {
	// Kind is what to act on.
	Kind Kind
	// Reason is a stable word for the cause below the kind, where there is one: tag-exists, plain-http-on-https, ...
	Reason string
	// Operation is the verb that failed, where one is known: push, load, ...
	Operation string
	// Message says what failed, without operation and context.
	Message string
	// Context says where it failed.
	Context map[string]string
	// Hint is what a person can do about it, where that is known.
	Hint string
	// Retryable says whether the same call may succeed later without any change.
	Retryable bool
	// RetryAfter is how long the other side asked to be left alone; zero where it did not.
	RetryAfter time.Duration
	// HTTPStatus is that of the answer that said no, 401 for example; zero where it was no answer.
	HTTPStatus int
	// Errno is the operating system's number of what failed in it; zero where nothing did.
	Errno int
	// Causes are the texts of the errors below, the nearest first.
	Causes []string
	// Evidence is what was looked at before a signature or policy was found wanting, as JSON; nil where this is no answer of a check.
	Evidence json.RawMessage

	text   string
	causes []error
}

// Error gives one line with operation, message and context.
func (e *Error) Error() string { return e.text }

// Is tells whether target is the error's [Kind].
func (e *Error) Is(target error) bool {
	kind, ok := target.(Kind)
	return ok && kind == e.Kind
}

// Unwrap gives the errors of the caller's own that ended the call: of its context, with its cause, or of a callback.
func (e *Error) Unwrap() []error { return e.causes }

// Format prints with %+v also the hint and the errors below, for people.
func (e *Error) Format(state fmt.State, verb rune) {
	switch {
	case verb == 'q':
		fmt.Fprintf(state, "%q", e.text)
	case verb == 'v' && state.Flag('+'):
		lines := []string{e.Kind.String() + ": " + e.text}
		for _, line := range []struct{ name, text string }{{"reason", e.Reason}, {"hint", e.Hint}} {
			if line.text != "" {
				lines = append(lines, line.name+": "+line.text)
			}
		}
		for _, cause := range e.Causes {
			lines = append(lines, "caused by: "+cause)
		}
		io.WriteString(state, strings.Join(lines, "\n  "))
	default:
		io.WriteString(state, e.text)
	}
}

// taken makes an error of C's, which it frees; nil for success. Causes are why the caller itself ended the call, if it did.
func taken(status C.oci_chart_status, found *C.oci_chart_error, causes ...error) error {
	if status == C.OCI_CHART_STATUS_OK {
		return nil
	}
	defer C.oci_chart_error_free(found)
	result := &Error{Kind: Kind(status), causes: causes}
	if found == nil {
		result.text = result.Kind.String()
		return result
	}
	result.text = C.GoString(C.oci_chart_error_get_message(found))
	result.HTTPStatus = int(C.oci_chart_error_get_http_status(found))
	result.Errno = int(C.oci_chart_error_get_os_error(found))
	var details struct {
		Message      string
		Reason       string
		Operation    string
		Context      map[string]string
		Hint         string
		Retryable    bool
		RetryAfterMS int64 `json:"retryAfterMs"`
		Causes       []string
	}
	var document *C.char
	if C.oci_chart_error_to_json(found, &document, nil) == C.OCI_CHART_STATUS_OK {
		// What cannot be read is left out: there is a text and a kind in any case.
		_ = json.Unmarshal([]byte(took(document)), &details)
	}
	result.Message, result.Reason, result.Operation = details.Message, details.Reason, details.Operation
	result.Context, result.Hint, result.Causes = details.Context, details.Hint, details.Causes
	result.Retryable, result.RetryAfter = details.Retryable, time.Duration(details.RetryAfterMS)*time.Millisecond
	if evidence := C.oci_chart_error_get_evidence(found); evidence != nil {
		result.Evidence = json.RawMessage(C.GoString(evidence))
	}
	return result
}
