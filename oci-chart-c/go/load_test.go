//go:build !race

package ocichart_test

import (
	"bytes"
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	ocichart "github.com/oci-chart/oci-chart/oci-chart-c/go"
)

const (
	pulls       = 1000
	mostThreads = 96
	mostMemory  = 64 << 20
)

func TestAThousandPullsNeedFewThreadsAndLittleMemory(t *testing.T) {
	server, pack := serve(t, "--latency-ms", "5"), web(t)
	client := client(t, ocichart.ClientOptions{Hosts: plain(server.host)})
	target := "oci://" + server.host + "/charts"
	_, err := client.Push(context.Background(), pack, target, nil)
	must(t, err)

	debug.FreeOSMemory()
	idle := status(t, "VmRSS:") << 10
	var threads, memory int
	var all sync.WaitGroup
	done := make(chan struct{})
	go func() {
		for {
			threads, memory = max(threads, status(t, "Threads:")), max(memory, status(t, "VmRSS:")<<10)
			select {
			case <-done:
				close(done)
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	began := time.Now()
	for range pulls {
		all.Add(1)
		go func() {
			defer all.Done()
			pulled, err := client.Pull(context.Background(), target+"/web:1.0.0", unverified)
			if err != nil {
				t.Errorf("%+v", err)
				return
			}
			pulled.Close()
		}()
	}
	all.Wait()
	took := time.Since(began)
	done <- struct{}{}
	<-done
	t.Logf("%d pulls in %v: %d threads, %.1f MiB above idle, on %d processors", pulls, took, threads, float64(memory-idle)/(1<<20), runtime.NumCPU())
	if threads > mostThreads {
		t.Errorf("%d threads, at most %d", threads, mostThreads)
	}
	if memory-idle > mostMemory {
		t.Errorf("%d bytes above idle, at most %d", memory-idle, mostMemory)
	}
}

// Texts, bytes and forgotten objects are freed: each of these alone would leave 12 MiB.
func TestNothingPilesUp(t *testing.T) {
	ctx := context.Background()
	values := "text: " + strings.Repeat("x", 800<<10) + "\n"
	chart := got[*ocichart.Chart](t)(ocichart.LoadChart(ctx, files(t, "web", map[string]string{
		"Chart.yaml":  "apiVersion: v2\nname: web\nversion: 1.0.0\ndescription: " + strings.Repeat("x", 100<<10) + "\n",
		"values.yaml": values,
	}), nil))
	defer chart.Close()
	pack := got[*ocichart.Package](t)(chart.Package(ctx, nil))
	defer pack.Close()
	for what, work := range map[string]struct {
		times int
		call  func()
	}{
		"objects": {15, func() { got[*ocichart.Chart](t)(pack.Chart(ctx)) }},
		"bytes":   {15, func() { got[[]byte](t)(chart.Values()) }},
		"texts":   {120, func() { got[string](t)(chart.MetadataYAML()) }},
	} {
		work.call()
		before := status(t, "VmRSS:") << 10
		for n := range work.times {
			work.call()
			if n%10 == 0 {
				runtime.GC()
			}
		}
		debug.FreeOSMemory()
		if grown := status(t, "VmRSS:")<<10 - before; grown > 8<<20 {
			t.Errorf("%s: %d MiB more than before", what, grown>>20)
		}
	}
}

// status is a number that the kernel tells of this process.
func status(t *testing.T, name string) int {
	text := got[[]byte](t)(os.ReadFile("/proc/self/status"))
	_, rest, found := bytes.Cut(text, []byte("\n"+name))
	fields := bytes.Fields(rest)
	if !found || len(fields) == 0 {
		t.Fatalf("no %s in /proc/self/status", name)
	}
	return got[int](t)(strconv.Atoi(string(fields[0])))
}
