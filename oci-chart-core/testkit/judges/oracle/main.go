// Command oracle answers questions with what Helm's own packages say.
//
// It reads one JSON object a line and writes one JSON object a line, in order. README.md beside go.mod lists the
// questions. No question ends the program: an error is an answer, and so is a panic.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"runtime/debug"
	"time"
)

// question holds every input column; each handler reads its own.
type question struct {
	Do string `json:"do"`
	// A text that is not UTF-8 comes as base64 instead.
	Text    string  `json:"text"`
	TextB64 *[]byte `json:"text_b64"`
	JSON    string  `json:"json"`
	Strict  bool    `json:"strict"`

	Rules   string   `json:"rules"`
	Paths   []string `json:"paths"`
	Builtin bool     `json:"builtin"`

	Constraint string   `json:"constraint"`
	Version    string   `json:"version"`
	Versions   []string `json:"versions"`
	A          string   `json:"a"`
	B          string   `json:"b"`

	Path       string `json:"path"`
	Tgz        []byte `json:"tgz"`
	Dest       string `json:"dest"`
	AppVersion string `json:"app_version"`

	Ref     string            `json:"ref"`
	Target  string            `json:"target"`
	Tags    *[]string         `json:"tags"`
	Digests map[string]string `json:"digests"`

	Req    json.RawMessage       `json:"req"`
	Lock   json.RawMessage       `json:"lock"`
	Charts map[string]localChart `json:"charts"`
}

// bytes is the text of a question, in whichever column it came.
func (q *question) bytes() []byte {
	if q.TextB64 != nil {
		return *q.TextB64
	}
	return []byte(q.Text)
}

// answer is one line out.
type answer map[string]any

func failed(err error) answer { return answer{"error": err.Error()} }

var handlers = map[string]func(*question) answer{
	"about":       about,
	"yaml":        yamlToJSON,
	"yaml_string": yamlString,
	"yaml_emit":   yamlEmit,
	"values":      values,
	"ignore":      ignoreRules,
	"constraint":  constraint,
	"version":     version,
	"compare":     compare,
	"newest":      newest,
	"load":        load,
	"load_dir":    loadDir,
	"package":     packageDir,
	"metadata":    metadata,
	"push":        push,
	"reference":   reference,
	"resolve":     resolve,
	"lock":        lock,
	"lock_hash":   lockHash,
}

func main() {
	log.SetOutput(io.Discard)
	slog.SetDefault(slog.New(slog.DiscardHandler))
	// Push writes a file's time in the local zone; answers must not depend on where they are asked.
	time.Local = time.UTC

	lines := make(chan []byte, 1024)
	go read(os.Stdin, lines)
	out := bufio.NewWriterSize(os.Stdout, 1<<16)
	for line := range lines {
		if _, err := out.Write(encode(ask(line))); err != nil {
			os.Exit(1)
		}
		if len(lines) == 0 {
			if err := out.Flush(); err != nil {
				os.Exit(1)
			}
		}
	}
	out.Flush()
}

// read sends each line, however long, and closes the channel at the end of the input.
func read(in io.Reader, lines chan<- []byte) {
	defer close(lines)
	reader := bufio.NewReaderSize(in, 1<<20)
	for {
		line, err := reader.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			lines <- line
		}
		if err != nil {
			return
		}
	}
}

func ask(line []byte) (result answer) {
	defer func() {
		if cause := recover(); cause != nil {
			result = answer{"panic": fmt.Sprint(cause)}
		}
	}()
	var q question
	if err := json.Unmarshal(line, &q); err != nil {
		return answer{"unanswerable": err.Error()}
	}
	handler, ok := handlers[q.Do]
	if !ok {
		return answer{"unanswerable": fmt.Sprintf("no such question: %q", q.Do)}
	}
	return handler(&q)
}

func encode(result answer) []byte {
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(result); err != nil {
		line.Reset()
		fmt.Fprintf(&line, "{\"unanswerable\":%q}\n", err.Error())
	}
	return line.Bytes()
}

// about names the versions that speak, so that a test can tell a stale build.
func about(*question) answer {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return answer{"unanswerable": "no build information"}
	}
	modules := map[string]string{}
	for _, module := range info.Deps {
		switch module.Path {
		case "helm.sh/helm/v4", "sigs.k8s.io/yaml", "go.yaml.in/yaml/v2", "github.com/Masterminds/semver/v3", "oras.land/oras-go/v2":
			modules[module.Path] = module.Version
		}
	}
	return answer{"go": info.GoVersion, "modules": modules}
}
