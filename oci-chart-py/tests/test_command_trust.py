"""Signing, verifying and attaching, as a shell sees it."""

import json
import pathlib

import pytest
from command import COMMAND, Terminal, run
from conftest import ROOT

from oci_chart import Keyring, PublicKey, SigningKey
from oci_chart.trust import Policy

SECRET = str(ROOT / "examples/keys/signer.secret.asc")
PUBLIC = str(ROOT / "examples/keys/signer.asc")


@pytest.fixture
def layout(chart_dir, tmp_path) -> str:
    place = f"oci-layout:{tmp_path / 'store'}"
    assert run("push", str(chart_dir), place).code == 0
    return place


@pytest.fixture
def keys(tmp_path):
    """The key of a signer, encrypted, its public half, and a stranger's."""
    key = SigningKey.generate()
    (tmp_path / "key").write_text(key.to_pem("pass word"))
    (tmp_path / "key.pub").write_text(key.public_key.pem)
    (tmp_path / "other.pub").write_text(SigningKey.generate().public_key.pem)
    return tmp_path


SECRETLY = {"COSIGN_PASSWORD": "pass word"}


def test_what_is_signed_is_verified(layout, keys, tmp_path) -> None:
    key, other = ("--key", str(keys / "key.pub")), ("--key", str(keys / "other.pub"))
    assert run("verify", layout, *key).code == 8
    signed = run("sign", layout, "--key", str(keys / "key"), "-a", "stage=prod", "--json", env=SECRETLY)
    assert signed.code == 0 and json.loads(signed.out)["bundle"]["digest"].startswith("sha256:")

    verified = json.loads(run("verify", layout, *key, "-a", "stage=prod", "--json").out)
    assert verified["evidence"]["outcome"] == "verified" and len(verified["signers"]) == 1
    assert run("verify", layout, *key, "-a", "stage=test").code == 8
    refused = run("verify", layout, *other, "--json")
    error = json.loads(refused.out)["error"]
    assert refused.code == 8 and error["kind"] == "signature-invalid"
    assert error["evidence"]["outcome"] == "not-verified"
    assert run("verify", layout, *key, *other).code == 0
    assert run("verify", layout, *key, *other, "--threshold", "2").code == 8
    assert run("verify", layout, *key, "--tlog").code == 8

    into = ("-d", str(tmp_path / "into"))
    assert run("pull", layout, *other, *into).code == 8
    assert not (tmp_path / "into").exists()
    pulled = run("pull", layout, *key, *into, "--json")
    assert pulled.code == 0 and json.loads(pulled.out)["verified"] is True
    assert json.loads(run("pull", layout, *into, "--json").out)["verified"] is False
    assert (tmp_path / "into/web-1.0.0.tgz").exists()

    unpacked = run("pull", layout, *into, "--untar", "--untardir", "below")
    assert unpacked.code == 0 and (tmp_path / "into/below/web/Chart.yaml").exists()


def test_a_policy_is_a_file_as_well(layout, keys, tmp_path) -> None:
    policy = Policy.keys(PublicKey.load(keys / "key.pub"), tlog="ignore-explicitly")
    (tmp_path / "policy.json").write_text(policy.to_json())
    assert run("sign", layout, "--key", str(keys / "key"), env=SECRETLY).code == 0
    assert run("verify", layout, "--policy", str(tmp_path / "policy.json")).code == 0
    # Both have to hold.
    other = ("--key", str(keys / "other.pub"))
    assert run("verify", layout, "--policy", str(tmp_path / "policy.json"), *other).code == 8


def test_what_makes_no_sense_is_said(layout, keys, tmp_path) -> None:
    home = {"HOME": str(tmp_path)}
    assert run("verify", layout, env=home).code == 2
    assert run("pull", layout, "--verify", env=home).code == 2
    assert run("verify", layout, "--certificate-identity", "x@example.com").code == 2
    assert run("verify", layout, "--key", str(tmp_path / "absent")).code == 6
    assert run("verify", layout, "--key", "env://NOT_SET_ANYWHERE").code == 2
    assert run("sign", layout, "--key", str(keys / "key")).code == 2
    assert run("sign", layout).code == 2
    wrong = run("sign", layout, "--key", str(keys / "key"), env={"COSIGN_PASSWORD": "hunter2"})
    assert wrong.code == 2 and "password is wrong" in wrong.err and "hunter2" not in wrong.err


@pytest.mark.parametrize(
    ("stricter", "partner"),
    [
        (("--fingerprint", "0" * 40), "--keyring"),
        (("--tlog",), "--key"),
        (("--threshold", "2"), "--key"),
        (("--trusted-root", "root.json"), "--certificate-identity"),
        (("-a", "stage=prod"), "--key"),
        (("--signatures", "oci://registry.example/signatures"), "who may have signed"),
    ],
)
def test_nothing_is_pulled_as_if_an_option_had_not_been_there(stricter, partner, layout, tmp_path) -> None:
    done = run("pull", layout, *stricter, "-d", str(tmp_path / "into"))
    assert done.code == 2 and partner in done.err and not (tmp_path / "into").exists()


