// Package judge holds the Go package against Helm's own. It is a module of its own, so that nobody else needs Helm's.
package judge

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"helm.sh/helm/v4/pkg/registry"

	ocichart "github.com/oci-chart/oci-chart/oci-chart-c/go"
)

const created = 1700000000

// serve starts the testkit's registry and gives its host and port.
func serve(t *testing.T) string {
	program := os.Getenv("OCI_CHART_SERVE")
	if program == "" {
		program = "../../../target/debug/serve"
	}
	command := exec.Command(program)
	in, err := command.StdinPipe()
	must(t, err)
	out, err := command.StdoutPipe()
	must(t, err)
	must(t, command.Start())
	t.Cleanup(func() {
		in.Close()
		io.Copy(io.Discard, out)
		command.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	must(t, err)
	_, host, _ := strings.Cut(strings.TrimSpace(line), "://")
	return host
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%+v", err)
	}
}

func web(t *testing.T) *ocichart.Package {
	directory := filepath.Join(t.TempDir(), "web")
	must(t, os.Mkdir(directory, 0o755))
	metadata := "apiVersion: v2\nname: web\nversion: 1.2.0+build.1\nappVersion: \"7\"\ndescription: A <small> site & more\n"
	must(t, os.WriteFile(filepath.Join(directory, "Chart.yaml"), []byte(metadata), 0o644))
	must(t, os.WriteFile(filepath.Join(directory, "values.yaml"), []byte("replicas: 1\n"), 0o644))
	chart, err := ocichart.LoadChart(context.Background(), directory, nil)
	must(t, err)
	defer chart.Close()
	pack, err := chart.Package(context.Background(), nil)
	must(t, err)
	t.Cleanup(func() { pack.Close() })
	return pack
}

func clients(t *testing.T, host string) (*ocichart.Client, *registry.Client) {
	ours, err := ocichart.NewClient(&ocichart.ClientOptions{Hosts: map[string]ocichart.HostOptions{host: {PlainHTTP: true}}})
	must(t, err)
	t.Cleanup(func() { ours.Close() })
	theirs, err := registry.NewClient(registry.ClientOptPlainHTTP(), registry.ClientOptWriter(io.Discard),
		registry.ClientOptCredentialsFile(filepath.Join(t.TempDir(), "logins.json")))
	must(t, err)
	return ours, theirs
}

func content(t *testing.T, pack *ocichart.Package) []byte {
	reader, err := pack.Open(context.Background())
	must(t, err)
	defer reader.Close()
	data, err := io.ReadAll(reader)
	must(t, err)
	return data
}

func TestHelmReadsWhatWePush(t *testing.T) {
	host, pack := serve(t), web(t)
	ours, theirs := clients(t, host)
	pushed, err := ours.Push(context.Background(), pack, "oci://"+host+"/charts", &ocichart.PushOptions{Created: time.Unix(created, 0)})
	must(t, err)
	pulled, err := theirs.Pull(host+"/charts/web:1.2.0+build.1", registry.PullOptWithChart(true))
	must(t, err)
	if pulled.Manifest.Digest != pushed.Descriptor.Digest {
		t.Errorf("Helm reads %s, we wrote %s", pulled.Manifest.Digest, pushed.Descriptor.Digest)
	}
	hash := sha256.Sum256(pulled.Chart.Data)
	if "sha256:"+hex.EncodeToString(hash[:]) != pack.Digest() || !bytes.Equal(pulled.Chart.Data, content(t, pack)) {
		t.Error("Helm reads other bytes")
	}
	if pulled.Chart.Meta.Name != "web" || pulled.Chart.Meta.Description != "A <small> site & more" {
		t.Errorf("%+v", pulled.Chart.Meta)
	}
	tags, err := theirs.Tags(host + "/charts/web")
	must(t, err)
	if len(tags) != 1 || tags[0] != "1.2.0+build.1" {
		t.Errorf("%v", tags)
	}
}

func TestWeReadWhatHelmPushes(t *testing.T) {
	host, pack := serve(t), web(t)
	ours, theirs := clients(t, host)
	when := time.Unix(created, 0).UTC().Format(time.RFC3339)
	pushed, err := theirs.Push(content(t, pack), host+"/charts/web:1.2.0+build.1", registry.PushOptCreationTime(when))
	must(t, err)
	pulled, err := ours.Pull(context.Background(), "oci://"+host+"/charts/web", &ocichart.PullOptions{Version: "~1.2", WithoutVerification: true})
	must(t, err)
	defer pulled.Close()
	if pulled.Descriptor.Digest != pushed.Manifest.Digest || pulled.Package.Digest() != pack.Digest() {
		t.Errorf("we read %s of %s, Helm wrote %s of %s", pulled.Package.Digest(), pulled.Descriptor.Digest, pack.Digest(), pushed.Manifest.Digest)
	}
	// The same chart at the same time is the same manifest, whoever writes it.
	again, err := ours.Push(context.Background(), pack, "oci://"+host+"/charts", &ocichart.PushOptions{Mode: ocichart.Ensure, Created: time.Unix(created, 0)})
	must(t, err)
	if again.Action != "unchanged" || again.Descriptor.Digest != pushed.Manifest.Digest {
		t.Errorf("%+v", again)
	}
}
