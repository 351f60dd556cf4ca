package ocichart_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	ocichart "github.com/oci-chart/oci-chart/oci-chart-c/go"
)

// pushed is a client and a layout with the chart web in it.
func pushed(t testing.TB) (*ocichart.Client, string, *ocichart.Pushed) {
	client, place := client(t, ocichart.ClientOptions{}), "oci-layout:"+t.TempDir()
	return client, place, got[*ocichart.Pushed](t)(client.Push(context.Background(), web(t), place, nil))
}

func TestKeysOfGoSign(t *testing.T) {
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	keys := map[string]crypto.Signer{
		"ecdsa-p256": got[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)),
		"ecdsa-p384": got[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)),
		"rsa":        got[*rsa.PrivateKey](t)(rsa.GenerateKey(rand.Reader, 2048)),
		"ed25519":    edwards,
	}
	for algorithm, key := range keys {
		client, place, _ := pushed(t)
		signer := got[*ocichart.Signer](t)(ocichart.NewCryptoSigner(key))
		defer signer.Close()
		if !strings.HasPrefix(signer.Algorithm(), algorithm) {
			t.Errorf("%s is %s", algorithm, signer.Algorithm())
		}
		_, err := client.Sign(context.Background(), place, "1.0.0", signer, &ocichart.SignOptions{Created: time.Unix(1700000000, 0)})
		must(t, err)
		pulled := got[*ocichart.Pulled](t)(client.Pull(context.Background(), place, &ocichart.PullOptions{Version: "1.0.0", Policy: trusting(t, signer)}))
		if pulled.Evidence == nil {
			t.Errorf("%s: no evidence", algorithm)
		}
		must(t, pulled.Close())
	}
}

func TestASignersErrorIsTheCalls(t *testing.T) {
	client, place, _ := pushed(t)
	key := got[*ocichart.Signer](t)(ocichart.GenerateSigner())
	away := errors.New("the token was pulled out")
	signer := got[*ocichart.Signer](t)(ocichart.NewSigner(key.PublicKey(), func(context.Context, []byte) ([]byte, error) { return nil, away }))
	if _, err := client.Sign(context.Background(), place, "1.0.0", signer, nil); !errors.Is(err, away) {
		t.Errorf("%+v", err)
	}
	// A signature of another key is not taken for one of this key.
	other := got[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	lying := got[*ocichart.Signer](t)(ocichart.NewSigner(key.PublicKey(), func(_ context.Context, message []byte) ([]byte, error) {
		return other.Sign(rand.Reader, make([]byte, 32), crypto.SHA256)
	}))
	if _, err := client.Sign(context.Background(), place, "1.0.0", lying, nil); err == nil {
		t.Error("signed by a key that it is not")
	}
}

func TestKeysGoOutAndComeBack(t *testing.T) {
	key := got[*ocichart.Signer](t)(ocichart.GenerateSigner())
	text := got[string](t)(key.PrivateKey("secret"))
	again := got[*ocichart.Signer](t)(ocichart.ReadSigner(text, "secret"))
	if again.PublicKey() != key.PublicKey() {
		t.Error("another key came back")
	}
	if _, err := ocichart.ReadSigner(text, "wrong"); err == nil {
		t.Error("any password will do")
	}
	if _, err := ocichart.ReadSigner("no key", ""); err == nil {
		t.Error("any text will do")
	}
}

func TestPublishingIsAllOrNothingToBeSeen(t *testing.T) {
	client, place := client(t, ocichart.ClientOptions{}), "oci-layout:"+t.TempDir()
	first, second := got[*ocichart.Signer](t)(ocichart.GenerateSigner()), got[*ocichart.Signer](t)(ocichart.NewCryptoSigner(got[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))))
	sbom := []byte(`{"spdxVersion":"SPDX-2.3","SPDXID":"SPDXRef-DOCUMENT","name":"web"}`)
	published, err := client.Publish(context.Background(), web(t), place, ocichart.Publication{
		Signers:      []*ocichart.Signer{first, second},
		Sign:         &ocichart.SignOptions{Annotations: map[string]string{"team": "web"}},
		Attachments:  []ocichart.Attachment{{ArtifactType: "application/vnd.example.report", Content: []byte("fine"), Title: "report.txt"}},
		Attestations: []ocichart.Attestation{{Predicate: sbom}},
	}, nil)
	must(t, err)
	if len(published.Signatures) != 2 || len(published.Attachments) != 1 || len(published.Attestations) != 2 || published.Chart.Tag != "1.0.0" {
		t.Errorf("%+v", published)
	}
	verified := got[*ocichart.Verified](t)(client.Verify(context.Background(), place, "1.0.0", trusting(t, second), nil))
	defer verified.Close()
	if verified.Descriptor().Digest != published.Chart.Descriptor.Digest || !json.Valid(verified.Evidence()) {
		t.Errorf("%+v, %s", verified.Descriptor(), verified.Evidence())
	}
	reader, info, err := client.FetchAttachment(context.Background(), place, published.Attachments[0].Digest)
	must(t, err)
	defer reader.Close()
	if text := string(got[[]byte](t)(io.ReadAll(reader))); text != "fine" || info.Title != "report.txt" || info.Bytes != 4 {
		t.Errorf("%q, %+v", text, info)
	}
	count := 0
	for descriptor, err := range client.ListReferrers(context.Background(), place, "1.0.0", "") {
		must(t, err)
		if descriptor.Digest == "" {
			t.Error("a referrer without a digest")
		}
		count++
	}
	if count != 5 {
		t.Errorf("%d referrers", count)
	}
}

