package ocichart

// #include "call.h"
import "C"

import (
	"encoding/json"
	"time"
)

// SignProvenance gives the package with a provenance file that says what `helm package --sign` says, signed by an OpenPGP key. The keyring has the
// secret key as GnuPG exports it, armored or not; key chooses one by fingerprint, user id or a part of it, and is empty for the only one;
// passphrase is empty for none, and time zero for now.
func (p *Package) SignProvenance(keyring []byte, key, passphrase string, at time.Time) (*Package, error) {
	pointer, err := p.use()
	if err != nil {
		return nil, err
	}
	defer p.done()
	var lend lender
	defer lend.free()
	which, secret := lend.optional("the key", key), lend.optional("the passphrase", passphrase)
	if err := lend.err(); err != nil {
		return nil, err
	}
	data, size := lent(keyring)
	var out *C.oci_chart_package
	var failure *C.oci_chart_error
	status := C.oci_chart_package_sign_provenance((*C.oci_chart_package)(pointer), data, size, which, secret, seconds(at), &out, &failure)
	return newPackage(out, taken(status, failure))
}

// VerifyProvenance holds the package's provenance file against a policy, JSON of the form {"pgp": ...}, at a time, zero for now. It gives who
// signed and what was signed, as JSON.
func (p *Package) VerifyProvenance(policy json.RawMessage, at time.Time) (json.RawMessage, error) {
	var lend lender
	defer lend.free()
	wanted := lend.text("the policy", string(policy))
	if err := lend.err(); err != nil {
		return nil, err
	}
	text, err := p.text(func(p *C.oci_chart_package, out **C.char, err **C.oci_chart_error) C.oci_chart_status {
		return C.oci_chart_package_verify_provenance(p, wanted, seconds(at), out, err)
	})
	return json.RawMessage(text), err
}

func seconds(at time.Time) C.uint64_t {
	if at.IsZero() {
		return 0
	}
	return C.uint64_t(at.Unix())
}
