// Command verify signs the newest chart at a target with a key of Go's, pulls it under a policy that wants this key, and sees that another key is
// not enough: verify TARGET.
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"

	ocichart "github.com/oci-chart/oci-chart/oci-chart-c/go"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: verify TARGET")
	}
	if err := run(context.Background(), os.Args[1]); err != nil {
		log.Fatalf("%+v", err)
	}
}

const newest = ">0.0.0-0"

func run(ctx context.Context, target string) error {
	client, err := ocichart.NewClient(nil)
	if err != nil {
		return err
	}
	defer client.Close()
	// Any crypto.Signer will do: a key in hardware, or with a service.
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	signer, err := ocichart.NewCryptoSigner(key)
	if err != nil {
		return err
	}
	defer signer.Close()
	if _, err := client.Sign(ctx, target, newest, signer, nil); err != nil {
		return err
	}
	fmt.Println("signed")

	pulled, err := client.Pull(ctx, target, &ocichart.PullOptions{Version: newest, Policy: trusting(signer)})
	if err != nil {
		return err
	}
	defer pulled.Close()
	fmt.Println("verified and pulled:", pulled.Descriptor.Digest)

	other, err := ocichart.GenerateSigner()
	if err != nil {
		return err
	}
	defer other.Close()
	_, err = client.Pull(ctx, target, &ocichart.PullOptions{Version: newest, Policy: trusting(other)})
	if !errors.Is(err, ocichart.ErrSignatureInvalid) {
		return fmt.Errorf("the wrong key: %w", err)
	}
	fmt.Println("refused:", err)
	return nil
}

// trusting is a policy that trusts one key and asks nothing of a transparency log.
func trusting(signer *ocichart.Signer) json.RawMessage {
	policy, _ := json.Marshal(map[string]any{
		"keys": map[string]any{"keys": []any{map[string]string{"key": signer.PublicKey()}}, "tlog": "ignore-explicitly"},
	})
	return policy
}
