package ocichart

// #include <oci_chart.h>
import "C"

import "time"

// EventKind says what an [Event] tells.
type EventKind int32

// The kinds of events.
const (
	// Started: a transfer began. It has ID, Push, Digest, MediaType and Total.
	Started EventKind = C.OCI_CHART_EVENT_KIND_STARTED
	// Progress: a transfer has come so far. It has ID and Bytes; only the newest is kept for a slow listener.
	Progress EventKind = C.OCI_CHART_EVENT_KIND_PROGRESS
	// Finished: a transfer is done. It has ID.
	Finished EventKind = C.OCI_CHART_EVENT_KIND_FINISHED
	// Skipped: nothing had to be moved, the other side has it. It has what Started has.
	Skipped EventKind = C.OCI_CHART_EVENT_KIND_SKIPPED
	// Warning: something works, but should be known. It has Text.
	Warning EventKind = C.OCI_CHART_EVENT_KIND_WARNING
	// Waiting: a request goes out again, or the host's pace is kept. It has Text, Why, Attempt and Wait.
	Waiting EventKind = C.OCI_CHART_EVENT_KIND_WAITING
	// Other: something newer than this package. It has Text.
	Other EventKind = C.OCI_CHART_EVENT_KIND_OTHER
)

// Event is something that happened in a call.
type Event struct {
	Kind EventKind
	// ID is the transfer, unique in this process.
	ID uint64
	// Push says that bytes go towards the store.
	Push bool
	// Digest and MediaType are those of what is moved.
	Digest, MediaType string
	// Bytes were moved so far, of Total.
	Bytes, Total uint64
	// Text is what should be known, or what waits.
	Text string
	// Why it waits, and for how long.
	Why  string
	Wait time.Duration
	// Attempt is how often it was tried by now.
	Attempt int
}

// eventOf copies an event; those that only say that time passes are not told.
func eventOf(found *C.oci_chart_event) (Event, bool) {
	kind := EventKind(found.kind)
	if found.kind == C.OCI_CHART_EVENT_KIND_TICK {
		return Event{}, false
	}
	return Event{
		Kind:      kind,
		ID:        uint64(found.id),
		Push:      found.direction == C.OCI_CHART_DIRECTION_PUSH,
		Digest:    C.GoString(found.digest),
		MediaType: C.GoString(found.media_type),
		Bytes:     uint64(found.bytes),
		Total:     uint64(found.total),
		Text:      C.GoString(found.text),
		Why:       C.GoString(found.why),
		Wait:      time.Duration(found.wait_ms) * time.Millisecond,
		Attempt:   int(found.attempt),
	}, true
}