func TestWhatWasVerifiedIsPulled(t *testing.T) {
	ctx := context.Background()
	client, place, first := pushed(t)
	elsewhere := "oci-layout:" + t.TempDir()
	key := got[*ocichart.Signer](t)(ocichart.GenerateSigner())
	_, err := client.Sign(ctx, place, "1.0.0", key, nil)
	must(t, err)
	verified := got[*ocichart.Verified](t)(client.Verify(ctx, place, "1.0.0", trusting(t, key), nil))
	_, err = client.Push(ctx, web(t), place, &ocichart.PushOptions{Mode: ocichart.Replace, Created: time.Unix(1, 0)})
	must(t, err)
	for _, options := range []*ocichart.PullVerifiedOptions{nil, {Target: place}} {
		pulled := got[*ocichart.Pulled](t)(client.PullVerified(ctx, verified, options))
		if pulled.Descriptor.Digest != first.Descriptor.Digest || !bytes.Equal(pulled.Evidence, verified.Evidence()) {
			t.Errorf("%+v", pulled)
		}
		must(t, pulled.Close())
	}
	if _, err := client.PullVerified(ctx, verified, &ocichart.PullVerifiedOptions{Target: elsewhere}); !errors.Is(err, ocichart.ErrNotFound) {
		t.Errorf("%+v", err)
	}
	events := 0
	heard := &ocichart.PullVerifiedOptions{OnEvent: func(ocichart.Event) error { events++; return nil }}
	must(t, got[*ocichart.Pulled](t)(client.PullVerified(ctx, verified, heard)).Close())
	if events == 0 {
		t.Error("nothing was told")
	}
	must(t, verified.Close())
	if _, err := client.PullVerified(ctx, verified, nil); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("%+v", err)
	}
}

