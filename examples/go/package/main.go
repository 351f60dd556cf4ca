// Command package packs a chart, the same bytes on every machine: package CHART DIRECTORY.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	ocichart "github.com/oci-chart/oci-chart/oci-chart-c/go"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("usage: package CHART DIRECTORY")
	}
	if err := run(context.Background(), os.Args[1], os.Args[2]); err != nil {
		log.Fatalf("%+v", err)
	}
}

func run(ctx context.Context, path, directory string) error {
	chart, err := ocichart.LoadChart(ctx, path, nil)
	if err != nil {
		return err
	}
	defer chart.Close()
	pack, err := chart.Package(ctx, &ocichart.PackageOptions{Version: "1.0.0-rc.1"})
	if err != nil {
		return err
	}
	defer pack.Close()
	written, err := pack.Write(ctx, directory)
	if err != nil {
		return err
	}
	fmt.Printf("%s\n  %s\n", written, pack.Digest())
	return nil
}
