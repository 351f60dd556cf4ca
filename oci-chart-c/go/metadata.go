package ocichart

import (
	"encoding/json"
	"fmt"
)

// Metadata is what a Chart.yaml says.
type Metadata struct {
	Name         string            `json:"name"`
	Version      string            `json:"version"`
	AppVersion   string            `json:"appVersion,omitempty"`
	APIVersion   string            `json:"apiVersion"`
	Description  string            `json:"description,omitempty"`
	Type         string            `json:"type,omitempty"`
	KubeVersion  string            `json:"kubeVersion,omitempty"`
	Home         string            `json:"home,omitempty"`
	Icon         string            `json:"icon,omitempty"`
	Condition    string            `json:"condition,omitempty"`
	Tags         string            `json:"tags,omitempty"`
	Deprecated   bool              `json:"deprecated,omitempty"`
	Sources      []string          `json:"sources,omitempty"`
	Keywords     []string          `json:"keywords,omitempty"`
	Maintainers  []Maintainer      `json:"maintainers,omitempty"`
	Annotations  map[string]string `json:"annotations,omitempty"`
	Dependencies []Requirement     `json:"dependencies,omitempty"`
}

// Maintainer is one who maintains a chart.
type Maintainer struct {
	Name  string `json:"name,omitempty"`
	Email string `json:"email,omitempty"`
	URL   string `json:"url,omitempty"`
}

// Requirement is a chart that another one asks for.
type Requirement struct {
	Name       string   `json:"name"`
	Version    string   `json:"version,omitempty"`
	Repository string   `json:"repository"`
	Condition  string   `json:"condition,omitempty"`
	Alias      string   `json:"alias,omitempty"`
	Tags       []string `json:"tags,omitempty"`
	Enabled    bool     `json:"enabled,omitempty"`
	// ImportValues are texts, or objects with child and parent.
	ImportValues []any `json:"import-values,omitempty"`
}

// Descriptor names content: its media type, digest and size.
type Descriptor struct {
	MediaType    string            `json:"mediaType"`
	Digest       string            `json:"digest"`
	Size         int64             `json:"size"`
	Annotations  map[string]string `json:"annotations,omitempty"`
	ArtifactType string            `json:"artifactType,omitempty"`
}

// document reads what the library wrote; that it cannot be read is a fault of this package.
func document[T any](text string) (*T, error) {
	found := new(T)
	if err := json.Unmarshal([]byte(text), found); err != nil {
		message := fmt.Sprintf("a document of the library cannot be read: %v", err)
		return nil, &Error{Kind: ErrInternal, Message: message, text: message, causes: []error{err}}
	}
	return found, nil
}