func TestAPolicyThatIsNotSatisfiedTellsWhatWasSeen(t *testing.T) {
	client, place, _ := pushed(t)
	key := got[*ocichart.Signer](t)(ocichart.GenerateSigner())
	_, err := client.Verify(context.Background(), place, "1.0.0", trusting(t, key), nil)
	var details *ocichart.Error
	if !errors.As(err, &details) || details.Kind != ocichart.ErrNotSigned || !json.Valid(details.Evidence) {
		t.Errorf("%+v", err)
	}
	evidence := got[json.RawMessage](t)(client.Examine(context.Background(), place, "1.0.0", trusting(t, key), nil))
	if !bytes.Contains(evidence, []byte("outcome")) {
		t.Errorf("%s", evidence)
	}
	guarded := got[*ocichart.Client](t)(ocichart.NewClient(&ocichart.ClientOptions{Policy: trusting(t, key)}))
	defer guarded.Close()
	if _, err := guarded.Pull(context.Background(), place, &ocichart.PullOptions{Version: "1.0.0", WithoutVerification: true}); !errors.Is(err, ocichart.ErrNotSigned) {
		t.Errorf("%+v", err)
	}
	if _, err := client.Verify(context.Background(), place, "1.0.0", json.RawMessage("{}"), nil); err == nil {
		t.Error("no policy is one")
	}
}

func TestReadersStream(t *testing.T) {
	server, pack := serve(t), web(t)
	client := client(t, ocichart.ClientOptions{Hosts: plain(server.host)})
	base := "oci://" + server.host + "/charts"
	_, err := client.Push(context.Background(), pack, base, nil)
	must(t, err)
	manifest, descriptor, err := client.FetchManifest(context.Background(), base+"/web", "1.0.0")
	must(t, err)
	if int64(len(manifest)) != descriptor.Size {
		t.Errorf("%d bytes, not %d", len(manifest), descriptor.Size)
	}
	layer := ocichart.Descriptor{MediaType: "application/vnd.cncf.helm.chart.content.v1.tar+gzip", Digest: pack.Digest(), Size: pack.Size()}
	local := got[*ocichart.Reader](t)(pack.Open(context.Background()))
	defer local.Close()
	whole := got[[]byte](t)(io.ReadAll(local))
	remote := got[*ocichart.Reader](t)(client.OpenBlob(context.Background(), base+"/web", layer))
	if !bytes.Equal(got[[]byte](t)(io.ReadAll(iotest.OneByteReader(remote))), whole) {
		t.Error("other bytes came back")
	}
	if n, err := remote.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("%d, %v", n, err)
	}
	must(t, remote.Close())
	must(t, remote.Close())

	file := filepath.Join(t.TempDir(), "layer.tgz")
	must(t, client.FetchBlob(context.Background(), base+"/web", layer, file))
	if !bytes.Equal(got[[]byte](t)(os.ReadFile(file)), whole) {
		t.Error("other bytes came into the file")
	}
	stored := got[*ocichart.Descriptor](t)(client.StoreBlob(context.Background(), base+"/web", "text/plain", []byte("hello"), nil))
	if stored.Size != 5 {
		t.Errorf("%+v", stored)
	}
	other := *stored
	other.Digest = "sha256:" + strings.Repeat("0", 64)
	for _, known := range []struct {
		descriptor ocichart.Descriptor
		is         bool
	}{{*stored, true}, {other, false}} {
		if is := got[bool](t)(client.HasBlob(context.Background(), base+"/web", known.descriptor)); is != known.is {
			t.Errorf("%+v: %t", known.descriptor, is)
		}
	}
	list := []byte(`{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []}`)
	tagged := got[*ocichart.Descriptor](t)(client.StoreBlob(context.Background(), base+"/web", "application/vnd.oci.image.index.v1+json", list, &ocichart.StoreOptions{Tag: "list"}))
	if found := got[*ocichart.Descriptor](t)(client.Resolve(context.Background(), base+"/web:list", "")); found.Digest != tagged.Digest {
		t.Errorf("%+v", found)
	}
	server.tell(t, "fault GET * 1 flip 7")
	flipped := got[*ocichart.Reader](t)(client.OpenBlob(context.Background(), base+"/web", layer))
	defer flipped.Close()
	if _, err := io.ReadAll(flipped); !errors.Is(err, ocichart.ErrDigestMismatch) {
		t.Errorf("%+v", err)
	}
}

