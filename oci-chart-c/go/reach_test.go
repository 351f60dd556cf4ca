package ocichart_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	ocichart "github.com/oci-chart/oci-chart/oci-chart-c/go"
)

// How a client reaches registries, who it says it is, and what it tells meanwhile.

const fixtures = "../../oci-chart-core/testkit/fixtures/tls/"

func pem(t testing.TB, name string) []byte { return got[[]byte](t)(os.ReadFile(fixtures + name)) }

func push(t testing.TB, server *registry, options ocichart.ClientOptions) error {
	options.Attempts = max(options.Attempts, 1)
	_, err := client(t, options).Push(context.Background(), web(t), "oci://"+server.host+"/charts", &ocichart.PushOptions{Mode: ocichart.Ensure})
	return err
}

func TestCertificatesAreTrustedAndShownAsTheyAreTold(t *testing.T) {
	server, authority := serve(t, "--tls"), pem(t, "authority.pem")
	if err := push(t, server, ocichart.ClientOptions{}); !errors.Is(err, ocichart.ErrTLS) {
		t.Errorf("%+v", err)
	}
	directory := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(directory, server.host), 0o755))
	must(t, os.WriteFile(filepath.Join(directory, server.host, "ca.crt"), authority, 0o644))
	host := func(options ocichart.HostOptions) map[string]ocichart.HostOptions {
		return map[string]ocichart.HostOptions{server.host: options}
	}
	for way, options := range map[string]ocichart.ClientOptions{
		"root":           {RootCertificates: [][]byte{authority}},
		"root of a host": {Hosts: host(ocichart.HostOptions{RootCertificates: [][]byte{authority}})},
		"unchecked":      {Hosts: host(ocichart.HostOptions{UncheckedCertificate: true})},
		"directory":      {CertsDirectory: directory},
	} {
		if err := push(t, server, options); err != nil {
			t.Errorf("%s: %+v", way, err)
		}
	}
	mutual := serve(t, "--mutual-tls")
	if err := push(t, mutual, ocichart.ClientOptions{RootCertificates: [][]byte{authority}}); err == nil {
		t.Error("no certificate is asked for")
	}
	must(t, push(t, mutual, ocichart.ClientOptions{
		RootCertificates: [][]byte{authority},
		Hosts: map[string]ocichart.HostOptions{mutual.host: {
			ClientCertificate: pem(t, "certificate.pem"), ClientKey: pem(t, "key.pem"),
		}},
	}))
}

