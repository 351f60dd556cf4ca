package ocichart_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	ocichart "github.com/oci-chart/oci-chart/oci-chart-c/go"
)

// registry is the program serve of the testkit: its first line is its URL, and each line that it is told is answered with one.
type registry struct {
	host string
	in   io.WriteCloser
	out  *bufio.Reader
}

// serve starts one for a test. Where the program is missing the test is skipped, but not in CI.
func serve(t testing.TB, arguments ...string) *registry {
	t.Helper()
	program := os.Getenv("OCI_CHART_SERVE")
	if program == "" {
		program = "../../target/debug/serve"
	}
	if _, err := os.Stat(program); err != nil {
		skip(t, "the test registry (cargo build -p oci-chart-testkit --bin serve; OCI_CHART_SERVE)")
	}
	command := exec.Command(program, arguments...)
	in, err := command.StdinPipe()
	must(t, err)
	out, err := command.StdoutPipe()
	must(t, err)
	must(t, command.Start())
	server := &registry{in: in, out: bufio.NewReader(out)}
	t.Cleanup(func() {
		in.Close()
		io.Copy(io.Discard, out)
		command.Wait()
	})
	_, server.host, _ = strings.Cut(server.line(t), "://")
	return server
}

func (r *registry) line(t testing.TB) string {
	t.Helper()
	line, err := r.out.ReadString('\n')
	must(t, err)
	return strings.TrimSpace(line)
}

// tell gives a command, such as "fault GET * 1 status 503".
func (r *registry) tell(t testing.TB, command string) string {
	t.Helper()
	_, err := fmt.Fprintln(r.in, command)
	must(t, err)
	return r.line(t)
}

func skip(t testing.TB, what string) {
	t.Helper()
	fmt.Fprintln(os.Stderr, "SKIPPED:", t.Name(), "wants", what)
	if os.Getenv("CI") != "" {
		t.Fatal("nothing may be missing in CI")
	}
	t.SkipNow()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%+v", err)
	}
}

// got is for calls with one result.
func got[T any](t testing.TB) func(T, error) T {
	return func(value T, err error) T {
		t.Helper()
		must(t, err)
		return value
	}
}

// files writes a chart's files below a new directory called name.
func files(t testing.TB, name string, content map[string]string) string {
	t.Helper()
	directory := filepath.Join(t.TempDir(), name)
	for path, text := range content {
		file := filepath.Join(directory, path)
		must(t, os.MkdirAll(filepath.Dir(file), 0o755))
		must(t, os.WriteFile(file, []byte(text), 0o644))
	}
	return directory
}

// web is the smallest package there is.
func web(t testing.TB) *ocichart.Package {
	t.Helper()
	directory := files(t, "web", map[string]string{"Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n", "values.yaml": "replicas: 1\n"})
	chart := got[*ocichart.Chart](t)(ocichart.LoadChart(context.Background(), directory, nil))
	defer chart.Close()
	pack := got[*ocichart.Package](t)(chart.Package(context.Background(), nil))
	t.Cleanup(func() { pack.Close() })
	return pack
}

func client(t testing.TB, options ocichart.ClientOptions) *ocichart.Client {
	t.Helper()
	client := got[*ocichart.Client](t)(ocichart.NewClient(&options))
	t.Cleanup(func() { client.Close() })
	return client
}

// unverified is for tests of everything but trust.
var unverified = &ocichart.PullOptions{WithoutVerification: true}

func plain(host string) map[string]ocichart.HostOptions {
	return map[string]ocichart.HostOptions{host: {PlainHTTP: true}}
}