func TestClosingEndsARead(t *testing.T) {
	server := serve(t)
	client := client(t, ocichart.ClientOptions{Hosts: plain(server.host)})
	server.tell(t, "fault GET * 1 delay 20000")
	blob := ocichart.Descriptor{MediaType: "text/plain", Digest: "sha256:" + strings.Repeat("0", 64), Size: 1}
	reader := got[*ocichart.Reader](t)(client.OpenBlob(context.Background(), "oci://"+server.host+"/charts/web", blob))
	time.AfterFunc(100*time.Millisecond, func() { reader.Close() })
	began := time.Now()
	if _, err := reader.Read(make([]byte, 1)); !errors.Is(err, context.Canceled) || time.Since(began) > 5*time.Second {
		t.Errorf("%+v after %v", err, time.Since(began))
	}
}

func TestPackagesComeFromStreams(t *testing.T) {
	pack := web(t)
	reader := got[*ocichart.Reader](t)(pack.Open(context.Background()))
	defer reader.Close()
	whole := got[[]byte](t)(io.ReadAll(reader))
	for _, stream := range []io.Reader{bytes.NewReader(whole), iotest.HalfReader(bytes.NewReader(whole)), iotest.DataErrReader(bytes.NewReader(whole))} {
		again := got[*ocichart.Package](t)(ocichart.ReadPackageFrom(context.Background(), stream, nil))
		if again.Digest() != pack.Digest() {
			t.Error("another package came out")
		}
		must(t, again.Close())
	}
	broken := errors.New("the disk is gone")
	if _, err := ocichart.ReadPackageFrom(context.Background(), iotest.ErrReader(broken), nil); !errors.Is(err, broken) || !errors.Is(err, ocichart.ErrCancelled) {
		t.Errorf("%+v", err)
	}
	defer func() {
		if recover() != "no" {
			t.Error("the panic is lost")
		}
	}()
	ocichart.ReadPackageFrom(context.Background(), panicking{}, nil)
}

type panicking struct{}

func (panicking) Read([]byte) (int, error) { panic("no") }

func TestPullSecrets(t *testing.T) {
	secret := ocichart.NewPullSecret()
	defer secret.Close()
	must(t, secret.AddLogin("registry.example", "robot", "hunter2"))
	manifest := got[string](t)(secret.Manifest("pull", "apps"))
	again := got[*ocichart.PullSecret](t)(ocichart.ParsePullSecret([]byte(manifest)))
	defer again.Close()
	user, found, err := again.User("registry.example", "charts/web", ocichart.KubeletKeys)
	must(t, err)
	if !found || user != "robot" {
		t.Errorf("%q, %t", user, found)
	}
	if _, found, err := again.User("other.example", "", ocichart.DockerKeys); err != nil || found {
		t.Errorf("%t, %+v", found, err)
	}
	if config := got[string](t)(again.DockerConfig()); !json.Valid([]byte(config)) {
		t.Error(config)
	}
	server, pack := serve(t, "--basic", "robot:right"), web(t)
	must(t, again.AddLogin(server.host, "robot", "right"))
	client := client(t, ocichart.ClientOptions{Hosts: plain(server.host), PullSecret: again})
	_, err = client.Push(context.Background(), pack, "oci://"+server.host+"/charts", nil)
	must(t, err)
	status := got[*ocichart.LoginStatus](t)(client.LoginStatus(context.Background(), server.host))
	if status == nil || status.Username != "robot" {
		t.Errorf("%+v", status)
	}
}

// fingerprint is that of the key in examples/keys.
const fingerprint = "204211D3126C3775F45D8E6AA3BA7E5A08A8B808"

