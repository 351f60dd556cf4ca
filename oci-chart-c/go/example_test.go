package ocichart_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	ocichart "github.com/oci-chart/oci-chart/oci-chart-c/go"
)

// greeter is one of the charts of the repository's examples.
const greeter = "../../examples/charts/greeter"

func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	store, err := os.MkdirTemp("", "store")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(store)

	chart, err := ocichart.LoadChart(ctx, greeter, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer chart.Close()
	pack, err := chart.Package(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer pack.Close()
	client, err := ocichart.NewClient(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	pushed, err := client.Push(ctx, pack, "oci-layout:"+store, nil) // or oci://registry.example/charts
	if err != nil {
		log.Fatal(err)
	}
	pulled, err := client.Pull(ctx, "oci-layout:"+store, &ocichart.PullOptions{Version: "^1", WithoutVerification: true})
	if err != nil {
		log.Fatal(err)
	}
	defer pulled.Close()
	fmt.Println(pushed.Tag, pulled.Package.Digest() == pack.Digest())
	// Output: 1.2.0 true
}

func ExampleError() {
	_, err := ocichart.LoadChart(context.Background(), "/no/such/chart", nil)
	fmt.Println(errors.Is(err, ocichart.ErrNotFound))
	var details *ocichart.Error
	if errors.As(err, &details) {
		fmt.Println(details.Kind, details.Errno)
	}
	// Output:
	// true
	// not-found 2
}

func ExampleClient_Verify() {
	ctx := context.Background()
	store, err := os.MkdirTemp("", "store")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(store)
	place := "oci-layout:" + filepath.Join(store, "charts")
	chart, err := ocichart.LoadChart(ctx, greeter, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer chart.Close()
	pack, err := chart.Package(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer pack.Close()
	client, err := ocichart.NewClient(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	signer, err := ocichart.GenerateSigner()
	if err != nil {
		log.Fatal(err)
	}
	defer signer.Close()
	published, err := client.Publish(ctx, pack, place, ocichart.Publication{Signers: []*ocichart.Signer{signer}}, nil)
	if err != nil {
		log.Fatal(err)
	}
	policy := fmt.Appendf(nil, `{"keys": {"keys": [{"key": %q}], "tlog": "ignore-explicitly"}}`, signer.PublicKey())
	verified, err := client.Verify(ctx, place, "^1", policy, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer verified.Close()
	// Whoever wants to look at the evidence does it here, before anything of the chart is fetched.
	pulled, err := client.PullVerified(ctx, verified, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer pulled.Close()
	fmt.Println(pulled.Descriptor.Digest == published.Chart.Descriptor.Digest)
	// Output: true
}

func ExampleMatches() {
	fmt.Println(ocichart.Matches("^1.2 || >=3-0", "3.0.0-rc.1"))
	// Output: true <nil>
}
