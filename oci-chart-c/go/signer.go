package ocichart

// #include <oci_chart.h>
import "C"

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"unsafe"
)

// Signer is something that can sign. It never changes, so any number of goroutines may use it at once. Closing it wipes its key.
type Signer struct {
	object
	public, algorithm string
	sign              func(ctx context.Context, message []byte) ([]byte, error)
}

// ReadSigner makes a signer of a private key (PEM): ENCRYPTED SIGSTORE PRIVATE KEY and ENCRYPTED COSIGN PRIVATE KEY as cosign writes them, or
// PKCS#8, SEC 1 and PKCS#1 without a password, which is empty then.
func ReadSigner(key, password string) (*Signer, error) {
	var lend lender
	defer lend.free()
	text, secret := lend.text("the key", key), lend.optional("the password", password)
	if err := lend.err(); err != nil {
		return nil, err
	}
	return newSigner(func(out **C.oci_chart_signer, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_signer_new_key(text, secret, out, err)
	})
}

// GenerateSigner makes a signer with a new key: ECDSA P-256.
func GenerateSigner() (*Signer, error) {
	return newSigner(func(out **C.oci_chart_signer, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_signer_generate(out, err)
	})
}

// NewSigner makes a signer of a function that has the message signed by a key that only it can reach; publicKey is its public half (PEM),
// against which every signature is held. Signatures are encoded as cosign has them: ASN.1 for ECDSA, the bytes for RSA (PKCS #1 v1.5) and
// Ed25519. The function runs on the goroutine of the call that wants to be signed.
func NewSigner(publicKey string, sign func(ctx context.Context, message []byte) ([]byte, error)) (*Signer, error) {
	var lend lender
	defer lend.free()
	key := lend.text("the public key", publicKey)
	if err := lend.err(); err != nil {
		return nil, err
	}
	signer, err := newSigner(func(out **C.oci_chart_signer, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_signer_new_callback(key, out, err)
	})
	if err == nil {
		signer.sign = sign
	}
	return signer, err
}

// NewCryptoSigner makes a signer of one of Go's: of a key in a file, in hardware or with a service.
func NewCryptoSigner(key crypto.Signer) (*Signer, error) {
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, &Error{Kind: ErrInvalidInput, Message: err.Error(), text: err.Error(), causes: []error{err}}
	}
	public := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	return NewSigner(public, func(_ context.Context, message []byte) ([]byte, error) {
		if _, plain := key.Public().(ed25519.PublicKey); plain {
			return key.Sign(rand.Reader, message, crypto.Hash(0))
		}
		hash := sha256.Sum256(message)
		return key.Sign(rand.Reader, hash[:], crypto.SHA256)
	})
}

// PublicKey is the public key as PEM, as cosign writes cosign.pub.
func (s *Signer) PublicKey() string { return s.public }

// Algorithm is what the key is for: ecdsa-p256, ecdsa-p384, ecdsa-p521, ed25519 or rsa.
func (s *Signer) Algorithm() string { return s.algorithm }

// PrivateKey is the private key, encrypted with the password as cosign does it, as PEM; a signer without a key of its own has none.
func (s *Signer) PrivateKey(password string) (string, error) {
	var lend lender
	defer lend.free()
	secret := lend.text("the password", password)
	if err := lend.err(); err != nil {
		return "", err
	}
	pointer, err := s.use()
	if err != nil {
		return "", err
	}
	defer s.done()
	var out *C.char
	var failure *C.oci_chart_error
	status := C.oci_chart_signer_get_private_key((*C.oci_chart_signer)(pointer), secret, &out, &failure)
	if err := taken(status, failure); err != nil {
		return "", err
	}
	return took(out), nil
}

// Close frees and wipes the signer as soon as no call uses it any more. Twice is once.
func (s *Signer) Close() error {
	if s == nil {
		return nil
	}
	return s.close()
}

func newSigner(create func(out **C.oci_chart_signer, err **C.oci_chart_error) C.oci_chart_status) (*Signer, error) {
	var found *C.oci_chart_signer
	var failure *C.oci_chart_error
	if err := taken(create(&found, &failure), failure); err != nil {
		return nil, err
	}
	signer := &Signer{
		public:    C.GoString(C.oci_chart_signer_get_public_key(found)),
		algorithm: C.GoString(C.oci_chart_signer_get_algorithm(found)),
	}
	signer.init("signer", unsafe.Pointer(found), func(p unsafe.Pointer) { C.oci_chart_signer_free((*C.oci_chart_signer)(p)) })
	return signer, nil
}

// signing are the callbacks of a call that these signers sign in.
func signing(signers ...*Signer) callbacks {
	functions := map[string]func(context.Context, []byte) ([]byte, error){}
	for _, signer := range signers {
		if signer.sign != nil {
			functions[signer.public] = signer.sign
		}
	}
	if len(functions) == 0 {
		return callbacks{}
	}
	return callbacks{sign: func(ctx context.Context, key string, message []byte) ([]byte, error) {
		if sign, known := functions[key]; known {
			return sign(ctx, message)
		}
		text := "the library asks for a signature of a key that was not given to the call"
		return nil, &Error{Kind: ErrInternal, Message: text, text: text}
	}}
}