func TestLoginsComeFromWhereTheyAreToldToComeFrom(t *testing.T) {
	server, ctx := serve(t, "--basic", "robot:right"), context.Background()
	host := server.host
	yaml := fmt.Appendf(nil, "configs:\n  %q:\n    auth: { username: robot, password: right }\n", host)
	must(t, push(t, server, ocichart.ClientOptions{Hosts: plain(host), RegistriesYAML: yaml}))

	// The login of another repository at the host.
	config := fmt.Sprintf(`{"auths": {"%s/other": {"username": "robot", "password": "right"}}}`, host)
	manifest := got[[]byte](t)(json.Marshal(map[string]any{
		"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/dockerconfigjson", "stringData": map[string]string{".dockerconfigjson": config},
	}))
	secret := got[*ocichart.PullSecret](t)(ocichart.ParsePullSecret(manifest))
	defer secret.Close()
	for rule, wanted := range map[ocichart.KeyRule]bool{ocichart.DockerKeys: true, ocichart.PodmanKeys: false} {
		err := push(t, server, ocichart.ClientOptions{Hosts: plain(host), PullSecret: secret, PullSecretRule: rule})
		_, found, problem := secret.User(host, "charts/web", rule)
		must(t, problem)
		if (err == nil) != wanted || found != wanted {
			t.Errorf("%d: %t, %+v", rule, found, err)
		}
	}

	directory := t.TempDir()
	t.Setenv("DOCKER_CONFIG", directory)
	t.Setenv("HELM_REGISTRY_CONFIG", directory+"/none")
	t.Setenv("REGISTRY_AUTH_FILE", directory+"/none")
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	auths := fmt.Sprintf(`{"auths": {"%s": {"auth": "cm9ib3Q6cmlnaHQ="}}}`, host)
	must(t, os.WriteFile(directory+"/config.json", []byte(auths), 0o600))
	if status := got[*ocichart.LoginStatus](t)(client(t, ocichart.ClientOptions{}).LoginStatus(ctx, host)); status != nil {
		t.Errorf("%+v", status)
	}
	stored := client(t, ocichart.ClientOptions{StoredLogins: true})
	if status := got[*ocichart.LoginStatus](t)(stored.LoginStatus(ctx, host)); status == nil || status.Username != "robot" || status.Origin == "" {
		t.Errorf("%+v", status)
	}
	if logins := got[[]ocichart.StoredLogin](t)(stored.StoredLogins(ctx)); len(logins) != 1 || logins[0].Key != host || logins[0].Username != "robot" || logins[0].Origin == "" {
		t.Errorf("%+v", logins)
	}
	// Whom the cloud is asked for, through a proxy that is nowhere.
	for _, cloud := range []bool{false, true} {
		options := ocichart.ClientOptions{CloudLogins: cloud, Attempts: 1, Proxy: &ocichart.Proxy{URL: "http://127.0.0.1:9"}}
		_, err := client(t, options).LoginStatus(ctx, "123456789012.dkr.ecr.eu-west-1.amazonaws.com")
		if (err != nil) != cloud {
			t.Errorf("%+v", err)
		}
	}
	tokens := serve(t, "--bearer", "robot:right")
	for _, identity := range []bool{false, true} {
		file := filepath.Join(t.TempDir(), "logins.json")
		with := &ocichart.LoginOptions{Place: ocichart.FileLogins, File: file, IdentityToken: identity}
		login := got[*ocichart.Login](t)(client(t, ocichart.ClientOptions{Hosts: plain(tokens.host)}).Login(ctx, tokens.host, "robot", "right", with))
		if text := string(got[[]byte](t)(os.ReadFile(file))); strings.Contains(text, "identitytoken") != identity || !login.Verified {
			t.Errorf("%+v: %s", login, text)
		}
	}
	file := filepath.Join(t.TempDir(), "logins.json")
	unasked := &ocichart.LoginOptions{Place: ocichart.FileLogins, File: file, Unverified: true}
	if login := got[*ocichart.Login](t)(client(t, ocichart.ClientOptions{Hosts: plain(host)}).Login(ctx, host, "robot", "wrong", unasked)); login.Verified {
		t.Errorf("%+v", login)
	}
	// Only a token of the registry's own goes to the registry itself.
	server.seen(t)
	for kind, login := range map[string]ocichart.Credentials{"Basic": {IdentityToken: "long-lived"}, "Bearer": {Token: "own"}} {
		if err := push(t, server, ocichart.ClientOptions{Hosts: plain(host), Logins: map[string]ocichart.Credentials{host: login}}); err == nil {
			t.Errorf("%s will do", kind)
		}
		for _, request := range server.seen(t) {
			if request.Authorization != "" && request.Authorization != kind {
				t.Errorf("%+v, and not %s", request, kind)
			}
		}
	}
}

func TestACallbackMayGiveAToken(t *testing.T) {
	server := serve(t, "--basic", "robot:right")
	err := push(t, server, ocichart.ClientOptions{Hosts: plain(server.host), Credentials: func(context.Context, string) (*ocichart.Credentials, error) {
		return &ocichart.Credentials{User: "robot", Password: "right", Token: "own"}, nil
	}})
	if err == nil {
		t.Error("the password was used")
	}
	shown := ""
	for _, request := range server.seen(t) {
		shown += request.Authorization
	}
	if !strings.Contains(shown, "Bearer") || strings.Contains(shown, "Basic") {
		t.Error(shown)
	}
}

func TestMirrorsAreReadFirst(t *testing.T) {
	origin, mirror := serve(t), serve(t)
	must(t, push(t, mirror, ocichart.ClientOptions{Hosts: plain(mirror.host)}))
	both := plain(mirror.host)
	both[origin.host] = ocichart.HostOptions{PlainHTTP: true}
	one := plain(mirror.host)
	one[origin.host] = ocichart.HostOptions{PlainHTTP: true, Mirrors: []string{"http://" + mirror.host}}
	for way, options := range map[string]ocichart.ClientOptions{"of all": {Hosts: both, Mirrors: []string{"http://" + mirror.host}}, "of one": {Hosts: one}} {
		pulled, err := client(t, options).Pull(context.Background(), "oci://"+origin.host+"/charts/web:1.0.0", unverified)
		if err != nil {
			t.Errorf("%s: %+v", way, err)
			continue
		}
		must(t, pulled.Close())
	}
}

