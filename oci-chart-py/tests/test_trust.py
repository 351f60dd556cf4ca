"""Signatures, what is attached, and provenance, as a Python program sees them."""

import copy
import datetime
import json
import pickle
import threading

import pytest
from conftest import ROOT

from oci_chart import (
    Attachment,
    Attestation,
    Chart,
    Client,
    Keyring,
    Policy,
    PublicKey,
    Reference,
    Signer,
    SigningKey,
    errors,
)
from oci_chart.enums import Format, KeyAlgorithm, LayerOrder, TrustOutcome, Verdict
from oci_chart.trust import Evidence, Identity, TrustedKey, Verified

SIGNER = "204211D3126C3775F45D8E6AA3BA7E5A08A8B808"
SECRET = ROOT / "examples/keys/signer.secret.asc"
PUBLIC = ROOT / "examples/keys/signer.asc"


@pytest.fixture(scope="module")
def key() -> SigningKey:
    return SigningKey.generate()


@pytest.fixture
def world(serve, chart_dir):
    registry = serve()
    client = Client(plain_http=[registry.host])
    pushed = client.push(Chart.load(chart_dir).package(), f"oci://{registry.host}/charts")
    return client, pushed.location


def trusting(key: SigningKey, **more: object) -> Policy:
    return Policy.keys(key.public_key, tlog="ignore-explicitly", **more)


def test_what_is_verified_comes_with_its_evidence(world, key) -> None:
    client, place = world
    signed = client.sign(place, key, formats=[Format.BUNDLE, Format.SIGNATURE_TAG], annotations={"by": "me"})
    assert signed.bundle is not None and signed.signature_tag is not None and signed.kept == ()
    verified = client.verify(place, trusting(key, annotations={"by": "me"}), version="^1")
    assert verified.digest == signed.subject.digest == client.resolve(f"{place}:1.0.0").digest
    evidence = verified.evidence
    assert evidence.outcome is TrustOutcome.VERIFIED
    assert evidence.signers == (key.public_key.fingerprint,)
    assert {candidate.verdict for candidate in evidence.candidates} == {Verdict.VERIFIED}
    assert Verified.from_json(verified.to_json()) == verified == pickle.loads(pickle.dumps(verified))
    assert client.sign(place, key, annotations={"by": "me"}).kept == (Format.BUNDLE,)

    pulled = client.pull(place, verify=trusting(key))
    assert pulled.evidence.outcome is TrustOutcome.VERIFIED
    assert client.pull(place, verify=False).evidence is None


def test_what_was_verified_can_be_pulled(world, key, tmp_path) -> None:
    client, place = world
    client.sign(place, key)
    verified = client.verify(place, trusting(key), version="^1")
    # It is another one that is the newest by now.
    client.push(Chart.load(ROOT / "examples/charts/greeter").package(version="1.9.0"), "oci-layout:" + str(tmp_path / "other"))
    pulled = client.pull_verified(verified, dest=tmp_path)
    assert (pulled.digest, pulled.evidence) == (verified.digest, verified.evidence)
    assert pulled.package.read() == (tmp_path / "web-1.0.0.tgz").read_bytes()
    assert client.pull_verified(verified, place=place).package == pulled.package
    with pytest.raises(errors.NotFoundError):
        client.pull_verified(verified, place="oci-layout:" + str(tmp_path / "other"))
    # A report is no proof, whoever wrote it.
    for report in [Verified.from_json(verified.to_json()), pickle.loads(pickle.dumps(verified)), copy.copy(verified)]:
        assert report == verified
        with pytest.raises(TypeError, match="proves nothing"):
            client.pull_verified(report)
    forged = verified.to_dict() | {"Core": verified._core, "_core": verified._core}
    with pytest.raises(TypeError):
        client.pull_verified(Verified.from_dict(forged))


def test_what_is_not_verified_says_why(world, key) -> None:
    client, place = world
    with pytest.raises(errors.NotSignedError) as caught:
        client.pull(place, verify=trusting(key))
    assert caught.value.evidence.outcome is TrustOutcome.NOT_VERIFIED
    client.sign(place, SigningKey.generate())
    with pytest.raises(errors.SignatureInvalidError) as caught:
        client.verify(place, trusting(key))
    evidence = caught.value.evidence
    assert [candidate.reason for candidate in evidence.candidates] == ["no-trusted-key"]
    assert pickle.loads(pickle.dumps(caught.value)).evidence == evidence
    assert client.examine(place, trusting(key)).requirement == evidence.requirement
    with pytest.raises(errors.PolicyDeniedError):
        client.sign(place, key)
        client.verify(place, trusting(key, annotations={"by": "me"}))


