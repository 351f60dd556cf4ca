// Command orasgo is a client over oras-go, the library that Helm and oras push with, at its newest version. Plain HTTP; a login comes
// from ORASGO_USER and ORASGO_PASSWORD.
//
//	push HOST/REPOSITORY:TAG CHART.tgz CONFIG.json    prints the manifest's digest
//	pull HOST/REPOSITORY:TAG CHART.tgz                writes the chart layer, prints the manifest's digest
//	list HOST/REPOSITORY                              prints the tags
//	copy HOST/REPOSITORY:TAG HOST/REPOSITORY:TAG      with everything that refers to it, prints the manifest's digest
//	attach HOST/REPOSITORY:TAG TYPE TEXT              prints the digest of a new manifest that refers to the one named
//	referrers HOST/REPOSITORY:TAG                     prints digest and artifact type of what refers to it
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/content/memory"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/retry"
)

const (
	configType = "application/vnd.cncf.helm.config.v1+json"
	chartType  = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "orasgo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) < 2 {
		return errors.New("push, pull, list, copy, attach or referrers, and a reference")
	}
	repository, err := open(args[1])
	if err != nil {
		return err
	}
	switch verb, rest := args[0], args[2:]; {
	case verb == "push" && len(rest) == 2:
		return push(ctx, repository, rest[0], rest[1])
	case verb == "pull" && len(rest) == 1:
		return pull(ctx, repository, rest[0])
	case verb == "list" && len(rest) == 0:
		return repository.Tags(ctx, "", func(tags []string) error {
			for _, tag := range tags {
				fmt.Println(tag)
			}
			return nil
		})
	case verb == "copy" && len(rest) == 1:
		target, err := open(rest[0])
		if err != nil {
			return err
		}
		return told(oras.ExtendedCopy(ctx, repository, tag(repository), target, tag(target), oras.DefaultExtendedCopyOptions))
	case verb == "attach" && len(rest) == 2:
		return attach(ctx, repository, rest[0], rest[1])
	case verb == "referrers" && len(rest) == 0:
		return referrers(ctx, repository)
	}
	return fmt.Errorf("not understood: %q", args)
}

func open(reference string) (*remote.Repository, error) {
	repository, err := remote.NewRepository(reference)
	if err != nil {
		return nil, err
	}
	repository.PlainHTTP = true
	client := &auth.Client{Client: retry.DefaultClient, Cache: auth.NewCache()}
	if user := os.Getenv("ORASGO_USER"); user != "" {
		login := auth.Credential{Username: user, Password: os.Getenv("ORASGO_PASSWORD")}
		client.Credential = auth.StaticCredential(repository.Reference.Registry, login)
	}
	repository.Client = client
	return repository, nil
}

func tag(repository *remote.Repository) string {
	return repository.Reference.Reference
}

// push sends config, chart and the manifest that Helm would write over them, side by side where it can.
func push(ctx context.Context, repository *remote.Repository, chart, config string) error {
	store := memory.New()
	put := func(mediaType, file string) (ocispec.Descriptor, error) {
		data, err := os.ReadFile(file)
		if err != nil {
			return ocispec.Descriptor{}, err
		}
		descriptor := content.NewDescriptorFromBytes(mediaType, data)
		return descriptor, store.Push(ctx, descriptor, bytes.NewReader(data))
	}
	configured, err := put(configType, config)
	if err != nil {
		return err
	}
	layer, err := put(chartType, chart)
	if err != nil {
		return err
	}
	manifest, err := json.Marshal(ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2},
		Config:    configured,
		Layers:    []ocispec.Descriptor{layer},
	})
	if err != nil {
		return err
	}
	root := content.NewDescriptorFromBytes(ocispec.MediaTypeImageManifest, manifest)
	if err := store.Push(ctx, root, bytes.NewReader(manifest)); err != nil {
		return err
	}
	if err := store.Tag(ctx, root, tag(repository)); err != nil {
		return err
	}
	return told(oras.Copy(ctx, store, tag(repository), repository, tag(repository), oras.DefaultCopyOptions))
}

func pull(ctx context.Context, repository *remote.Repository, file string) error {
	store := memory.New()
	root, err := oras.Copy(ctx, repository, tag(repository), store, "", oras.DefaultCopyOptions)
	if err != nil {
		return err
	}
	data, err := content.FetchAll(ctx, store, root)
	if err != nil {
		return err
	}
	var manifest ocispec.Manifest
	if err := json.Unmarshal(data, &manifest); err != nil {
		return err
	}
	for _, layer := range manifest.Layers {
		if layer.MediaType != chartType {
			continue
		}
		chart, err := content.FetchAll(ctx, store, layer)
		if err != nil {
			return err
		}
		if err := os.WriteFile(file, chart, 0o644); err != nil {
			return err
		}
		return told(root, nil)
	}
	return errors.New("no chart in it")
}

func attach(ctx context.Context, repository *remote.Repository, artifactType, text string) error {
	subject, err := repository.Resolve(ctx, tag(repository))
	if err != nil {
		return err
	}
	options := oras.PackManifestOptions{
		Subject:             &subject,
		ManifestAnnotations: map[string]string{"text": text, ocispec.AnnotationCreated: "2000-01-01T00:00:00Z"},
	}
	return told(oras.PackManifest(ctx, repository, oras.PackManifestVersion1_1, artifactType, options))
}

func referrers(ctx context.Context, repository *remote.Repository) error {
	subject, err := repository.Resolve(ctx, tag(repository))
	if err != nil {
		return err
	}
	return repository.Referrers(ctx, subject, "", func(found []ocispec.Descriptor) error {
		for _, referrer := range found {
			fmt.Println(referrer.Digest, referrer.ArtifactType)
		}
		return nil
	})
}

func told(descriptor ocispec.Descriptor, err error) error {
	if err == nil {
		fmt.Println(descriptor.Digest)
	}
	return err
}
