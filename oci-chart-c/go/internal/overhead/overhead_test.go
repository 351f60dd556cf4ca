//go:build !race && !asan

package overhead

import (
	"testing"
	"time"
)

// What a call from Go may cost beyond one from C.
const most = 100 * time.Nanosecond

func TestACallFromGoCostsLittleMoreThanOneFromC(t *testing.T) {
	const rounds, times = 20, 100_000
	// The least of several: what else the machine does only adds.
	fromC, fromGo := time.Hour, time.Hour
	for range rounds {
		fromC, fromGo = min(fromC, FromC(times)), min(fromGo, FromGo(times))
	}
	t.Logf("from C %v, from Go %v", fromC, fromGo)
	if fromGo-fromC > most {
		t.Errorf("from Go %v, from C %v, at most %v more", fromGo, fromC, most)
	}
}
