package ocichart_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	ocichart "github.com/oci-chart/oci-chart/oci-chart-c/go"
)

// What options say arrives: each is held against what comes of it.

func TestWhatIsLoadedAndPackedIsAsItIsTold(t *testing.T) {
	ctx := context.Background()
	directory := files(t, "web", map[string]string{"Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n", "notes": strings.Repeat("x", 2000)})
	chart := got[*ocichart.Chart](t)(ocichart.LoadChart(ctx, directory, nil))
	defer chart.Close()
	for _, tight := range []ocichart.LoadOptions{{MaxFileBytes: 1000}, {MaxTotalBytes: 1000}} {
		if _, err := ocichart.LoadChart(ctx, directory, &tight); !errors.Is(err, ocichart.ErrLimitExceeded) {
			t.Errorf("%+v: %+v", tight, err)
		}
	}
	pack := got[*ocichart.Package](t)(chart.Package(ctx, &ocichart.PackageOptions{Version: "2.0.0", AppVersion: "7", Time: time.Unix(1700000000, 0), Threads: 1}))
	defer pack.Close()
	if metadata := got[*ocichart.Metadata](t)(pack.Metadata()); metadata.Version != "2.0.0" || metadata.AppVersion != "7" {
		t.Errorf("%+v", metadata)
	}
	other := got[*ocichart.Package](t)(chart.Package(ctx, &ocichart.PackageOptions{Version: "2.0.0", AppVersion: "7", Time: time.Unix(1700000001, 0)}))
	defer other.Close()
	if pack.Digest() == other.Digest() {
		t.Error("the time is not in it")
	}
	junk := append(whole(t, pack), "junk"...)
	for name, read := range map[string]func(*ocichart.LoadOptions) (io.Closer, error){
		"chart":   func(with *ocichart.LoadOptions) (io.Closer, error) { return ocichart.ReadChart(ctx, junk, with) },
		"package": func(with *ocichart.LoadOptions) (io.Closer, error) { return ocichart.ReadPackage(ctx, junk, with) },
		"stream": func(with *ocichart.LoadOptions) (io.Closer, error) {
			return ocichart.ReadPackageFrom(ctx, bytes.NewReader(junk), with)
		},
		"file": func(with *ocichart.LoadOptions) (io.Closer, error) {
			path := filepath.Join(t.TempDir(), "web.tgz")
			must(t, os.WriteFile(path, junk, 0o644))
			return ocichart.LoadPackage(ctx, path, with)
		},
	} {
		found, err := read(nil)
		must(t, err)
		must(t, found.Close())
		if _, err := read(&ocichart.LoadOptions{Strict: true}); !errors.Is(err, ocichart.ErrInvalidArchive) {
			t.Errorf("%s: %+v", name, err)
		}
	}
	outside := filepath.Join(t.TempDir(), "outside")
	must(t, os.WriteFile(outside, nil, 0o644))
	must(t, os.Symlink(outside, filepath.Join(directory, "link")))
	if _, err := ocichart.LoadChart(ctx, directory, nil); err == nil {
		t.Error("a link leads out")
	}
	followed := got[*ocichart.Chart](t)(ocichart.LoadChart(ctx, directory, &ocichart.LoadOptions{FollowOutsideSymlinks: true}))
	must(t, followed.Close())
}

func whole(t testing.TB, pack *ocichart.Package) []byte {
	reader := got[*ocichart.Reader](t)(pack.Open(context.Background()))
	defer reader.Close()
	return got[[]byte](t)(io.ReadAll(reader))
}

