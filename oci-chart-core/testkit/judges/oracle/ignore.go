package main

import (
	"bytes"
	"io/fs"
	"path"
	"strings"
	"time"

	"helm.sh/helm/v4/pkg/ignore"
)

// ignoreRules asks each path alone, parents not consulted; a final slash marks a directory and is taken off.
func ignoreRules(q *question) answer {
	text := []byte(q.Rules)
	if q.TextB64 != nil {
		text = *q.TextB64
	}
	rules, err := ignore.Parse(bytes.NewReader(text))
	if err != nil {
		return failed(err)
	}
	if q.Builtin {
		rules.AddDefaults()
	}
	ignored := []string{}
	for _, asked := range q.Paths {
		name, isDir := strings.CutSuffix(asked, "/")
		if rules.Ignore(name, entry{path.Base(name), isDir}) {
			ignored = append(ignored, asked)
		}
	}
	return answer{"ignored": ignored}
}

// entry is as much of a file as the rules look at.
type entry struct {
	name string
	dir  bool
}

func (e entry) Name() string       { return e.name }
func (e entry) IsDir() bool        { return e.dir }
func (e entry) Size() int64        { return 0 }
func (e entry) ModTime() time.Time { return time.Time{} }
func (e entry) Sys() any           { return nil }
func (e entry) Mode() fs.FileMode {
	if e.dir {
		return fs.ModeDir | 0o755
	}
	return 0o644
}