func TestWaitsAndBoundsAreAsTheyAreTold(t *testing.T) {
	ctx, server := context.Background(), serve(t, "--bearer", "robot:right")
	target := "oci://" + server.host + "/charts"
	logins := map[string]ocichart.Credentials{server.host: {User: "robot", Password: "right"}}
	with := func(options ocichart.ClientOptions) *ocichart.Client {
		options.Hosts, options.Logins = plain(server.host), logins
		return client(t, options)
	}
	must(t, push(t, server, ocichart.ClientOptions{Hosts: plain(server.host), Logins: logins}))
	quick := func(what string, call func() error) error {
		began := time.Now()
		err := call()
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s took %v", what, took)
		}
		return err
	}
	tags := func(client *ocichart.Client) error { _, err := client.Tags(ctx, target+"/web"); return err }
	var details *ocichart.Error
	server.tell(t, "fault * */token* 1 delay 20000")
	hasty := with(ocichart.ClientOptions{Attempts: 1, TokenTimeout: 150 * time.Millisecond})
	if err := quick("a token", func() error { return tags(hasty) }); !errors.Is(err, ocichart.ErrTimeout) {
		t.Errorf("%+v", err)
	}
	server.tell(t, "fault GET */tags/* 1 delay 20000")
	// For an answer's beginning a second more than for a connection is waited, at the least.
	idle := with(ocichart.ClientOptions{Attempts: 1, ConnectTimeout: 100 * time.Millisecond, IdleTimeout: 150 * time.Millisecond})
	if err := quick("a pause", func() error { return tags(idle) }); !errors.As(err, &details) || details.Reason != "idle-timeout" {
		t.Errorf("%+v", err)
	}
	// The first wait would be a minute, the longest is not.
	server.tell(t, "fault GET */tags/* 1 status 503")
	bounded := with(ocichart.ClientOptions{Attempts: 2, FirstWait: time.Minute, MostWait: 10 * time.Millisecond})
	must(t, quick("a wait", func() error { return tags(bounded) }))
	server.tell(t, "fault GET */tags/* 1 status 503")
	began := time.Now()
	must(t, tags(with(ocichart.ClientOptions{FirstWait: 800 * time.Millisecond})))
	if took := time.Since(began); took < 400*time.Millisecond {
		t.Errorf("it took %v", took)
	}
	small := with(ocichart.ClientOptions{Limits: map[string]uint64{"package_bytes": 10}})
	if _, err := small.Pull(ctx, target+"/web:1.0.0", unverified); !errors.Is(err, ocichart.ErrLimitExceeded) {
		t.Errorf("%+v", err)
	}
	used := func(bound uint64) int64 {
		directory := t.TempDir() + "/cache"
		pulled := got[*ocichart.Pulled](t)(with(ocichart.ClientOptions{CacheDirectory: directory, CacheBytes: bound}).Pull(ctx, target+"/web:1.0.0", unverified))
		must(t, pulled.Close())
		usage := got[*ocichart.CacheUsage](t)(ocichart.UsageOfCache(ctx, directory))
		_, err := ocichart.PruneCache(ctx, directory, uint64(usage.Bytes))
		must(t, err)
		if after := got[*ocichart.CacheUsage](t)(ocichart.UsageOfCache(ctx, directory)); after.Bytes != usage.Bytes {
			t.Errorf("%+v of %+v", after, usage)
		}
		return usage.Bytes
	}
	if all := used(0); used(uint64(all)-1) >= all {
		t.Error("the bound is none")
	}
	// One request at a time.
	slow := serve(t, "--latency-ms", "100")
	must(t, push(t, slow, ocichart.ClientOptions{Hosts: plain(slow.host)}))
	paced := client(t, ocichart.ClientOptions{Hosts: map[string]ocichart.HostOptions{slow.host: {PlainHTTP: true, MaxRequests: 1}}})
	done := make(chan error)
	began = time.Now()
	for range 4 {
		go func() { _, err := paced.Tags(ctx, "oci://"+slow.host+"/charts/web"); done <- err }()
	}
	for range 4 {
		must(t, <-done)
	}
	if took := time.Since(began); took < 400*time.Millisecond {
		t.Errorf("it took %v", took)
	}
	proxied := client(t, ocichart.ClientOptions{Attempts: 1, Hosts: plain("registry.invalid"), Proxy: &ocichart.Proxy{URL: "http://127.0.0.1:9", NoProxy: ".invalid"}})
	if _, err := proxied.Tags(ctx, "oci://registry.invalid/charts/web"); !errors.As(err, &details) || details.Reason != "name-unknown" {
		t.Errorf("%+v", err)
	}
}