func TestLocalWorkEndsWithItsContext(t *testing.T) {
	pack, place := web(t), t.TempDir()
	archive := whole(t, pack)
	chart := got[*ocichart.Chart](t)(pack.Chart(context.Background()))
	defer chart.Close()
	// A reader that waits until the context is done, so that it ends in the middle of the work.
	ctx, cancel := context.WithCancel(context.Background())
	_, err := ocichart.ReadPackageFrom(ctx, readerFunc(func(buffer []byte) (int, error) {
		cancel()
		return copy(buffer, archive[:1]), nil
	}), nil)
	if !errors.Is(err, context.Canceled) || !errors.Is(err, ocichart.ErrCancelled) {
		t.Errorf("%+v", err)
	}
	for name, work := range map[string]func() error{
		"chart":   func() error { _, err := pack.Chart(ctx); return err },
		"package": func() error { _, err := chart.Package(ctx, nil); return err },
		"write":   func() error { _, err := pack.Write(ctx, place); return err },
		"unpack":  func() error { _, err := pack.Unpack(ctx, place); return err },
	} {
		if err := work(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %+v", name, err)
		}
	}
	if left := got[[]os.DirEntry](t)(os.ReadDir(place)); len(left) != 0 {
		t.Errorf("%v", left)
	}
	if path := got[string](t)(pack.Write(context.Background(), place)); filepath.Base(path) != "web-1.0.0.tgz" {
		t.Error(path)
	}
	if path := got[string](t)(pack.Unpack(context.Background(), place)); filepath.Base(path) != "web" {
		t.Error(path)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(buffer []byte) (int, error) { return f(buffer) }

func TestAStreamThatGivesNothingIsNoEnd(t *testing.T) {
	nothing := readerFunc(func([]byte) (int, error) { return 0, nil })
	if _, err := ocichart.ReadPackageFrom(context.Background(), nothing, nil); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("%+v", err)
	}
}

func TestWhatIsPushedAndPulledIsAsItIsTold(t *testing.T) {
	ctx, place, plain := context.Background(), "oci-layout:"+t.TempDir(), web(t)
	client := client(t, ocichart.ClientOptions{})
	var pack *ocichart.Package
	for n := 0; pack == nil; n++ {
		// A provenance file whose digest comes before the package's, so that Helm's order is another.
		if text := fmt.Append(nil, n); fmt.Sprintf("sha256:%x", sha256.Sum256(text)) < plain.Digest() {
			pack = got[*ocichart.Package](t)(plain.WithProvenance(text))
			defer pack.Close()
		}
	}
	push := func(options ocichart.PushOptions) (manifest struct {
		Layers      []ocichart.Descriptor
		Annotations map[string]string
	}) {
		options.Mode = ocichart.Replace
		_, err := client.Push(ctx, pack, place, &options)
		must(t, err)
		text, _, err := client.FetchManifest(ctx, place, "1.0.0")
		must(t, err)
		must(t, json.Unmarshal(text, &manifest))
		return manifest
	}
	ours, helms := push(ocichart.PushOptions{}), push(ocichart.PushOptions{HelmLayerOrder: true, Created: time.Unix(10, 0)})
	if ours.Layers[0].Digest != pack.Digest() || helms.Layers[0].Digest == pack.Digest() {
		t.Errorf("%v, %v", ours.Layers, helms.Layers)
	}
	const created = "org.opencontainers.image.created"
	if ours.Annotations[created] != "" || helms.Annotations[created] != "1970-01-01T00:00:10Z" {
		t.Errorf("%v, %v", ours.Annotations, helms.Annotations)
	}
	manifest, descriptor, err := client.FetchManifest(ctx, place, "1.0.0")
	must(t, err)
	for _, wanted := range []bool{false, true} {
		pulled := got[*ocichart.Pulled](t)(client.Pull(ctx, place, &ocichart.PullOptions{WithoutVerification: true, Provenance: wanted}))
		if provenance := got[[]byte](t)(pulled.Package.Provenance()); (provenance != nil) != wanted {
			t.Errorf("%s", provenance)
		}
		if !bytes.Equal(pulled.Manifest, manifest) || pulled.Descriptor.Digest != descriptor.Digest || pulled.Legacy || pulled.Evidence != nil {
			t.Errorf("%+v", pulled)
		}
		must(t, pulled.Close())
	}
	expecting := &ocichart.PushOptions{Mode: ocichart.Expect, ExpectedDigest: "sha256:" + strings.Repeat("0", 64)}
	if _, err = client.Push(ctx, pack, place, expecting); !errors.Is(err, ocichart.ErrConflict) {
		t.Errorf("%+v", err)
	}
	if err = client.Tag(ctx, place, "1.0.0", "1.0.0", ocichart.Expect, expecting.ExpectedDigest); !errors.Is(err, ocichart.ErrConflict) {
		t.Errorf("%+v", err)
	}
	old := bytes.ReplaceAll(manifest, []byte("application/vnd.cncf.helm.chart.content.v1.tar+gzip"), []byte("application/tar+gzip"))
	kind := "application/vnd.oci.image.manifest.v1+json"
	got[*ocichart.Descriptor](t)(client.StoreBlob(ctx, place, kind, old, &ocichart.StoreOptions{Tag: "old"}))
	stored := &ocichart.StoreOptions{Tag: "old", Mode: ocichart.Expect, ExpectedDigest: expecting.ExpectedDigest}
	if _, err = client.StoreBlob(ctx, place, kind, old, stored); !errors.Is(err, ocichart.ErrConflict) {
		t.Errorf("%+v", err)
	}
	if _, err = client.StoreBlob(ctx, place, kind, old, &ocichart.StoreOptions{Tag: "old", Mode: ocichart.Create}); !errors.Is(err, ocichart.ErrAlreadyExists) {
		t.Errorf("%+v", err)
	}
	pulled := got[*ocichart.Pulled](t)(client.Pull(ctx, place+":old", unverified))
	defer pulled.Close()
	if !pulled.Legacy {
		t.Error("the layer's old type is not told")
	}
}

// layer is the first of a manifest.
func layer(t testing.TB, client *ocichart.Client, target, version string) map[string]any {
	text, _, err := client.FetchManifest(context.Background(), target, version)
	must(t, err)
	var manifest struct{ Layers []ocichart.Descriptor }
	must(t, json.Unmarshal(text, &manifest))
	reader := got[*ocichart.Reader](t)(client.OpenBlob(context.Background(), target, manifest.Layers[0]))
	defer reader.Close()
	var found map[string]any
	must(t, json.Unmarshal(got[[]byte](t)(io.ReadAll(reader)), &found))
	return found
}

func TestWhatIsSignedIsAsItIsTold(t *testing.T) {
	ctx := context.Background()
	client, place, _ := pushed(t)
	elsewhere, key := "oci-layout:"+t.TempDir(), got[*ocichart.Signer](t)(ocichart.GenerateSigner())
	policy, there := trusting(t, key), &ocichart.VerifyOptions{Signatures: elsewhere}
	signed := got[json.RawMessage](t)(client.Sign(ctx, place, "1.0.0", key, &ocichart.SignOptions{
		Formats: ocichart.SignTag, Annotations: map[string]string{"team": "web"}, Identity: "registry.example/charts/web", Signatures: elsewhere,
	}))
	if _, err := client.Verify(ctx, place, "1.0.0", policy, nil); !errors.Is(err, ocichart.ErrNotSigned) {
		t.Errorf("%+v", err)
	}
	must(t, got[*ocichart.Verified](t)(client.Verify(ctx, place, "1.0.0", policy, there)).Close())
	var kept struct {
		SignatureTag struct{ Manifest ocichart.Descriptor }
		Kept         []string
	}
	must(t, json.Unmarshal(signed, &kept))
	payload := fmt.Sprint(layer(t, client, elsewhere, kept.SignatureTag.Manifest.Digest))
	if !strings.Contains(payload, "team:web") || !strings.Contains(payload, "docker-reference:registry.example/charts/web") {
		t.Error(payload)
	}
	for _, anyway := range []bool{false, true} {
		again := got[json.RawMessage](t)(client.Sign(ctx, place, "1.0.0", key, &ocichart.SignOptions{Formats: ocichart.SignTag, Signatures: elsewhere, Annotations: map[string]string{"team": "web"}, Identity: "registry.example/charts/web", Anyway: anyway}))
		kept.Kept = nil
		must(t, json.Unmarshal(again, &kept))
		if (len(kept.Kept) == 0) != anyway {
			t.Errorf("%s", again)
		}
	}
	// The time of the check decides about keys that have theirs.
	dated := bytes.Replace(policy, []byte(`"key":`), []byte(`"notAfter": "2020-01-01T00:00:00Z", "key":`), 1)
	if _, err := client.Verify(ctx, place, "1.0.0", dated, there); err == nil {
		t.Error("the key is too old")
	}
	then := &ocichart.VerifyOptions{Signatures: elsewhere, Now: time.Unix(1500000000, 0)}
	must(t, got[*ocichart.Verified](t)(client.Verify(ctx, place, "1.0.0", dated, then)).Close())
	check := ocichart.BundleCheck{Bundle: []byte("{}"), Artifact: []byte("x"), Signer: json.RawMessage(`{"identities": []}`)}
	_, without := ocichart.VerifyBundle(check)
	check.TrustRoot = json.RawMessage("no root")
	if _, with := ocichart.VerifyBundle(check); with == nil || without == nil || with.Error() == without.Error() {
		t.Errorf("%v, %v", with, without)
	}
	check.TrustRoot, check.Digest = nil, "sha256:"+strings.Repeat("0", 64)
	if _, err := ocichart.VerifyBundle(check); !errors.Is(err, ocichart.ErrInvalidInput) || !strings.Contains(err.Error(), "both") {
		t.Errorf("%+v", err)
	}
}

func TestWhatIsPublishedIsAsItIsTold(t *testing.T) {
	ctx, place, elsewhere := context.Background(), "oci-layout:"+t.TempDir(), "oci-layout:"+t.TempDir()
	client, key, events := client(t, ocichart.ClientOptions{}), got[*ocichart.Signer](t)(ocichart.GenerateSigner()), 0
	attachment := ocichart.Attachment{
		ArtifactType: "application/x.report", Content: []byte("fine"), Title: "report.txt", LayerType: "text/plain",
		Annotations: map[string]string{"team": "web"}, Created: time.Unix(10, 0),
	}
	published, err := client.Publish(ctx, web(t), place, ocichart.Publication{
		Signers: []*ocichart.Signer{key}, Sign: &ocichart.SignOptions{Signatures: elsewhere}, Attachments: []ocichart.Attachment{attachment},
	}, &ocichart.PushOptions{Channels: []string{"stable"}, OnEvent: func(ocichart.Event) error { events++; return nil }})
	must(t, err)
	if tags := got[[]string](t)(client.Tags(ctx, place)); !slices.Contains(tags, "stable") || events == 0 {
		t.Errorf("%v, %d events", tags, events)
	}
	must(t, got[*ocichart.Verified](t)(client.Verify(ctx, place, "1.0.0", trusting(t, key), &ocichart.VerifyOptions{Signatures: elsewhere})).Close())
	if _, err = client.Verify(ctx, place, "1.0.0", trusting(t, key), nil); !errors.Is(err, ocichart.ErrNotSigned) {
		t.Errorf("%+v", err)
	}
	reader, info, err := client.FetchAttachment(ctx, place, published.Attachments[0].Digest)
	must(t, err)
	must(t, reader.Close())
	wanted := ocichart.AttachmentInfo{ArtifactType: "application/x.report", LayerType: "text/plain", Title: "report.txt", Annotations: attachment.Annotations, Bytes: 4}
	if created := "org.opencontainers.image.created"; info.Annotations[created] != "" {
		delete(info.Annotations, created)
	}
	if info.ArtifactType != wanted.ArtifactType || info.LayerType != wanted.LayerType || info.Title != wanted.Title || info.Bytes != wanted.Bytes || !maps.Equal(info.Annotations, wanted.Annotations) {
		t.Errorf("%+v", info)
	}
	text, _, err := client.FetchManifest(ctx, place+"@"+published.Attachments[0].Digest, "")
	must(t, err)
	if !bytes.Contains(text, []byte("1970-01-01T00:00:10Z")) {
		t.Errorf("%s", text)
	}
	got[json.RawMessage](t)(client.Attach(ctx, place, "1.0.0", ocichart.Attachment{ArtifactType: "text/plain", Content: []byte("more")}))
	for kind, wanted := range map[string]int{"": 2, "text/plain": 1} {
		count := 0
		for _, err := range client.ListReferrers(ctx, place, "1.0.0", kind) {
			must(t, err)
			count++
		}
		if count != wanted {
			t.Errorf("%d of type %q", count, kind)
		}
	}
}

func TestProvenanceIsOfTheKeyAndTheTimeThatAreTold(t *testing.T) {
	secret := got[[]byte](t)(os.ReadFile("../../examples/keys/signer.secret.asc"))
	public := got[[]byte](t)(os.ReadFile("../../examples/keys/signer.asc"))
	pack, later := web(t), time.Unix(1900000000, 0)
	sign := func(at time.Time) *ocichart.Package {
		signed := got[*ocichart.Package](t)(pack.SignProvenance(secret, "signer@example.com", "", at))
		t.Cleanup(func() { signed.Close() })
		return signed
	}
	text := func(pack *ocichart.Package) string { return string(got[[]byte](t)(pack.Provenance())) }
	late := sign(later)
	if text(late) != text(sign(later)) || text(late) == text(sign(later.Add(time.Second))) {
		t.Error("the time is not that of the signature")
	}
	if _, err := pack.SignProvenance(secret, "nobody@example.com", "", later); !errors.Is(err, ocichart.ErrInvalidInput) {
		t.Errorf("%+v", err)
	}
	policy := got[[]byte](t)(json.Marshal(map[string]any{"pgp": map[string]any{"keyring": string(public), "fingerprints": []string{fingerprint}}}))
	got[json.RawMessage](t)(late.VerifyProvenance(policy, later.Add(time.Second)))
	if _, err := late.VerifyProvenance(policy, later.Add(-time.Hour*48)); err == nil {
		t.Error("signed after the time of the check")
	}
	corpus := os.Getenv("OCI_CHART_CORPUS")
	if corpus == "" {
		skip(t, "OCI_CHART_CORPUS")
	}
	ring := got[[]byte](t)(os.ReadFile(corpus + "/helm/provenance/helm-password-key.secret"))
	must(t, got[*ocichart.Package](t)(pack.SignProvenance(ring, "fake@helm.sh", "secret", time.Time{})).Close())
	var details *ocichart.Error
	if _, err := pack.SignProvenance(ring, "fake@helm.sh", "Secret", time.Time{}); !errors.As(err, &details) || details.Reason != "wrong-passphrase" {
		t.Errorf("%+v", err)
	}
}
