package ocichart_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	ocichart "github.com/oci-chart/oci-chart/oci-chart-c/go"
)

// hung starts a registry that does not answer within the time of a test, and gives a client and a place there.
func hung(t *testing.T, options ocichart.ClientOptions) (*ocichart.Client, string) {
	server := serve(t)
	server.tell(t, "fault * * 1 delay 20000")
	options.Hosts = plain(server.host)
	return client(t, options), "oci://" + server.host + "/charts/web:1.0.0"
}

func TestACancelledContextStopsACall(t *testing.T) {
	client, target := hung(t, ocichart.ClientOptions{})
	why := errors.New("the user went away")
	ctx, cancel := context.WithCancelCause(context.Background())
	time.AfterFunc(100*time.Millisecond, func() { cancel(why) })
	began := time.Now()
	_, err := client.Pull(ctx, target, unverified)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	for _, wanted := range []error{context.Canceled, why, ocichart.ErrCancelled} {
		if !errors.Is(err, wanted) {
			t.Errorf("%v is not %v", err, wanted)
		}
	}
}

func TestADeadlineEndsACall(t *testing.T) {
	client, target := hung(t, ocichart.ClientOptions{})
	ctx, cancel := context.WithTimeout(context.Background(), 150*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err := client.Pull(ctx, target, unverified)
	if took := time.Since(began); took < 100*time.Millisecond || took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, ocichart.ErrTimeout) {
		t.Errorf("%+v", err)
	}
}

func TestAContextThatIsDoneMakesNoCall(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := ocichart.LoadChart(ctx, "/nowhere", nil)
	var details *ocichart.Error
	if !errors.As(err, &details) || details.Kind != ocichart.ErrCancelled || !errors.Is(err, context.Canceled) {
		t.Errorf("%+v", err)
	}
	late, cancel := context.WithDeadline(context.Background(), time.Now().Add(-time.Second))
	defer cancel()
	if _, err = ocichart.LoadChart(late, "/nowhere", nil); !errors.Is(err, ocichart.ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%+v", err)
	}
}

func TestAnEventsErrorStopsTheCallAndIsItsError(t *testing.T) {
	pack, client := web(t), client(t, ocichart.ClientOptions{})
	enough := errors.New("enough")
	count := 0
	_, err := client.Push(context.Background(), pack, "oci-layout:"+lingering(t), &ocichart.PushOptions{
		OnEvent: func(ocichart.Event) error { count++; return enough },
	})
	if !errors.Is(err, enough) || !errors.Is(err, ocichart.ErrCancelled) || count != 1 {
		t.Errorf("after %d events: %+v", count, err)
	}
}

// lingering is a directory in which a file may still be written to its end when the call is stopped.
func lingering(t *testing.T) string {
	directory := got[string](t)(os.MkdirTemp("", "lingering"))
	t.Cleanup(func() {
		for n := 0; n < 100 && os.RemoveAll(directory) != nil; n++ {
			time.Sleep(20 * time.Millisecond)
		}
	})
	return directory
}

func TestAPanicInACallbackGoesUpThroughTheCall(t *testing.T) {
	pack, client, place := web(t), client(t, ocichart.ClientOptions{}), "oci-layout:"+lingering(t)
	func() {
		defer func() {
			if value := recover(); value != "no" {
				t.Errorf("recovered %v", value)
			}
		}()
		client.Push(context.Background(), pack, place, &ocichart.PushOptions{OnEvent: func(ocichart.Event) error { panic("no") }})
		t.Error("the call returned")
	}()
	// Nothing is held that the next one needs.
	_, err := client.Push(context.Background(), pack, place, &ocichart.PushOptions{Mode: ocichart.Ensure})
	must(t, err)
}

func TestAPanicInACallbackStopsTheWork(t *testing.T) {
	server, pack := serve(t, "--latency-ms", "200"), web(t)
	client, target := client(t, ocichart.ClientOptions{Hosts: plain(server.host)}), "oci://"+server.host+"/charts"
	func() {
		defer func() { recover() }()
		client.Push(context.Background(), pack, target, &ocichart.PushOptions{OnEvent: func(ocichart.Event) error { panic("no") }})
	}()
	// Longer than the rest of the push would take.
	time.Sleep(2 * time.Second)
	if got[bool](t)(client.Exists(context.Background(), target+"/web:1.0.0", "")) {
		t.Error("what nobody waits for was pushed all the same")
	}
}

func TestEventsTellWhatIsMoved(t *testing.T) {
	pack, client := web(t), client(t, ocichart.ClientOptions{})
	goroutine := func() string {
		line, _, _ := strings.Cut(string(stack()), "[")
		return line
	}
	caller, started := goroutine(), map[string]uint64{}
	_, err := client.Push(context.Background(), pack, "oci-layout:"+t.TempDir(), &ocichart.PushOptions{
		OnEvent: func(event ocichart.Event) error {
			if goroutine() != caller {
				t.Error("not the goroutine that called")
			}
			if event.Kind == ocichart.Started && event.Push {
				started[event.Digest] = event.Total
			}
			return nil
		},
	})
	must(t, err)
	if started[pack.Digest()] != uint64(pack.Size()) || len(started) != 3 {
		t.Errorf("%v", started)
	}
}