def test_a_client_with_a_policy_lets_nothing_else_out(world, key) -> None:
    client, place = world
    host = place.removeprefix("oci://").split("/")[0]
    guarded = Client(plain_http=[host], policy=trusting(key))
    with pytest.raises(errors.NotSignedError):
        guarded.pull(place, verify=False)
    client.sign(place, key)
    assert guarded.pull(place, verify=False).package.name == "web"


def test_a_registry_that_fails_is_no_missing_signature(serve, chart_dir, key) -> None:
    registry = serve()
    client = Client(plain_http=[registry.host])
    place = client.push(Chart.load(chart_dir).package(), f"oci://{registry.host}/charts").location
    registry.tell("fault GET */referrers/* 1 status 403")
    with pytest.raises(errors.CouldNotCheckError) as caught:
        client.verify(place, trusting(key))
    assert caught.value.evidence.outcome is TrustOutcome.COULD_NOT_CHECK


def test_signatures_may_lie_elsewhere(world, key, tmp_path) -> None:
    client, place = world
    elsewhere = place + "-signatures"
    client.sign(place, key, signatures=Reference(elsewhere))
    with pytest.raises(errors.NotSignedError):
        client.verify(place, trusting(key))
    assert client.verify(place, trusting(key), signatures=elsewhere).evidence.outcome == "verified"
    assert client.examine(place, trusting(key)).outcome is TrustOutcome.NOT_VERIFIED
    assert client.examine(place, trusting(key), signatures=elsewhere).outcome is TrustOutcome.VERIFIED
    client.attest(place, Attestation("custom", {}), key, signatures=elsewhere)
    assert client.verify_attestation(place, "custom", trusting(key), signatures=elsewhere).value
    with pytest.raises(errors.NotSignedError):
        client.verify_attestation(place, "custom", trusting(key))
    assert client.pull(place, verify=trusting(key), signatures=elsewhere).package.name == "web"


def test_how_it_is_signed_is_as_said(world, key) -> None:
    client, place = world
    identity = "registry.example/charts/web"
    tagged = client.sign(place, key, formats=["signature-tag"], identity=identity)
    assert client.verify(place, trusting(key, expect_identity=identity))
    with pytest.raises(errors.OciChartError):
        client.verify(place, trusting(key, expect_identity="registry.example/other"))
    with pytest.raises(errors.OciChartError):
        client.verify(place, trusting(key, formats=["bundle"]))
    # The time is the manifest's, and the same time the same manifest; a signature that is good is kept unless it is said.
    noon = datetime.datetime(2030, 1, 1, 12, tzinfo=datetime.UTC)
    bundle = client.sign(place, key, created=noon).bundle
    _, manifest = client.open(place).manifest(bundle.digest)
    assert b"2030-01-01T12:00:00Z" in manifest and tagged.bundle is None
    assert client.sign(place, key, created=noon).kept == (Format.BUNDLE,)
    assert client.sign(place, key, created=noon, keep_existing=False).kept == ()
    attested = client.attest(place, Attestation("custom", {}), key, created=noon)
    assert b"2030-01-01T12:00:00Z" in client.open(place).manifest(attested.digest)[1]


def test_keys_count_in_their_time(world, key) -> None:
    client, place = world
    client.sign(place, key)
    day = datetime.timedelta(days=1)
    now = datetime.datetime.now(datetime.UTC)
    for window in [{"not_before": now + 9 * day}, {"not_after": now - day}]:
        policy = Policy.keys(TrustedKey(key.public_key, **window), tlog="ignore-explicitly")
        assert client.examine(place, policy).outcome is not TrustOutcome.VERIFIED
    later = Policy.keys(TrustedKey(key.public_key, not_before=now + 9 * day), tlog="ignore-explicitly")
    assert client.examine(place, later, now=now + 10 * day).outcome is TrustOutcome.VERIFIED
    with pytest.raises(ValueError, match="time zone"):
        Policy.keys(TrustedKey(key.public_key, not_after=datetime.datetime(2030, 1, 1)), tlog="ignore-explicitly")


def test_policies_of_key_rings_say_all(key) -> None:
    found = Policy.pgp(PUBLIC, any_key=True, expiry="at-signing", sha1_self_signatures=True).to_dict()["pgp"]
    assert (found["anyKey"], found["expiry"], found["sha1SelfSignatures"]) == (True, "at-signing", True)
    both = Policy.pgp(PUBLIC, SIGNER) & trusting(key)
    assert set(both.to_dict()) == {"all"} and set((both | both).to_dict()) == {"any"}
    assert str(Identity("https://i.example", "me", exact=True).to_dict()["subject"]) == "{'exact': 'me'}"


