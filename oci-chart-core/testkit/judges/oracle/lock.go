package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	_ "unsafe" // for go:linkname

	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/downloader"
	"helm.sh/helm/v4/pkg/getter"
)

// localChart is a chart that stands beside the one whose dependencies are updated.
type localChart struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// lock runs `helm dependency update` over dependencies that are all local: `file://../DIR`, DIR being a key of charts.
func lock(q *question) answer {
	root, err := os.MkdirTemp("", "oracle-")
	if err != nil {
		return answer{"unanswerable": err.Error()}
	}
	defer os.RemoveAll(root)
	parent := filepath.Join(root, "parent")
	manifest := `{"apiVersion":"v2","name":"parent","version":"1.0.0","dependencies":` + string(q.Req) + `}`
	if err := writeChart(parent, manifest); err != nil {
		return answer{"unanswerable": err.Error()}
	}
	for dir, local := range q.Charts {
		text, err := json.Marshal(map[string]string{"apiVersion": "v2", "name": local.Name, "version": local.Version})
		if err == nil {
			err = writeChart(filepath.Join(root, dir), string(text))
		}
		if err != nil {
			return answer{"unanswerable": err.Error()}
		}
	}
	manager := downloader.Manager{
		Out: io.Discard, ChartPath: parent, SkipUpdate: true, Getters: getter.Providers{}, RegistryClient: network,
		RepositoryConfig: filepath.Join(root, "repositories.yaml"), RepositoryCache: filepath.Join(root, "cache"),
		ContentCache: filepath.Join(root, "content"),
	}
	if err := manager.Update(); err != nil {
		return answer{"error": strings.ReplaceAll(err.Error(), root, "DIR")}
	}
	text, err := os.ReadFile(filepath.Join(parent, "Chart.lock"))
	if err != nil {
		return failed(err)
	}
	return answer{"text": string(text), "digest": digestLine(string(text))}
}

func writeChart(dir, manifest string) error {
	return errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(filepath.Join(dir, "Chart.yaml"), []byte(manifest), 0o600))
}

func digestLine(lockText string) string {
	for line := range strings.Lines(lockText) {
		if digest, ok := strings.CutPrefix(line, "digest: "); ok {
			return strings.TrimSpace(digest)
		}
	}
	return ""
}

// lockHash is the digest of any two lists of dependencies, wherever they would come from, and Helm 2's of the first.
func lockHash(q *question) answer {
	var req, locked []*chart.Dependency
	if err := errors.Join(json.Unmarshal(q.Req, &req), json.Unmarshal(q.Lock, &locked)); err != nil {
		return answer{"unanswerable": err.Error()}
	}
	digest, err := hashReq(req, locked)
	if err != nil {
		return failed(err)
	}
	second, err := hashV2Req(req)
	if err != nil {
		return failed(err)
	}
	return answer{"digest": digest, "helm2": second}
}

// The two functions are internal to Helm; linking by name asks them themselves, not a copy.

//go:linkname hashReq helm.sh/helm/v4/internal/resolver.HashReq
func hashReq(req, lock []*chart.Dependency) (string, error)

//go:linkname hashV2Req helm.sh/helm/v4/internal/resolver.HashV2Req
func hashV2Req(req []*chart.Dependency) (string, error)
