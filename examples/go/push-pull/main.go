// Command push-pull packs a chart, pushes it to oci://HOST/PATH or oci-layout:DIRECTORY, and pulls it back: push-pull CHART TARGET. Ctrl-C stops
// it.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"
	"time"

	ocichart "github.com/oci-chart/oci-chart/oci-chart-c/go"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("usage: push-pull CHART TARGET")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := run(ctx, os.Args[1], os.Args[2]); err != nil {
		log.Fatalf("%+v", err)
	}
}

func run(ctx context.Context, path, target string) error {
	chart, err := ocichart.LoadChart(ctx, path, nil)
	if err != nil {
		return err
	}
	defer chart.Close()
	pack, err := chart.Package(ctx, nil)
	if err != nil {
		return err
	}
	defer pack.Close()

	// One client for the whole program: it keeps connections and tokens.
	client, err := ocichart.NewClient(&ocichart.ClientOptions{StoredLogins: true})
	if err != nil {
		return err
	}
	defer client.Close()
	pushed, err := client.Push(ctx, pack, target, &ocichart.PushOptions{Mode: ocichart.Ensure, OnEvent: tell})
	if err != nil {
		return err
	}
	fmt.Printf("pushed: %s to %s, %s\n", pushed.Tag, pushed.Location, pushed.Action)

	// By digest, so that it is what was pushed, whatever happened to the tag.
	pulled, err := client.Pull(ctx, pushed.Location+"@"+pushed.Descriptor.Digest, &ocichart.PullOptions{WithoutVerification: true, OnEvent: tell})
	if err != nil {
		return err
	}
	defer pulled.Close()
	fmt.Printf("pulled: %s, the same package: %t\n", pulled.Descriptor.Digest, pulled.Package.Digest() == pack.Digest())
	return nil
}

func tell(event ocichart.Event) error {
	switch event.Kind {
	case ocichart.Started:
		fmt.Printf("  %s, %d bytes\n", event.MediaType, event.Total)
	case ocichart.Waiting:
		fmt.Printf("  waiting %v for %s: %s\n", event.Wait, event.Text, event.Why)
	}
	return nil
}