def test_a_signer_of_the_callers_signs_on_the_waiting_thread(world, key) -> None:
    client, place = world
    seen = []
    cryptography_free = key.to_pem("x")
    inner = SigningKey.from_pem(cryptography_free, passphrase="x")
    assert inner.public_key == key.public_key

    def refuse(message: bytes) -> bytes:
        seen.append((threading.get_ident(), type(message)))
        raise LookupError("the token is locked")

    with pytest.raises(LookupError, match="locked"):
        client.sign(place, Signer(key.public_key, refuse))
    assert seen == [(threading.get_ident(), bytes)]
    with pytest.raises(errors.SignatureInvalidError):
        client.sign(place, Signer(key.public_key, lambda message: b"rubbish"))
    with pytest.raises(errors.NotSignedError):
        client.verify(place, trusting(key))


def test_keys_are_kept_in_files(tmp_path, key, monkeypatch) -> None:
    file, words = tmp_path / "cosign.key", tmp_path / "passphrase"
    file.write_text(key.to_pem("correct horse"))
    words.write_text("correct horse\n")
    (tmp_path / "cosign.pub").write_text(key.public_key.pem)
    for passphrase in ["correct horse", lambda: "correct horse", words]:
        assert SigningKey.load(file, passphrase=passphrase).public_key == key.public_key
    assert PublicKey.load(tmp_path / "cosign.pub") == key.public_key
    assert key.public_key.algorithm is KeyAlgorithm.ECDSA_P256
    for passphrase in ["battery staple", None]:
        with pytest.raises(errors.InvalidInputError) as caught:
            SigningKey.load(file, passphrase=passphrase)
        assert caught.value.reason == "wrong-passphrase"
    with pytest.raises(ZeroDivisionError):
        SigningKey.load(file, passphrase=lambda: 1 // 0)
    with pytest.raises(errors.NotFoundError):
        SigningKey.load(tmp_path / "absent")


def test_policies_are_data(key) -> None:
    day = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)
    keys = Policy.keys(TrustedKey(key.public_key, name="ci", not_after=day), tlog="ignore-explicitly")
    keyless = Policy.keyless(
        Identity(
            "https://token.actions.githubusercontent.com",
            "https://github.com/org/*/.github/workflows/release.yml@refs/tags/**",
            claims={"runner-environment": "github-hosted"},
        )
    )
    pgp = Policy.pgp(PUBLIC, SIGNER)
    for policy in [keys, keyless, pgp, keys & pgp, keys | keyless, Policy.all(keys, Policy.any(keyless, pgp))]:
        assert Policy.from_dict(policy.to_dict()) == policy == eval(repr(policy))
        assert pickle.loads(pickle.dumps(policy)) == policy and hash(policy) == hash(Policy(policy.json))
    assert keys.to_dict()["keys"]["keys"][0]["notAfter"] == "2030-01-01T00:00:00Z"
    assert keys != keyless and keys != "keys"
    with pytest.raises(AttributeError):
        keys._json = "{}"
    for wrong in ["{}", '{"keys": {}}', '{"all": []}', "rubbish"]:
        with pytest.raises(errors.InvalidInputError):
            Policy.from_json(wrong)
    with pytest.raises(errors.InvalidInputError):
        Policy.keys(key.public_key, tlog="ignore-explicitly", threshold=2)


def test_identities_that_nobody_has_are_not_verified(world, key) -> None:
    client, place = world
    client.sign(place, key)
    policy = Policy.keyless(Identity("https://accounts.example", "me@example.com", exact=True))
    with pytest.raises(errors.SignatureInvalidError) as caught:
        client.verify(place, policy)
    requirement = caught.value.evidence.requirement
    assert requirement.trust_root.embedded and requirement.trust_root.dated.startswith("20")


def test_what_is_attached_is_listed_and_fetched(world, key, tmp_path) -> None:
    client, place = world
    sbom = tmp_path / "sbom.json"
    sbom.write_text('{"bomFormat": "CycloneDX", "specVersion": "1.6"}')
    attached = client.attach(place, Attachment.sbom(sbom, title="sbom.json", annotations={"a": "b"}))
    assert client.attach(place, Attachment.sbom(sbom, title="sbom.json", annotations={"a": "b"})) == attached
    client.sign(f"{place}@{attached.digest}", key)
    tree = client.tree(place)
    assert [(each.depth, each.kind) for each in tree.attached] == [(1, "sbom"), (2, "signature")]
    assert str(tree).startswith(tree.subject) or tree.subject in str(tree)
    fetched = client.fetch_attachment(f"{place}@{tree.attached[0].digest}")
    assert (fetched.read(), fetched.title) == (sbom.read_bytes(), "sbom.json")
    assert fetched.annotations["a"] == "b"
    kind = "application/vnd.cyclonedx+json"
    (found,) = client.referrers(place, artifact_type=kind)
    assert (found.digest, found.artifact_type, found.annotations["a"]) == (attached.digest, kind, "b")
    assert list(client.referrers(place, artifact_type="application/none")) == []
    for content in [b"x", bytearray(b"x"), memoryview(b"x")]:
        assert Attachment("application/x", content).read() == b"x"
    with pytest.raises(TypeError):
        Attachment("application/x", "text or path?")