func stack() []byte {
	buffer := make([]byte, 64)
	return buffer[:runtime.Stack(buffer, false)]
}

func TestRequestsAreToldOnTheCallersGoroutine(t *testing.T) {
	server, pack := serve(t), web(t)
	var told []ocichart.Request
	client := client(t, ocichart.ClientOptions{
		Hosts: plain(server.host),
		// Without a lock, which the race detector minds where it is another goroutine.
		OnRequest: func(request ocichart.Request) { told = append(told, request) },
	})
	_, err := client.Push(context.Background(), pack, "oci://"+server.host+"/charts", nil)
	must(t, err)
	if len(told) < 4 {
		t.Fatalf("%+v", told)
	}
	for _, request := range told {
		if request.Method == "" || !strings.HasPrefix(request.URL, "http://"+server.host+"/v2/") || request.Status == 0 || request.Attempt != 1 {
			t.Errorf("%+v", request)
		}
	}
}

func TestCredentialsAreAskedFor(t *testing.T) {
	server, pack := serve(t, "--basic", "robot:right"), web(t)
	target := "oci://" + server.host + "/charts"
	asked := 0
	with := func(credentials func(context.Context, string) (*ocichart.Credentials, error)) *ocichart.Client {
		return client(t, ocichart.ClientOptions{Hosts: plain(server.host), Credentials: credentials})
	}
	good := with(func(_ context.Context, host string) (*ocichart.Credentials, error) {
		if asked++; host != server.host {
			t.Errorf("asked for %s", host)
		}
		return &ocichart.Credentials{User: "robot", Password: "right"}, nil
	})
	_, err := good.Push(context.Background(), pack, target, nil)
	must(t, err)
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
	none := with(func(context.Context, string) (*ocichart.Credentials, error) { return nil, nil })
	if _, err = none.Pull(context.Background(), target+"/web", unverified); !errors.Is(err, ocichart.ErrUnauthenticated) {
		t.Errorf("%+v", err)
	}
	vault := errors.New("the vault is sealed")
	failing := with(func(context.Context, string) (*ocichart.Credentials, error) { return nil, vault })
	if _, err = failing.Pull(context.Background(), target+"/web", unverified); !errors.Is(err, vault) {
		t.Errorf("%+v", err)
	}
	cut := with(func(context.Context, string) (*ocichart.Credentials, error) {
		return &ocichart.Credentials{User: "robot", Password: "right\x00"}, nil
	})
	if _, err = cut.Pull(context.Background(), target+"/web", unverified); !errors.Is(err, ocichart.ErrInvalidInput) {
		t.Errorf("%+v", err)
	}
}

func TestACallInACallbackNeedsNoPlaceOfItsOwn(t *testing.T) {
	ocichart.SetMaxCalls(1)
	defer ocichart.SetMaxCalls(ocichart.DefaultMaxCalls)
	server, pack, place := serve(t, "--basic", "robot:right"), web(t), "oci-layout:"+t.TempDir()
	inner := client(t, ocichart.ClientOptions{})
	outer := client(t, ocichart.ClientOptions{
		Hosts: plain(server.host),
		Credentials: func(ctx context.Context, _ string) (*ocichart.Credentials, error) {
			_, err := inner.Push(ctx, pack, place, &ocichart.PushOptions{Mode: ocichart.Ensure})
			return &ocichart.Credentials{User: "robot", Password: "right"}, err
		},
	})
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, err := outer.Push(ctx, pack, "oci://"+server.host+"/charts", nil)
	must(t, err)
}

func TestCallsWaitForTheirTurn(t *testing.T) {
	ocichart.SetMaxCalls(1)
	defer ocichart.SetMaxCalls(ocichart.DefaultMaxCalls)
	client, target := hung(t, ocichart.ClientOptions{})
	first, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Add(1)
	go func() {
		defer running.Done()
		client.Pull(first, target, unverified)
	}()
	time.Sleep(100 * time.Millisecond)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := ocichart.LoadChart(ctx, t.TempDir(), nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%+v", err)
	}
	stop()
	running.Wait()
	if _, err := ocichart.LoadChart(context.Background(), t.TempDir(), nil); !errors.Is(err, ocichart.ErrInvalidChart) {
		t.Errorf("%+v", err)
	}
}