def test_options_that_say_nothing_of_who_signs_go_with_the_right_one(layout, keys) -> None:
    key = ("--key", str(keys / "key.pub"))
    assert run("verify", layout, *key, "--fingerprint", "0" * 40).code == 2
    assert run("verify", layout, *key, "--trusted-root", "root.json").code == 2
    assert run("verify", layout, "--keyring", PUBLIC, "-a", "stage=prod").code == 2


def test_a_ring_of_gpg_counts_where_nobody_is_named(chart_dir, tmp_path) -> None:
    (tmp_path / "home/.gnupg").mkdir(parents=True)
    (tmp_path / "home/.gnupg/pubring.gpg").write_bytes(pathlib.Path(PUBLIC).read_bytes())
    signed = run("package", str(chart_dir), "-d", str(tmp_path), "--sign", "--keyring", SECRET)
    assert signed.code == 0, signed.err
    home = {"HOME": str(tmp_path / "home")}
    package = str(tmp_path / "web-1.0.0.tgz")
    fingerprint = Keyring.load(PUBLIC).keys[0].fingerprint
    assert run("verify", package, env=home).code == 0
    assert run("verify", package, "--fingerprint", fingerprint, env=home).code == 0
    assert run("verify", package, env={"HOME": str(tmp_path)}).code == 2


def test_keys_come_from_the_environment(layout, keys) -> None:
    secret = {"SIGNING_KEY": (keys / "key").read_text(), "PUBLIC_KEY": (keys / "key.pub").read_text()}
    assert run("sign", layout, "--key", "env://SIGNING_KEY", env=SECRETLY | secret).code == 0
    assert run("verify", layout, "--key", "env://PUBLIC_KEY", env=secret).code == 0


def test_a_passphrase_is_asked_for(layout, keys) -> None:
    terminal = Terminal(*COMMAND, "sign", layout, "--key", str(keys / "key"))
    terminal.expect("Passphrase: ")
    terminal.write("pass word\n")
    terminal.expect("signed: sha256:")
    assert terminal.end() == 0


def test_provenance_as_in_helm(chart_dir, tmp_path) -> None:
    into = ("-d", str(tmp_path))
    signed = run("package", str(chart_dir), *into, "--sign", "--keyring", SECRET)
    assert signed.code == 0, signed.err
    package = tmp_path / "web-1.0.0.tgz"
    assert (tmp_path / "web-1.0.0.tgz.prov").exists()
    verified = run("verify", str(package), "--keyring", PUBLIC)
    assert verified.code == 0 and "signer: " in verified.out
    fingerprint = Keyring.load(PUBLIC).keys[0].fingerprint
    assert run("verify", str(package), "--keyring", PUBLIC, "--fingerprint", fingerprint).code == 0
    assert run("verify", str(package), "--keyring", PUBLIC, "--fingerprint", "0" * 40).code == 2

    layout = f"oci-layout:{tmp_path / 'store'}"
    assert run("push", str(package), layout).code == 0
    pulled = tmp_path / "pulled"
    assert run("pull", layout, "--verify", "--keyring", PUBLIC, "--prov", "-d", str(pulled)).code == 0
    assert (pulled / "web-1.0.0.tgz.prov").exists()
    assert run("package", str(chart_dir), *into, "--sign").code == 2


def test_what_is_attached_shows_in_the_tree(layout, keys, tmp_path) -> None:
    (tmp_path / "sbom.cdx.json").write_text('{"bomFormat":"CycloneDX","specVersion":"1.6"}')
    attached = json.loads(run("attach", layout, str(tmp_path / "sbom.cdx.json"), "--json").out)
    assert attached["artifactType"] == "application/vnd.cyclonedx+json"
    (tmp_path / "scan.txt").write_text("clean")
    assert run("attach", layout, str(tmp_path / "scan.txt")).code == 2
    scan = ("--artifact-type", "text/plain", "-a", "by=scanner")
    assert run("attach", layout, str(tmp_path / "scan.txt"), *scan).code == 0
    assert run("attach", layout, str(tmp_path / "absent")).code == 6
    assert run("sign", layout, "--key", str(keys / "key"), env=SECRETLY).code == 0
    tree = json.loads(run("tree", layout, "--json").out)
    assert sorted(found["kind"] for found in tree["attached"]) == ["other", "sbom", "signature"]
    drawn = run("tree", layout).out
    assert all(word in drawn for word in ("sbom", "signature", "text/plain"))


def test_what_could_not_be_found_out_is_told_apart(serve, chart_dir, keys) -> None:
    registry = serve()
    place = f"oci://{registry.host}/charts"
    assert run("push", str(chart_dir), place, "--plain-http").code == 0
    registry.tell("fault GET *referrers* 1 status 403")
    done = run("verify", f"{place}/web", "--key", str(keys / "key.pub"), "--plain-http", "--json")
    assert done.code == 9 and json.loads(done.out)["error"]["kind"] == "could-not-check"
    # It is gone the next time.
    assert run("verify", f"{place}/web", "--key", str(keys / "key.pub"), "--plain-http").code == 8