def test_what_is_attested_is_demanded(world, key) -> None:
    client, place = world
    built = {"buildDefinition": {}, "runDetails": {"builder": {"id": "https://ci.example/7"}}}
    client.attest(place, Attestation("slsaprovenance1", built), key)
    found = client.verify_attestation(
        place, "slsaprovenance1", trusting(key), fields={"/runDetails/builder/id": "https://ci.example/*"}
    )
    (statement,) = found.value
    assert json.loads(statement.predicate) == built and statement.signer == key.public_key.fingerprint
    with pytest.raises(errors.PolicyDeniedError):
        client.verify_attestation(
            place, "slsaprovenance1", trusting(key), fields={"/runDetails/builder/id": "https://other/*"}
        )
    with pytest.raises(errors.NotSignedError):
        client.verify(place, trusting(key))


def test_publishing_leaves_nothing_out(serve, chart_dir, key) -> None:
    registry = serve()
    client = Client(plain_http=[registry.host])
    other = SigningKey.generate()
    package = Chart.load(chart_dir).package()

    def publish():
        return client.publish(
            package,
            f"oci://{registry.host}/charts",
            signers=[key, other],
            attachments=[Attachment("application/vnd.example.report", b"fine")],
            attestations=[Attestation("custom", {"fine": True})],
            mode="ensure",
            channels=["stable"],
            formats=["bundle", "signature-tag"],
            annotations={"stage": "prod"},
        )

    published = publish()
    assert published.chart.action == "pushed" and len(published.signatures) == 2
    assert len(published.attachments) == 1 and len(published.attestations) == 2
    both = trusting(key) & trusting(other)
    assert client.verify(published.reference, both).digest == published.digest
    assert all(each.bundle and each.signature_tag for each in published.signatures)
    assert client.verify(published.reference, trusting(key, annotations={"stage": "prod"}))
    assert client.resolve(f"{published.chart.location}:stable").digest == published.digest
    again = publish()
    assert again.chart.action == "unchanged" and all(each.kept for each in again.signatures)
    assert again.attestations == published.attestations


def test_provenance_is_signed_and_verified(chart_dir, tmp_path, serve) -> None:
    ring = Keyring.load(SECRET)
    assert [each.fingerprint for each in ring.keys] == [SIGNER] and ring.keys[0].secret
    assert Keyring(SECRET.read_bytes()).keys == ring.keys
    package = Chart.load(chart_dir).package().sign_provenance(ring, key="signer@example.com")
    path = package.write_to(tmp_path)
    assert path.with_name("web-1.0.0.tgz.prov").read_bytes() == package.provenance
    evidence = package.verify_provenance(Policy.pgp(PUBLIC, SIGNER))
    assert (evidence.signer, evidence.file) == (SIGNER, "web-1.0.0.tgz")
    with pytest.raises(errors.InvalidInputError):
        package.sign_provenance(ring, key="nobody")
    with pytest.raises(errors.OciChartError):
        Chart.load(chart_dir).package().verify_provenance(Policy.pgp(PUBLIC, SIGNER))

    registry = serve()
    client = Client(plain_http=[registry.host])
    pushed = client.push(package, f"oci://{registry.host}/charts", layer_order="helm")
    place, (_, manifest) = pushed.location, client.open(pushed.location).manifest(pushed.digest)
    digests = [layer["digest"] for layer in json.loads(manifest)["layers"]]
    assert len(digests) == 2 and digests == sorted(digests)
    first = client.push(package, f"oci://{registry.host}/charts", layer_order=LayerOrder.CHART_FIRST, mode="replace")
    _, manifest = client.open(place).manifest(first.digest)
    assert json.loads(manifest)["layers"][0]["digest"] == package.digest
    with pytest.raises(errors.InvalidInputError):
        client.push(package, f"oci://{registry.host}/charts", layer_order="helm's")
    pulled = client.pull(place, verify=Policy.pgp(PUBLIC, SIGNER), provenance=True)
    assert pulled.package.provenance == package.provenance
    assert pulled.evidence.requirement.provenance.primary == SIGNER


def test_evidence_is_the_json_of_every_language(world, key) -> None:
    client, place = world
    client.sign(place, key)
    evidence = client.examine(place, trusting(key) | Policy.pgp(PUBLIC, SIGNER))
    assert Evidence.from_dict(evidence.to_dict()) == evidence
    assert [part.policy for part in evidence.requirement.parts] == ["keys", "pgp"]
    assert evidence.to_dict()["requirement"]["parts"][0]["candidates"][0]["format"] == "bundle"
