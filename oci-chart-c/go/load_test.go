//go:build !race && !asan

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

// Texts, bytes, callbacks and forgotten objects are freed: each of these alone would leave 16 MiB.
func TestNothingPilesUp(t *testing.T) {
	const times, large = 64, 256 << 10
	ctx, long := context.Background(), strings.Repeat("x", large)
	chart := got[*ocichart.Chart](t)(ocichart.LoadChart(ctx, files(t, "web", map[string]string{
		"Chart.yaml":  "apiVersion: v2\nname: web\nversion: 1.0.0\n",
		"values.yaml": "text: " + long + "\n",
	}), nil))
	defer chart.Close()
	secret := ocichart.NewPullSecret()
	defer secret.Close()
	client, pack, place := client(t, ocichart.ClientOptions{}), web(t), "oci-layout:"+t.TempDir()
	for what, call := range map[string]func(){
		"objects": func() { must(t, ocichart.NewPullSecret().AddLogin("registry.example", "robot", long)) },
		"bytes":   func() { got[[]byte](t)(chart.Values()) },
		"texts":   func() { got[string](t)(secret.Manifest(long, "")) },
		"callbacks": func() {
			held := bytes.Repeat([]byte("x"), large)
			_, err := client.Push(ctx, pack, place, &ocichart.PushOptions{Mode: ocichart.Ensure, OnEvent: func(ocichart.Event) error {
				held[0]++
				return nil
			}})
			must(t, err)
		},
	} {
		call()
		debug.FreeOSMemory()
		before := status(t, "VmRSS:") << 10
		for range times {
			call()
		}
		// What a collection finds forgotten is freed some time after it.
		grown := times * large
		for end := time.Now().Add(3 * time.Second); grown > times*large/2 && time.Now().Before(end); time.Sleep(time.Millisecond) {
			debug.FreeOSMemory()
			grown = status(t, "VmRSS:")<<10 - before
		}
		if grown > times*large/2 {
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
