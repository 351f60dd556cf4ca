package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"sort"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/chart/common"
	generic "helm.sh/helm/v4/pkg/chart/loader"
	"helm.sh/helm/v4/pkg/chart/loader/archive"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
)

// load gives the verdict over an archive: its files, then the chart they make.
func load(q *question) answer {
	data := q.Tgz
	if q.Path != "" {
		read, err := os.ReadFile(q.Path)
		if err != nil {
			return answer{"unanswerable": err.Error()}
		}
		data = read
	}
	result := answer{}
	if files, err := archive.LoadArchiveFiles(bytes.NewReader(data)); err != nil {
		result["files_error"] = err.Error()
	} else {
		rows := make([][]any, len(files))
		for i, file := range files {
			rows[i] = fileRow(file.Name, file.Data)
		}
		result["files"] = rows
	}
	loaded, err := loader.LoadArchive(bytes.NewReader(data))
	describe(result, loaded, err)
	// What loads charts of any version says, as in `helm install`.
	if _, genericErr := generic.LoadArchive(bytes.NewReader(data)); genericErr != nil && (err == nil || genericErr.Error() != err.Error()) {
		result["generic_error"] = genericErr.Error()
	}
	if q.Path != "" {
		// What `helm push` says, which looks at the first bytes before.
		if _, fileErr := loader.LoadFile(q.Path); fileErr != nil && (err == nil || fileErr.Error() != err.Error()) {
			result["file_error"] = fileErr.Error()
		}
	}
	return result
}

// loadDir gives the verdict over a directory, ignore rules applied.
func loadDir(q *question) answer {
	result := answer{}
	loaded, err := loader.LoadDir(q.Path)
	if err == nil {
		rows := make([][]any, len(loaded.Raw))
		for i, file := range loaded.Raw {
			rows[i] = fileRow(file.Name, file.Data)
		}
		result["files"] = rows
	}
	describe(result, loaded, err)
	// What `helm package` says, which looks at the apiVersion before.
	if _, genericErr := generic.LoadDir(q.Path); genericErr != nil && (err == nil || genericErr.Error() != err.Error()) {
		result["package_error"] = genericErr.Error()
	}
	return result
}

// packageDir runs `helm package` in this process.
func packageDir(q *question) answer {
	path, err := packageTo(q.Path, q.Dest, q.Version, q.AppVersion)
	if err != nil {
		return failed(err)
	}
	return answer{"path": path}
}

func packageTo(dir, dest, version, appVersion string) (string, error) {
	run := action.NewPackage()
	run.Destination = dest
	run.Version = version
	run.AppVersion = appVersion
	return run.Run(dir, nil)
}

// describe fills in what the loader made, or its error.
func describe(result answer, loaded *chart.Chart, err error) {
	if err != nil {
		result["error"] = err.Error()
		return
	}
	result["name"] = loaded.Metadata.Name
	result["version"] = loaded.Metadata.Version
	result["templates"] = names(loaded.Templates)
	result["other_files"] = names(loaded.Files)
	// Helm visits subcharts through a map: their order means nothing.
	dependencies := []string{}
	for _, dependency := range loaded.Dependencies() {
		dependencies = append(dependencies, dependency.Metadata.Name+"-"+dependency.Metadata.Version)
	}
	sort.Strings(dependencies)
	result["dependencies"] = dependencies
	withJSON(result, "metadata", loaded.Metadata)
	withJSON(result, "values", loaded.Values)
	if loaded.Lock != nil {
		withJSON(result, "lock", loaded.Lock)
	}
	if loaded.Schema != nil {
		result["schema"] = len(loaded.Schema)
	}
}

func names(files []*common.File) []string {
	all := make([]string, len(files))
	for i, file := range files {
		all[i] = file.Name
	}
	return all
}

func fileRow(name string, data []byte) []any {
	sum := sha256.Sum256(data)
	return []any{name, len(data), hex.EncodeToString(sum[:])}
}
