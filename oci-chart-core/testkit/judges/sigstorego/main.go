// Command sigstorego holds a Sigstore bundle against a key and a digest with sigstore-go, the library under cosign 3.
//
//	sigstorego BUNDLE.json KEY.pem SHA256-HEX    prints the type of the statement; 1 where the bundle is refused
//
// No log, no time stamps: what a key has signed without anybody else.
package main

import (
	"crypto"
	"encoding/hex"
	"fmt"
	"os"
	"time"

	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"
)

func main() {
	predicateType, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "sigstorego:", err)
		os.Exit(1)
	}
	fmt.Println(predicateType)
}

func run(arguments []string) (string, error) {
	if len(arguments) != 3 {
		return "", fmt.Errorf("a bundle, a key and a digest are wanted, not %q", arguments)
	}
	entity, err := bundle.LoadJSONFromPath(arguments[0])
	if err != nil {
		return "", err
	}
	pem, err := os.ReadFile(arguments[1])
	if err != nil {
		return "", err
	}
	public, err := cryptoutils.UnmarshalPEMToPublicKey(pem)
	if err != nil {
		return "", err
	}
	digest, err := hex.DecodeString(arguments[2])
	if err != nil {
		return "", err
	}
	// As Flux and `cosign verify --key` load keys.
	trusted, err := signature.LoadVerifier(public, crypto.SHA256)
	if err != nil {
		return "", err
	}
	key := root.NewExpiringKey(trusted, time.Time{}, time.Time{})
	material := root.NewTrustedPublicKeyMaterial(func(string) (root.TimeConstrainedVerifier, error) { return key, nil })
	verifier, err := verify.NewVerifier(material, verify.WithNoObserverTimestamps())
	if err != nil {
		return "", err
	}
	policy := verify.NewPolicy(verify.WithArtifactDigest("sha256", digest), verify.WithKey())
	result, err := verifier.Verify(entity, policy)
	if err != nil {
		return "", err
	}
	return result.Statement.GetPredicateType(), nil
}
