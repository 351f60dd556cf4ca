package ocichart

// #include "call.h"
import "C"

import (
	"context"
	"encoding/json"
	"iter"
)

// Resolve finds the manifest that is meant: the version, which may be a range or empty, of the target.
func (c *Client) Resolve(ctx context.Context, target, version string) (*Descriptor, error) {
	text, err := c.about(ctx, target, version, func(client *C.oci_chart_client, target, version *C.char, call *C.oci_chart_call, out **C.char, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_client_resolve(client, target, version, call, out, err)
	})
	if err != nil {
		return nil, err
	}
	return document[Descriptor](text)
}

// FetchMetadata is what Chart.yaml says of the chart that is meant, without fetching the chart.
func (c *Client) FetchMetadata(ctx context.Context, target, version string) (*Metadata, error) {
	text, err := c.about(ctx, target, version, func(client *C.oci_chart_client, target, version *C.char, call *C.oci_chart_call, out **C.char, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_client_fetch_metadata(client, target, version, call, out, err)
	})
	if err != nil {
		return nil, err
	}
	return document[Metadata](text)
}

// FetchManifest gives the manifest that is meant, byte for byte and checked, and its descriptor.
func (c *Client) FetchManifest(ctx context.Context, target, version string) ([]byte, *Descriptor, error) {
	var manifest *C.oci_chart_bytes
	text, err := c.about(ctx, target, version, func(client *C.oci_chart_client, target, version *C.char, call *C.oci_chart_call, out **C.char, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_client_fetch_manifest(client, target, version, call, &manifest, out, err)
	})
	if err != nil {
		return nil, nil, err
	}
	data := tookBytes(manifest)
	descriptor, err := document[Descriptor](text)
	return data, descriptor, err
}

// Exists tells whether there is what is meant. That it cannot be said is an error.
func (c *Client) Exists(ctx context.Context, target, version string) (bool, error) {
	var found C.int32_t
	_, err := c.about(ctx, target, version, func(client *C.oci_chart_client, target, version *C.char, call *C.oci_chart_call, _ **C.char, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_client_exists(client, target, version, call, &found, err)
	})
	return found == 1, err
}

// Delete removes what is meant: a tag, or by digest a manifest.
func (c *Client) Delete(ctx context.Context, target, version string) error {
	_, err := c.about(ctx, target, version, func(client *C.oci_chart_client, target, version *C.char, call *C.oci_chart_call, _ **C.char, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_client_delete(client, target, version, call, err)
	})
	return err
}

// Tag lets a tag point at what is meant, under the mode, with the expected digest for [Expect].
func (c *Client) Tag(ctx context.Context, target, version, tag string, mode TagMode, expected string) error {
	var lend lender
	defer lend.free()
	name, digest := lend.text("the tag", tag), lend.optional("the expected digest", expected)
	if err := lend.err(); err != nil {
		return err
	}
	_, err := c.about(ctx, target, version, func(client *C.oci_chart_client, target, version *C.char, call *C.oci_chart_call, _ **C.char, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_client_tag(client, target, version, name, C.int32_t(mode), digest, call, err)
	})
	return err
}

// Tags are all tags, in the store's order. For very many, [Client.ListTags] gives them page by page.
func (c *Client) Tags(ctx context.Context, target string) ([]string, error) {
	text, err := c.about(ctx, target, "", func(client *C.oci_chart_client, target, _ *C.char, call *C.oci_chart_call, out **C.char, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_client_tags(client, target, call, out, err)
	})
	if err != nil {
		return nil, err
	}
	found, err := document[[]string](text)
	if err != nil {
		return nil, err
	}
	return *found, nil
}

// Diagnose looks at the target step by step, and tells as JSON what works there and what does not. Nothing is written. A registry that fails
// is an answer, and no error.
func (c *Client) Diagnose(ctx context.Context, target string) (json.RawMessage, error) {
	text, err := c.about(ctx, target, "", func(client *C.oci_chart_client, target, _ *C.char, call *C.oci_chart_call, out **C.char, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_client_diagnose(client, target, call, out, err)
	})
	return json.RawMessage(text), err
}

// ListTags gives all tags, page by page as they are wanted. An error is the last that it gives.
func (c *Client) ListTags(ctx context.Context, target string) iter.Seq2[string, error] {
	return list[string](c, ctx, func(client *C.oci_chart_client, lend *lender, out **C.oci_chart_list) error {
		place := lend.text("the target", target)
		if err := lend.err(); err != nil {
			return err
		}
		var failure *C.oci_chart_error
		return taken(C.oci_chart_client_list_tags(client, place, out, &failure), failure)
	})
}

