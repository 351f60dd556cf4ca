// Command referrers serves a registry that nobody here wrote and that has the referrers API, on a free port of the
// loopback interface. It prints its address on standard output and its requests on standard error.
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/google/go-containerregistry/pkg/registry"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr())
	requests := log.New(os.Stderr, "", 0)
	log.Fatal(http.Serve(listener, registry.New(registry.WithReferrersSupport(true), registry.Logger(requests))))
}
