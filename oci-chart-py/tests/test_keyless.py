"""Signatures of identities, checked offline: the fixtures that the library's own tests have."""

import datetime
import hashlib
import json

import pytest
from conftest import ROOT

from oci_chart import Client, Descriptor, Policy, PublicKey, errors
from oci_chart.enums import TrustOutcome
from oci_chart.trust import Identity, verify_bundle

FIXTURES = ROOT / "oci-chart-core/testkit/fixtures"
KEYLESS = FIXTURES / "keyless"
SUITE = FIXTURES / "sigstore-conformance"
ISSUER = "https://token.actions.githubusercontent.com"
WORKFLOW = "https://github.com/org/charts/.github/workflows/release.yml@refs/tags/v1.2.3"
BEACON = (
    "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon"
    "/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main"
)
NOW = datetime.datetime(2026, 11, 21, 12, tzinfo=datetime.UTC)
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"


def plain(found: Descriptor) -> dict[str, object]:
    return {"mediaType": found.media_type, "digest": found.digest, "size": found.size}


@pytest.fixture
def signed(tmp_path):
    """The chart of the fixtures in a layout, with its bundle."""
    client, place = Client(), f"oci-layout:{tmp_path / 'store'}"
    store = client.open(place)
    chart = json.loads((KEYLESS / "manifest.json").read_text())
    subject = store.push((KEYLESS / "manifest.json").read_bytes(), MANIFEST, tags=["1.2.3"])
    config = store.push(b"{}", "application/vnd.oci.empty.v1+json")
    layer = store.push(KEYLESS / "bundles/good.json", BUNDLE)
    attached = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": BUNDLE,
        "config": plain(config),
        "layers": [plain(layer)],
        "subject": plain(subject),
    }
    store.push(json.dumps(attached).encode(), MANIFEST)
    assert chart["layers"]
    return client, place


def policy(identity: Identity) -> Policy:
    return Policy.keyless(identity, trust_root=KEYLESS / "trusted_root.json")


def test_an_identity_is_verified_offline(signed) -> None:
    client, place = signed
    for identity in [
        Identity(ISSUER, WORKFLOW, exact=True),
        Identity(ISSUER, "https://github.com/org/*/.github/workflows/release.yml@refs/tags/**"),
    ]:
        verified = client.verify(place, policy(identity), version="1.2.3", now=NOW)
        assert verified.evidence.outcome is TrustOutcome.VERIFIED
        assert WORKFLOW in verified.evidence.signers[0]
        assert not verified.evidence.requirement.trust_root.embedded


def test_somebody_else_is_not(signed) -> None:
    client, place = signed
    with pytest.raises(errors.PolicyDeniedError) as caught:
        client.verify(place, policy(Identity(ISSUER, WORKFLOW + ".4", exact=True)), version="1.2.3", now=NOW)
    assert caught.value.reason == "identity-mismatch"
    embedded = Policy.keyless(Identity(ISSUER, WORKFLOW, exact=True))
    with pytest.raises(errors.SignatureInvalidError):
        client.verify(place, embedded, version="1.2.3", now=NOW)


def test_bundles_beside_anything() -> None:
    content = SUITE / "a.txt"
    digest = "sha256:" + hashlib.sha256(content.read_bytes()).hexdigest()
    bundle = (SUITE / "happy-path-v0.3/bundle.sigstore.json").read_bytes()
    beacon = Identity(ISSUER, BEACON, exact=True)
    for artifact in [content, content.read_bytes(), digest]:
        proof = verify_bundle(bundle, artifact, beacon)
        assert BEACON in proof.signer and proof.time < NOW
    with pytest.raises(errors.SignatureInvalidError):
        verify_bundle(bundle, b"other", beacon)
    with pytest.raises(errors.PolicyDeniedError):
        verify_bundle(bundle, content, Identity(ISSUER, "https://github.com/org", exact=True))
    with pytest.raises(TypeError):
        verify_bundle(bundle, content, PublicKey.load(KEYLESS / "key.pub"), beacon)