func TestProvenanceIsSignedAndVerified(t *testing.T) {
	secret := got[[]byte](t)(os.ReadFile("../../examples/keys/signer.secret.asc"))
	public := got[[]byte](t)(os.ReadFile("../../examples/keys/signer.asc"))
	signed := got[*ocichart.Package](t)(web(t).SignProvenance(secret, "", "", time.Time{}))
	defer signed.Close()
	if text := got[[]byte](t)(signed.Provenance()); !bytes.Contains(text, []byte("BEGIN PGP SIGNATURE")) {
		t.Errorf("%s", text)
	}
	policy := got[[]byte](t)(json.Marshal(map[string]any{"pgp": map[string]any{"keyring": string(public), "fingerprints": []string{fingerprint}}}))
	verdict, err := signed.VerifyProvenance(policy, time.Time{})
	must(t, err)
	if !json.Valid(verdict) {
		t.Errorf("%s", verdict)
	}
}

func TestCachesAreKeptAndPruned(t *testing.T) {
	server, pack, directory := serve(t), web(t), t.TempDir()+"/cache"
	client := client(t, ocichart.ClientOptions{Hosts: plain(server.host), CacheDirectory: directory})
	_, err := client.Push(context.Background(), pack, "oci://"+server.host+"/charts", nil)
	must(t, err)
	pulled := got[*ocichart.Pulled](t)(client.Pull(context.Background(), "oci://"+server.host+"/charts/web:1.0.0", unverified))
	must(t, pulled.Close())
	usage := got[*ocichart.CacheUsage](t)(ocichart.UsageOfCache(context.Background(), directory))
	if usage.Entries == 0 || usage.Bytes < pack.Size() {
		t.Errorf("%+v", usage)
	}
	_, err = ocichart.PruneCache(context.Background(), directory, 0)
	must(t, err)
	if usage := got[*ocichart.CacheUsage](t)(ocichart.UsageOfCache(context.Background(), directory)); usage.Bytes != 0 {
		t.Errorf("%+v", usage)
	}
}

func TestEveryClientOptionIsTaken(t *testing.T) {
	authority := got[[]byte](t)(os.ReadFile("../../oci-chart-core/testkit/fixtures/tls/authority.pem"))
	must(t, got[*ocichart.Client](t)(ocichart.NewClient(&ocichart.ClientOptions{
		UserAgent: "test/1", StoredLogins: true, CloudLogins: true,
		Logins: map[string]ocichart.Credentials{
			"a.example": {User: "robot", Password: "x"}, "b.example": {Token: "x"}, "c.example": {IdentityToken: "x"},
		},
		Hosts: map[string]ocichart.HostOptions{"a.example": {
			UncheckedCertificate: true, RootCertificates: [][]byte{authority}, Mirrors: []string{"https://mirror.example/v2/a"},
			MaxRequests: 2, MaxRequestsPerMinute: 60,
		}},
		RootCertificates: [][]byte{authority}, CertsDirectory: t.TempDir(), RegistriesYAML: []byte("mirrors: {}\n"),
		Mirrors: []string{"https://mirror.example"}, Proxy: &ocichart.Proxy{URL: "http://proxy.example:3128", NoProxy: "a.example"},
		Attempts: 2, FirstWait: time.Millisecond, MostWait: time.Second, ConnectTimeout: time.Second, IdleTimeout: time.Second,
		TokenTimeout: time.Second, RequestTimeout: time.Minute, Limits: map[string]uint64{"package_bytes": 1 << 20},
		CacheDirectory: t.TempDir(), CacheBytes: 1 << 20,
	})).Close())
	for name, options := range map[string]ocichart.ClientOptions{
		"limit":  {Limits: map[string]uint64{"no such limit": 1}},
		"policy": {Policy: json.RawMessage("[]")},
		"proxy":  {Proxy: &ocichart.Proxy{URL: "::"}},
		"mirror": {Mirrors: []string{"ftp://x"}},
		"certificate": {Hosts: map[string]ocichart.HostOptions{
			"a.example": {ClientCertificate: []byte("x"), ClientKey: []byte("y")},
		}},
	} {
		if _, err := ocichart.NewClient(&options); err == nil {
			t.Errorf("%s: anything will do", name)
		}
	}
}
