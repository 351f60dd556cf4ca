package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"helm.sh/helm/v4/pkg/pusher"
)

// archiveTime is the modification time of the archives made here, and so `created` of their manifests.
var archiveTime = time.Unix(1700000000, 0)

var minimalChart = archiveOf("apiVersion: v2\nname: foo\nversion: 1.0.0\n")

// metadata takes a Chart.yaml alone through `helm push` and through `helm package`.
func metadata(q *question) answer {
	dir, err := os.MkdirTemp("", "oracle-")
	if err != nil {
		return answer{"unanswerable": err.Error()}
	}
	defer os.RemoveAll(dir)
	archived := filepath.Join(dir, "c.tgz")
	if err := errors.Join(
		os.WriteFile(archived, archiveOf(string(q.bytes())), 0o600),
		os.Chtimes(archived, archiveTime, archiveTime),
		os.Mkdir(filepath.Join(dir, "chart"), 0o700),
		os.WriteFile(filepath.Join(dir, "chart", "Chart.yaml"), q.bytes(), 0o600),
	); err != nil {
		return answer{"unanswerable": err.Error()}
	}
	result := pushFile(archived, "oci://h/t")
	packaged, err := packageTo(filepath.Join(dir, "chart"), dir, "", "")
	if err == nil {
		var text string
		if text, err = packagedChartYAML(packaged); err == nil {
			result["packaged"] = text
		}
	}
	if err != nil {
		result["package_error"] = strings.ReplaceAll(err.Error(), dir, "DIR")
	}
	return result
}

// push takes an archive on the disk, and a `.prov` beside it, through `helm push`.
func push(q *question) answer {
	return pushFile(q.Path, q.Target)
}

func pushFile(path, target string) answer {
	fake := plug(nil, nil)
	err := (&pusher.OCIPusher{}).Push(path, target, pusher.WithRegistryClient(network))
	if err != nil {
		return failed(err)
	}
	result := answer{}
	for _, request := range fake.requests {
		if request.method == "PUT" && strings.Contains(request.path, "/manifests/") {
			repository, tag, _ := strings.Cut(strings.TrimPrefix(request.path, "/v2/"), "/manifests/")
			result["host"], result["repository"], result["tag"] = request.host, repository, tag
			result["ref"] = repository[strings.LastIndex(repository, "/")+1:] + ":" + tag
		}
	}
	tag, _ := result["tag"].(string)
	manifest := fake.manifests[tag]
	var parsed struct {
		Config      struct{ Digest string }
		Annotations json.RawMessage
	}
	if err := json.Unmarshal(manifest, &parsed); err != nil {
		return answer{"unanswerable": "pushed manifest: " + err.Error()}
	}
	result["manifest"] = string(manifest)
	result["manifest_digest"] = digestOf(manifest)
	result["config"] = string(fake.blobs[parsed.Config.Digest])
	result["annotations_json"] = string(parsed.Annotations)
	return result
}

// archiveOf makes an archive that holds nothing but a Chart.yaml.
func archiveOf(chartYAML string) []byte {
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	writer := tar.NewWriter(zipped)
	header := tar.Header{Name: "foo/Chart.yaml", Mode: 0o644, Size: int64(len(chartYAML)), ModTime: archiveTime, Typeflag: tar.TypeReg}
	err := errors.Join(writer.WriteHeader(&header), write(writer, chartYAML), writer.Close(), zipped.Close())
	if err != nil {
		panic(err)
	}
	return out.Bytes()
}

func write(to io.Writer, text string) error {
	_, err := io.WriteString(to, text)
	return err
}

// packagedChartYAML reads the first entry of a package, which is its Chart.yaml.
func packagedChartYAML(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	zipped, err := gzip.NewReader(file)
	if err != nil {
		return "", err
	}
	reader := tar.NewReader(zipped)
	if _, err := reader.Next(); err != nil {
		return "", err
	}
	text, err := io.ReadAll(reader)
	return string(text), err
}
