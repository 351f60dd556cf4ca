package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"helm.sh/helm/v4/pkg/registry"
)

// fakeRegistry stands where the network would be: every host is it, every upload succeeds, and it remembers.
type fakeRegistry struct {
	mu        sync.Mutex
	requests  []recorded
	blobs     map[string][]byte
	manifests map[string][]byte
	// What it has for resolving; no tags at all means that the repository is unknown.
	tags    *[]string
	digests map[string]string
}

type recorded struct{ method, host, path string }

var emptySlot, network = newNetwork()

// newNetwork makes Helm's client once, since making one looks for credential helpers on the disk.
func newNetwork() (*slot, *registry.Client) {
	s := &slot{}
	client, err := registry.NewClient(
		registry.ClientOptHTTPClient(&http.Client{Transport: s}),
		registry.ClientOptPlainHTTP(),
		registry.ClientOptWriter(io.Discard),
	)
	if err != nil {
		panic(err)
	}
	return s, client
}

// slot is the transport of the one client; each question puts its own registry there.
type slot struct{ registry *fakeRegistry }

func (s *slot) RoundTrip(request *http.Request) (*http.Response, error) {
	return s.registry.serve(request)
}

// plug makes a new registry the answer to all requests from here on.
func plug(tags *[]string, digests map[string]string) *fakeRegistry {
	emptySlot.registry = &fakeRegistry{
		blobs: map[string][]byte{}, manifests: map[string][]byte{}, tags: tags, digests: digests,
	}
	return emptySlot.registry
}

func (f *fakeRegistry) serve(request *http.Request) (*http.Response, error) {
	body := []byte{}
	if request.Body != nil {
		read, err := io.ReadAll(request.Body)
		if err != nil {
			return nil, err
		}
		body = read
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests = append(f.requests, recorded{request.Method, request.URL.Host, request.URL.Path})
	if _, rest, ok := strings.Cut(request.URL.Path, "/manifests/"); ok {
		return f.manifest(request, rest, body)
	}
	switch {
	case strings.HasSuffix(request.URL.Path, "/tags/list"):
		return f.list(request)
	case request.Method == http.MethodPost:
		location := request.URL.Path + "session"
		return reply(request, http.StatusAccepted, nil, "Location", location)
	case request.Method == http.MethodPut:
		f.blobs[request.URL.Query().Get("digest")] = body
		return reply(request, http.StatusCreated, nil)
	}
	return reply(request, http.StatusNotFound, nil)
}

func (f *fakeRegistry) manifest(request *http.Request, name string, body []byte) (*http.Response, error) {
	const mediaType = "application/vnd.oci.image.manifest.v1+json"
	switch request.Method {
	case http.MethodPut:
		if strings.Contains(name, ":") && name != digestOf(body) {
			return reply(request, http.StatusBadRequest, nil)
		}
		f.manifests[name] = body
		return reply(request, http.StatusCreated, nil)
	case http.MethodHead:
		if digest, ok := f.digests[name]; ok {
			return reply(request, http.StatusOK, nil, "Docker-Content-Digest", digest, "Content-Type", mediaType, "Content-Length", "2")
		}
	case http.MethodGet:
		if content, ok := f.manifests[name]; ok {
			return reply(request, http.StatusOK, content, "Docker-Content-Digest", digestOf(content), "Content-Type", mediaType)
		}
	}
	return reply(request, http.StatusNotFound, nil)
}

func (f *fakeRegistry) list(request *http.Request) (*http.Response, error) {
	if f.tags == nil {
		unknown := `{"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known to registry"}]}`
		return reply(request, http.StatusNotFound, []byte(unknown), "Content-Type", "application/json")
	}
	body, err := json.Marshal(map[string]any{"name": "any", "tags": *f.tags})
	if err != nil {
		return nil, err
	}
	return reply(request, http.StatusOK, body, "Content-Type", "application/json")
}

func reply(request *http.Request, status int, body []byte, headers ...string) (*http.Response, error) {
	header := http.Header{}
	for i := 0; i+1 < len(headers); i += 2 {
		header.Set(headers[i], headers[i+1])
	}
	length := int64(len(body))
	if given := header.Get("Content-Length"); given != "" {
		length, _ = strconv.ParseInt(given, 10, 64)
	}
	return &http.Response{
		StatusCode: status, Status: fmt.Sprintf("%d %s", status, http.StatusText(status)),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: length, Request: request,
	}, nil
}

func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// reference parses one reference as a push without strict mode does, the only public way to Helm's parser.
func reference(q *question) answer {
	fake := plug(nil, nil)
	pushed, err := network.Push(minimalChart, q.Ref, registry.PushOptStrictMode(false), registry.PushOptCreationTime("x"))
	if err != nil && len(fake.requests) == 0 {
		return failed(err)
	}
	first := fake.requests[0]
	repository, _, _ := strings.Cut(strings.TrimPrefix(first.path, "/v2/"), "/manifests/")
	result := answer{"host": first.host, "repository": repository}
	if err != nil {
		result["error_after_first_request"] = err.Error()
		return result
	}
	result["string"] = pushed.Ref
	for _, request := range fake.requests {
		if _, tag, ok := strings.Cut(request.path, "/manifests/"); ok && request.method == http.MethodPut {
			result["put"] = tag
		}
	}
	return result
}

// resolve finds what a pull of the reference with `--version` would fetch.
func resolve(q *question) answer {
	fake := plug(q.Tags, q.Digests)
	parsed, err := url.Parse(q.Ref)
	if err != nil {
		return failed(err)
	}
	digest, found, err := network.ValidateReference(q.Ref, q.Version, parsed)
	requests := []string{}
	for _, request := range fake.requests {
		requests = append(requests, request.method+" "+request.host+request.path)
	}
	if err != nil {
		return answer{"error": err.Error(), "requests": requests}
	}
	return answer{"url": found.String(), "digest": digest, "requests": requests}
}