// ListRepositories gives the names of all repositories of a registry, page by page as they are wanted; not every registry tells them. An error
// is the last that it gives.
func (c *Client) ListRepositories(ctx context.Context, host string) iter.Seq2[string, error] {
	return list[string](c, ctx, func(client *C.oci_chart_client, lend *lender, out **C.oci_chart_list) error {
		name := lend.text("the host", host)
		if err := lend.err(); err != nil {
			return err
		}
		var failure *C.oci_chart_error
		return taken(C.oci_chart_client_list_repositories(client, name, out, &failure), failure)
	})
}

// ListReferrers gives all manifests that name the one that is meant as their subject, page by page as they are wanted, or those of one
// artifact type where that is not empty. An error is the last that it gives.
func (c *Client) ListReferrers(ctx context.Context, target, version, artifactType string) iter.Seq2[Descriptor, error] {
	return list[Descriptor](c, ctx, func(client *C.oci_chart_client, lend *lender, out **C.oci_chart_list) error {
		place, of, wanted := lend.text("the target", target), lend.optional("the version", version), lend.optional("the artifact type", artifactType)
		if err := lend.err(); err != nil {
			return err
		}
		return do(ctx, c.callbacks(), func(call *C.oci_chart_call, err **C.oci_chart_error) C.oci_chart_status {
			return C.oci_chart_client_list_referrers(client, place, of, wanted, call, out, err)
		})
	})
}

func list[T any](c *Client, ctx context.Context, open func(client *C.oci_chart_client, lend *lender, out **C.oci_chart_list) error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		pointer, err := c.use()
		if err != nil {
			yield(none, err)
			return
		}
		var lend lender
		defer lend.free()
		var pages *C.oci_chart_list
		err = open((*C.oci_chart_client)(pointer), &lend, &pages)
		// The list does not look back.
		c.done()
		if err != nil {
			yield(none, err)
			return
		}
		defer C.oci_chart_list_free(pages)
		for {
			var page *C.char
			err := do(ctx, c.callbacks(), func(call *C.oci_chart_call, err **C.oci_chart_error) C.oci_chart_status {
				return C.oci_chart_list_next(pages, call, &page, err)
			})
			if err != nil {
				yield(none, err)
				return
			}
			if page == nil {
				return
			}
			items, err := document[[]T](took(page))
			if err != nil {
				yield(none, err)
				return
			}
			for _, item := range *items {
				if !yield(item, nil) {
					return
				}
			}
		}
	}
}

// Target is what a text names.
type Target struct {
	// Location is the repository, or the image layout.
	Location string `json:"location"`
	// Host and Repository are those of a registry's.
	Host       string `json:"host,omitempty"`
	Repository string `json:"repository,omitempty"`
	Tag        string `json:"tag,omitempty"`
	Digest     string `json:"digest,omitempty"`
	// Selector is what is meant: a tag, a digest, a range.
	Selector string `json:"selector"`
}

// ParseTarget takes a target apart: oci://HOST/REPOSITORY[:TAG][@DIGEST] or oci-layout:DIRECTORY[:TAG][@DIGEST].
func ParseTarget(target string) (*Target, error) {
	var lend lender
	defer lend.free()
	text := lend.text("the target", target)
	if err := lend.err(); err != nil {
		return nil, err
	}
	var out *C.char
	var failure *C.oci_chart_error
	if err := taken(C.oci_chart_target_parse(text, &out, &failure), failure); err != nil {
		return nil, err
	}
	return document[Target](took(out))
}

// Matches tells whether a version satisfies a constraint (^1.2, >=1.2 <2), by Helm's rules.
func Matches(constraint, version string) (bool, error) {
	var lend lender
	defer lend.free()
	wanted, has := lend.text("the constraint", constraint), lend.text("the version", version)
	if err := lend.err(); err != nil {
		return false, err
	}
	var out C.int32_t
	var failure *C.oci_chart_error
	err := taken(C.oci_chart_version_matches(wanted, has, &out, &failure), failure)
	return out == 1, err
}

// about makes a call about what a target and a version, which may be empty, mean.
func (c *Client) about(ctx context.Context, target, version string, work func(client *C.oci_chart_client, target, version *C.char, call *C.oci_chart_call, out **C.char, err **C.oci_chart_error) C.oci_chart_status) (string, error) {
	return c.aboutWith(ctx, callbacks{}, target, version, work)
}

func (c *Client) aboutWith(ctx context.Context, with callbacks, target, version string, work func(client *C.oci_chart_client, target, version *C.char, call *C.oci_chart_call, out **C.char, err **C.oci_chart_error) C.oci_chart_status) (string, error) {
	var lend lender
	defer lend.free()
	place, of := lend.text("the target", target), lend.optional("the version", version)
	if err := lend.err(); err != nil {
		return "", err
	}
	return c.text(ctx, with, func(client *C.oci_chart_client, call *C.oci_chart_call, out **C.char, err **C.oci_chart_error) C.oci_chart_status {
		return work(client, place, of, call, out, err)
	})
}

// callbacks are those that every call of the client has.
func (c *Client) callbacks() callbacks {
	return callbacks{credentials: c.credentials, request: c.request}
}