func TestErrorsHaveDetails(t *testing.T) {
	server := serve(t)
	server.tell(t, "fault GET * 1 status 403")
	client := client(t, ocichart.ClientOptions{Hosts: plain(server.host)})
	_, err := client.Pull(context.Background(), "oci://"+server.host+"/charts/web:1.0.0", unverified)
	var details *ocichart.Error
	if !errors.As(err, &details) {
		t.Fatalf("%T", err)
	}
	if details.Kind != ocichart.ErrPermissionDenied || details.HTTPStatus != 403 || details.Hint == "" || details.Context["method"] != "GET" {
		t.Errorf("%#v", details)
	}
	if !errors.Is(err, ocichart.ErrPermissionDenied) || errors.Is(err, ocichart.ErrNotFound) || errors.Is(err, context.Canceled) {
		t.Errorf("%+v is something else too", err)
	}
	_, err = ocichart.LoadChart(context.Background(), "/nowhere", nil)
	if !errors.As(err, &details) || details.Errno != 2 || details.Operation == "" && details.Message == "" || details.Retryable {
		t.Errorf("%#v", details)
	}
}

func TestWhatIsClosedSaysSo(t *testing.T) {
	pack := web(t)
	chart := got[*ocichart.Chart](t)(pack.Chart(context.Background()))
	client := client(t, ocichart.ClientOptions{})
	for range 2 {
		must(t, chart.Close())
		must(t, client.Close())
	}
	_, first := chart.Values()
	_, second := client.Pull(context.Background(), "oci-layout:"+t.TempDir(), unverified)
	for _, err := range []error{first, second} {
		if !errors.Is(err, fs.ErrClosed) {
			t.Errorf("%v", err)
		}
	}
}

func TestClosingTakesWhatAFailedCallReturned(t *testing.T) {
	for _, nothing := range []io.Closer{
		(*ocichart.Chart)(nil), (*ocichart.Client)(nil), (*ocichart.Package)(nil), (*ocichart.Pulled)(nil), (*ocichart.PullSecret)(nil),
		(*ocichart.Reader)(nil), (*ocichart.Signer)(nil), (*ocichart.Verified)(nil),
		&ocichart.Chart{}, &ocichart.Client{}, &ocichart.Package{}, &ocichart.Pulled{}, &ocichart.PullSecret{},
		&ocichart.Reader{}, &ocichart.Signer{}, &ocichart.Verified{},
	} {
		if err := nothing.Close(); err != nil {
			t.Errorf("%T: %v", nothing, err)
		}
	}
}

func TestWhatIsClosedOrWasNeverMadeIsNamed(t *testing.T) {
	client := got[*ocichart.Client](t)(ocichart.NewClient(nil))
	for range 2 {
		if err := client.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for text, client := range map[string]*ocichart.Client{
		"ocichart: the client is closed":                           client,
		"ocichart: this was not made by a function of the package": {},
	} {
		_, err := client.Tags(context.Background(), "oci-layout:nothing")
		if err == nil || err.Error() != text || !errors.Is(err, fs.ErrClosed) {
			t.Errorf("%v, not %s", err, text)
		}
	}
}

func TestCallsThatRunOutliveClose(t *testing.T) {
	client, target := hung(t, ocichart.ClientOptions{})
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	pulled := make(chan error)
	go func() {
		_, err := client.Pull(ctx, target, unverified)
		pulled <- err
	}()
	time.Sleep(50 * time.Millisecond)
	must(t, client.Close())
	if _, err := client.Pull(ctx, target, unverified); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("%+v", err)
	}
	if err := <-pulled; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%+v", err)
	}
}

func TestWhatIsForgottenIsFreedAndWhatIsClosedOnlyOnce(t *testing.T) {
	pack := web(t)
	for range 50 {
		for n := range 20 {
			chart := got[*ocichart.Chart](t)(pack.Chart(context.Background()))
			if n%2 == 0 {
				must(t, chart.Close())
			}
		}
		runtime.GC()
	}
}

func TestATextWithANulIsRefused(t *testing.T) {
	client := client(t, ocichart.ClientOptions{})
	_, err := client.Pull(context.Background(), "oci-layout:"+t.TempDir()+"\x00x", unverified)
	if !errors.Is(err, ocichart.ErrInvalidInput) {
		t.Errorf("%+v", err)
	}
	if _, err = ocichart.NewClient(&ocichart.ClientOptions{Hosts: plain("a\x00")}); !errors.Is(err, ocichart.ErrInvalidInput) {
		t.Errorf("%+v", err)
	}
}

func TestOneClientServesManyGoroutines(t *testing.T) {
	server, pack := serve(t), web(t)
	client := client(t, ocichart.ClientOptions{Hosts: plain(server.host)})
	target := "oci://" + server.host + "/charts"
	_, err := client.Push(context.Background(), pack, target, nil)
	must(t, err)
	var all sync.WaitGroup
	for range 64 {
		all.Add(1)
		go func() {
			defer all.Done()
			pulled, err := client.Pull(context.Background(), target+"/web", &ocichart.PullOptions{
				WithoutVerification: true, Version: "^1", OnEvent: func(ocichart.Event) error { return nil },
			})
			if err != nil {
				t.Errorf("%+v", err)
				return
			}
			defer pulled.Close()
			if pulled.Package.Digest() != pack.Digest() {
				t.Errorf("got %s", pulled.Package.Digest())
			}
		}()
	}
	all.Wait()
}
