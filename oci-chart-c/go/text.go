package ocichart

// #include <oci_chart.h>
// #include <stdlib.h>
import "C"

import (
	"encoding/json"
	"fmt"
	"strings"
	"unsafe"
)

// lender has texts in C's memory for as long as a call takes.
type lender struct {
	texts []*C.char
	wrong error
}

// text lends a text. One with a NUL inside would come out cut short over there, so the call must not be made with it: err says so.
func (l *lender) text(name, value string) *C.char {
	if strings.IndexByte(value, 0) >= 0 && l.wrong == nil {
		message := fmt.Sprintf("%s has a NUL in it", name)
		l.wrong = &Error{Kind: ErrInvalidInput, Message: message, text: message}
	}
	lent := C.CString(value)
	l.texts = append(l.texts, lent)
	return lent
}

// optional is NULL for an empty text.
func (l *lender) optional(name, value string) *C.char {
	if value == "" {
		return nil
	}
	return l.text(name, value)
}

func (l *lender) err() error { return l.wrong }

func (l *lender) free() {
	for _, lent := range l.texts {
		C.free(unsafe.Pointer(lent))
	}
}

// took takes a text that C gave away.
func took(owned *C.char) string {
	defer C.oci_chart_string_free(owned)
	return C.GoString(owned)
}

// tookBytes copies bytes that C gave away; nil for none.
func tookBytes(owned *C.oci_chart_bytes) []byte {
	if owned == nil {
		return nil
	}
	defer C.oci_chart_bytes_free(owned)
	size := C.oci_chart_bytes_get_size(owned)
	found := make([]byte, size)
	copy(found, unsafe.Slice((*byte)(C.oci_chart_bytes_get_data(owned)), size))
	return found
}

// lent gives C bytes for one call, without a copy.
func lent(data []byte) (*C.uint8_t, C.size_t) {
	return (*C.uint8_t)(unsafe.SliceData(data)), C.size_t(len(data))
}

// json lends a document.
func (l *lender) json(value any) *C.char {
	text, err := json.Marshal(value)
	if err != nil && l.wrong == nil {
		l.wrong = &Error{Kind: ErrInvalidInput, Message: err.Error(), text: err.Error(), causes: []error{err}}
	}
	return l.text("the document", string(text))
}

// annotations are NULL for an empty map.
func (l *lender) annotations(values map[string]string) *C.char {
	if len(values) == 0 {
		return nil
	}
	return l.json(values)
}