func TestEveryMemberOfAnEventIsTold(t *testing.T) {
	ctx, server := context.Background(), serve(t, "--latency-ms", "5")
	target, events := "oci://"+server.host+"/charts", map[ocichart.EventKind][]ocichart.Event{}
	hear := func(event ocichart.Event) error { events[event.Kind] = append(events[event.Kind], event); return nil }
	noise, state := make([]byte, 2<<20), uint32(1)
	for n := range noise {
		state = state*1664525 + 1013904223
		noise[n] = byte(state >> 24)
	}
	chart := got[*ocichart.Chart](t)(ocichart.LoadChart(ctx, files(t, "web", map[string]string{
		"Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n", "noise": string(noise),
	}), nil))
	defer chart.Close()
	pack := got[*ocichart.Package](t)(chart.Package(ctx, nil))
	defer pack.Close()
	client := client(t, ocichart.ClientOptions{Hosts: plain(server.host), FirstWait: 60 * time.Millisecond, MostWait: 100 * time.Millisecond})
	server.tell(t, "fault HEAD * 1 status 503")
	_, err := client.Push(ctx, pack, target, &ocichart.PushOptions{OnEvent: hear})
	must(t, err)
	_, err = client.Push(ctx, pack, target, &ocichart.PushOptions{Mode: ocichart.Replace, Created: time.Unix(7, 0), OnEvent: hear})
	must(t, err)
	is := func(kind ocichart.EventKind, is func(ocichart.Event) bool) ocichart.Event {
		for _, event := range events[kind] {
			if is(event) {
				return event
			}
		}
		t.Errorf("%d: %+v", kind, events)
		return ocichart.Event{}
	}
	started := is(ocichart.Started, func(event ocichart.Event) bool {
		return event.Digest == pack.Digest() && event.Total == uint64(pack.Size()) && event.Push && event.ID > 0 && strings.HasSuffix(event.MediaType, "tar+gzip")
	})
	is(ocichart.Progress, func(event ocichart.Event) bool { return event.ID == started.ID && event.Bytes > 0 })
	is(ocichart.Finished, func(event ocichart.Event) bool { return event.ID == started.ID })
	is(ocichart.Skipped, func(event ocichart.Event) bool { return event.Digest == pack.Digest() && event.Push })
	is(ocichart.Waiting, func(event ocichart.Event) bool {
		return strings.Contains(event.Text, "/v2/") && strings.Contains(event.Why, "503") && event.Attempt > 0 && event.Wait >= 30*time.Millisecond && event.Wait <= 100*time.Millisecond
	})
	clear(events)
	pulled := got[*ocichart.Pulled](t)(client.Pull(ctx, target+"/web:1.0.0", &ocichart.PullOptions{WithoutVerification: true, OnEvent: hear}))
	defer pulled.Close()
	is(ocichart.Started, func(event ocichart.Event) bool { return event.Digest == pack.Digest() && !event.Push })
}

func TestEveryMemberOfARequestIsTold(t *testing.T) {
	server, told := serve(t, "--latency-ms", "30"), []ocichart.Request(nil)
	must(t, push(t, server, ocichart.ClientOptions{Hosts: plain(server.host)}))
	client := client(t, ocichart.ClientOptions{
		Hosts: plain(server.host), Attempts: 2, FirstWait: 1, MostWait: 1, OnRequest: func(request ocichart.Request) { told = append(told, request) },
	})
	server.tell(t, "fault GET */tags/* 1 drop")
	got[[]string](t)(client.Tags(context.Background(), "oci://"+server.host+"/charts/web"))
	if len(told) != 2 || told[0].Status != 0 || told[0].Error == "" || told[0].Attempt != 1 || told[1].Status != 200 || told[1].Error != "" || told[1].Attempt != 2 || told[1].Time < 25*time.Millisecond {
		t.Errorf("%+v", told)
	}
}

func TestEveryMemberOfAnErrorIsTold(t *testing.T) {
	server := serve(t)
	server.tell(t, "fault GET * 1 retry-after 7")
	_, err := client(t, ocichart.ClientOptions{Hosts: plain(server.host), Attempts: 1}).Tags(context.Background(), "oci://"+server.host+"/charts/web")
	var details *ocichart.Error
	if !errors.As(err, &details) {
		t.Fatalf("%T", err)
	}
	if details.Kind != ocichart.ErrRateLimited || details.Reason == "" || details.Operation == "" || details.Message == "" || details.Hint == "" || details.Context["status"] != "429" ||
		!details.Retryable || details.RetryAfter != 7*time.Second || details.HTTPStatus != 429 || details.Errno != 0 || details.Evidence != nil {
		t.Errorf("%#v", details)
	}
	if !strings.Contains(details.Error(), details.Message) || !strings.Contains(details.Error(), "429") {
		t.Error(details.Error())
	}
	long := fmt.Sprintf("%+v", err)
	for _, part := range []string{"rate-limited: ", "reason: " + details.Reason, "hint: " + details.Hint} {
		if !strings.Contains(long, part) {
			t.Errorf("%q is not in %q", part, long)
		}
	}
	if fmt.Sprintf("%q", err) != fmt.Sprintf("%q", err.Error()) || fmt.Sprintf("%v", err) != err.Error() {
		t.Errorf("%q, %v", err, err)
	}
	_, err = ocichart.LoadChart(context.Background(), "/nowhere", nil)
	if !errors.As(err, &details) || len(details.Causes) == 0 || details.Errno != 2 || !strings.Contains(fmt.Sprintf("%+v", err), "caused by: "+details.Causes[0]) {
		t.Errorf("%#v", details)
	}
}
