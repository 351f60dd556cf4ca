//go:build asan

package ocichart_test

import (
	"os"
	"runtime"
	"runtime/debug"
	"testing"
)

// With `go test -asan` what C has given and nobody has freed ends the tests: but only what Go's own memory does not remember by chance.
func TestMain(m *testing.M) {
	status := m.Run()
	runtime.GC()
	debug.FreeOSMemory()
	os.Exit(status)
}
