package ocichart_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	ocichart "github.com/oci-chart/oci-chart/oci-chart-c/go"
)

// seen are the requests since the last look.
func (r *registry) seen(t testing.TB) []struct {
	Authorization string
	UserAgent     string `json:"user_agent"`
} {
	var requests []struct {
		Authorization string
		UserAgent     string `json:"user_agent"`
	}
	must(t, json.Unmarshal([]byte(r.tell(t, "log")), &requests))
	return requests
}

func TestWhatAClientIsToldReachesTheRegistry(t *testing.T) {
	server, ctx := serve(t, "--basic", "robot:right"), context.Background()
	target := "oci://" + server.host + "/charts"
	for kind, login := range map[string]ocichart.Credentials{
		"Basic":  {User: "robot", Password: "right"},
		"Bearer": {User: "robot", Password: "right", Token: "a token of the registry's own"},
	} {
		named := client(t, ocichart.ClientOptions{
			Hosts: plain(server.host), UserAgent: "controller/7", Logins: map[string]ocichart.Credentials{server.host: login},
		})
		_, err := named.Push(ctx, web(t), target, &ocichart.PushOptions{Mode: ocichart.Ensure})
		if (err == nil) != (kind == "Basic") {
			t.Errorf("%s: %+v", kind, err)
		}
		requests := server.seen(t)
		shown := 0
		for _, request := range requests {
			if !strings.HasSuffix(request.UserAgent, " controller/7") {
				t.Errorf("%+v", request)
			}
			if request.Authorization == kind {
				shown++
			} else if request.Authorization != "" {
				t.Errorf("%+v, and not %s", request, kind)
			}
		}
		if shown == 0 {
			t.Errorf("%s was never shown: %+v", kind, requests)
		}
	}
}

func TestBoundsAndPoliciesOfAClientHold(t *testing.T) {
	ctx, place, pack := context.Background(), "oci-layout:"+t.TempDir(), web(t)
	free := client(t, ocichart.ClientOptions{})
	_, err := free.Push(ctx, pack, place, &ocichart.PushOptions{Channels: []string{"stable", "latest"}})
	must(t, err)
	tags := got[[]string](t)(free.Tags(ctx, place))
	if !slices.Contains(tags, "stable") || !slices.Contains(tags, "latest") {
		t.Errorf("%v", tags)
	}
	if _, err = free.Pull(ctx, place, &ocichart.PullOptions{WithoutVerification: true, MaxPackageBytes: 10}); !errors.Is(err, ocichart.ErrLimitExceeded) {
		t.Errorf("%+v", err)
	}
	must(t, free.Tag(ctx, place, "^1", "mine", ocichart.Create, ""))
	if err = free.Tag(ctx, place, "^1", "mine", ocichart.Create, ""); !errors.Is(err, ocichart.ErrAlreadyExists) {
		t.Errorf("%+v", err)
	}
	signer := got[*ocichart.Signer](t)(ocichart.GenerateSigner())
	defer signer.Close()
	policy := fmt.Appendf(nil, `{"keys": {"keys": [{"key": %q}], "tlog": "ignore-explicitly"}}`, signer.PublicKey())
	for _, guarded := range []ocichart.ClientOptions{{Policy: policy}, {Policy: policy, CacheDirectory: t.TempDir()}} {
		if _, err = client(t, guarded).Pull(ctx, place, unverified); !errors.Is(err, ocichart.ErrNotSigned) {
			t.Errorf("%+v", err)
		}
	}
	if _, err = free.Pull(ctx, place, nil); !errors.Is(err, ocichart.ErrInvalidInput) {
		t.Errorf("no trust was asked for: %+v", err)
	}
}

func TestWaitsOfAClientHold(t *testing.T) {
	server, ctx := serve(t), context.Background()
	target := "oci://" + server.host + "/charts"
	_, err := client(t, ocichart.ClientOptions{Hosts: plain(server.host)}).Push(ctx, web(t), target, nil)
	must(t, err)
	server.tell(t, "fault GET * 1 retry-after 7")
	_, err = client(t, ocichart.ClientOptions{Hosts: plain(server.host), Attempts: 1}).Tags(ctx, target+"/web")
	var details *ocichart.Error
	if !errors.As(err, &details) || details.Kind != ocichart.ErrRateLimited || details.RetryAfter != 7*time.Second || !details.Retryable {
		t.Errorf("%#v", err)
	}
	// What the library is told of the deadline keeps it from a wait that would outlast that.
	server.tell(t, "fault GET * 1 retry-after 30")
	soon, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	began := time.Now()
	if _, err = client(t, ocichart.ClientOptions{Hosts: plain(server.host)}).Tags(soon, target+"/web"); err == nil || time.Since(began) > 5*time.Second {
		t.Errorf("%+v after %v", err, time.Since(began))
	}
	// A moment is rounded up and never to nothing, which would be the default.
	server.tell(t, "fault GET * 1 delay 20000")
	began = time.Now()
	_, err = client(t, ocichart.ClientOptions{Hosts: plain(server.host), Attempts: 1, RequestTimeout: 1}).Tags(ctx, target+"/web")
	if !errors.Is(err, ocichart.ErrTimeout) || errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 5*time.Second {
		t.Errorf("%+v after %v", err, time.Since(began))
	}
	// Six requests a second, so that four of them take half a second.
	paced := client(t, ocichart.ClientOptions{Hosts: map[string]ocichart.HostOptions{server.host: {PlainHTTP: true, MaxRequestsPerMinute: 360}}})
	began = time.Now()
	for range 4 {
		got[[]string](t)(paced.Tags(ctx, target+"/web"))
	}
	if took := time.Since(began); took < 450*time.Millisecond {
		t.Errorf("it took %v", took)
	}
	var names []string
	for name, err := range paced.ListRepositories(ctx, server.host) {
		must(t, err)
		names = append(names, name)
	}
	if !slices.Equal(names, []string{"charts/web"}) {
		t.Errorf("%v", names)
	}
}

func TestTicksAreNotTold(t *testing.T) {
	client, target := hung(t, ocichart.ClientOptions{})
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	_, err := client.Pull(ctx, target, &ocichart.PullOptions{WithoutVerification: true, OnEvent: func(event ocichart.Event) error {
		t.Errorf("%+v", event)
		return nil
	}})
	if !errors.Is(err, ocichart.ErrTimeout) {
		t.Errorf("%+v", err)
	}
}
