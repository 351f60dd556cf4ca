"""What others say of what the package pushed and the command signed."""

import hashlib
import json

import pytest
from command import run
from judges import Refused, docker_registry, judge, missing, say

from oci_chart import Chart, Client, SigningKey


@pytest.fixture
def registry(tmp_path):
    place = tmp_path / "distribution"
    place.mkdir()
    with docker_registry(place) as host:
        yield host


@pytest.fixture
def home(tmp_path):
    place = tmp_path / "home"
    place.mkdir()
    return place


def test_helm_reads_what_was_pushed(registry, home, chart_dir) -> None:
    helm = judge("helm4")
    package = Chart.load(chart_dir).package(version="1.2.3+build.5")
    pushed = Client(plain_http=[registry]).push(package, f"oci://{registry}/charts")
    told = say(home, helm, "show", "chart", f"oci://{registry}/charts/web", "--version", "1.2.3+build.5", "--plain-http")
    assert "version: 1.2.3+build.5" in told
    say(home, helm, "pull", f"oci://{registry}/charts/web@{pushed.digest}", "--plain-http")
    assert [path.read_bytes() for path in home.glob("*.tgz")] == [package.read()]


def test_the_command_reads_what_helm_pushed(registry, home, chart_dir) -> None:
    helm = judge("helm4")
    say(home, helm, "package", str(chart_dir))
    say(home, helm, "push", "web-1.0.0.tgz", f"oci://{registry}/charts", "--plain-http")
    done = run("pull", f"oci://{registry}/charts/web", "-d", str(home / "pulled"), "--plain-http")
    assert done.code == 0, done.err
    assert (home / "pulled/web-1.0.0.tgz").read_bytes() == (home / "web-1.0.0.tgz").read_bytes()
    # The same chart again is no conflict, whoever was first.
    again = run("push", str(home / "web-1.0.0.tgz"), f"oci://{registry}/charts", "--mode", "ensure", "--plain-http")
    assert again.code == 0 and "action: same-chart" in again.out


def test_oras_reads_what_was_pushed(registry, home, chart_dir) -> None:
    try:
        import oras.client
    except ImportError:
        missing("oras (oci-chart-py/requirements-test.txt)")
    package = Chart.load(chart_dir).package()
    pushed = Client(plain_http=[registry]).push(package, f"oci://{registry}/charts")
    client = oras.client.OrasClient(hostname=registry, insecure=True, auth_backend="basic")
    manifest = client.get_manifest(f"{registry}/charts/web:1.0.0")
    assert manifest["layers"][0]["digest"] == package.digest
    blob = client.get_blob(f"{registry}/charts/web", manifest["layers"][0]["digest"])
    assert hashlib.sha256(blob.content).hexdigest() == package.digest.removeprefix("sha256:")
    assert list(client.get_tags(f"{registry}/charts/web")) == ["1.0.0"]
    assert pushed.tag == "1.0.0"


@pytest.mark.parametrize("form", ["bundle", "signature-tag"])
@pytest.mark.parametrize("major", [2, 3])
def test_cosign_takes_what_the_command_signed(registry, home, chart_dir, form, major) -> None:
    cosign = judge(f"cosign{major}")
    key = SigningKey.generate()
    (home / "key").write_text(key.to_pem("pass word"))
    (home / "key.pub").write_text(key.public_key.pem)
    (home / "other.pub").write_text(SigningKey.generate().public_key.pem)
    pushed = json.loads(run("push", str(chart_dir), f"oci://{registry}/charts", "--plain-http", "--json").out)
    reference = f"{registry}/charts/web@{pushed['digest']}"
    signed = run(
        "sign", f"oci://{reference}", "--key", str(home / "key"), "--format", form, "--plain-http",
        env={"COSIGN_PASSWORD": "pass word"},
    )  # fmt: skip
    assert signed.code == 0, signed.err
    # Version 2 asks the network for the public instance's root, where it is not given one.
    (home / "root.json").write_text('{"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"}')
    root = ["--trusted-root", str(home / "root.json")] if major == 2 else []
    verify = [cosign, "verify", "--insecure-ignore-tlog", "--allow-http-registry", *root]
    if form == "bundle" and major == 2:
        verify.append("--new-bundle-format")
    say(home, *verify, "--key", "key.pub", reference)
    with pytest.raises(Refused):
        say(home, *verify, "--key", "other.pub", reference)


def test_the_command_takes_what_cosign_signed(registry, home, chart_dir) -> None:
    cosign = judge("cosign3")
    say(home, cosign, "generate-key-pair", COSIGN_PASSWORD="pass word")
    pushed = json.loads(run("push", str(chart_dir), f"oci://{registry}/charts", "--plain-http", "--json").out)
    reference = f"{registry}/charts/web@{pushed['digest']}"
    sign = [cosign, "sign", "--key", "cosign.key", "--yes", "--tlog-upload=false", "--allow-http-registry"]
    say(home, *sign, "--use-signing-config=false", reference, COSIGN_PASSWORD="pass word")
    done = run("verify", f"oci://{reference}", "--key", str(home / "cosign.pub"), "--plain-http", "--json")
    assert done.code == 0 and json.loads(done.out)["digest"] == pushed["digest"]
    # And its key signs with ours.
    done = run(
        "sign", f"oci://{reference}", "--key", str(home / "cosign.key"), "--passphrase-file", "-", "--plain-http",
        stdin="pass word\n",
    )  # fmt: skip
    assert done.code == 0 and "bundle: sha256:" in done.out
    assert run("verify", f"oci://{reference}", "--key", str(home / "cosign.pub"), "--plain-http").code == 0
