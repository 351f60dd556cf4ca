package ocichart

// #include "call.h"
import "C"

import (
	"context"
	"encoding/json"
)

// CacheUsage is how much is in a cache.
type CacheUsage struct {
	Entries int64 `json:"entries"`
	Bytes   int64 `json:"bytes"`
}

// UsageOfCache tells how much is in the cache at a directory; one that is not there is empty.
func UsageOfCache(ctx context.Context, directory string) (*CacheUsage, error) {
	text, err := ofCache(ctx, directory, func(place *C.char, out **C.char, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_cache_usage(place, out, err)
	})
	if err != nil {
		return nil, err
	}
	return document[CacheUsage](text)
}

// PruneCache removes from the cache at a directory what was not used for longest, until at most so many bytes are left. Others may go on using
// it. It gives what was removed, as JSON.
func PruneCache(ctx context.Context, directory string, bytes uint64) (json.RawMessage, error) {
	text, err := ofCache(ctx, directory, func(place *C.char, out **C.char, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_cache_prune(place, C.uint64_t(bytes), out, err)
	})
	return json.RawMessage(text), err
}

func ofCache(ctx context.Context, directory string, ask func(place *C.char, out **C.char, err **C.oci_chart_error) C.oci_chart_status) (string, error) {
	var lend lender
	defer lend.free()
	place := lend.text("the directory", directory)
	if err := lend.err(); err != nil {
		return "", err
	}
	var out *C.char
	err := do(ctx, callbacks{}, func(_ *C.oci_chart_call, err **C.oci_chart_error) C.oci_chart_status { return ask(place, &out, err) })
	if err != nil {
		return "", err
	}
	return took(out), nil
}
