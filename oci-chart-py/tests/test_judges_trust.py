"""What others say of what the package signed and attached, and it of what they did."""

import pytest
from conftest import ROOT
from judges import docker_registry, judge, missing, say

from oci_chart import Attachment, Chart, Client, Keyring, Policy, SigningKey
from oci_chart.enums import Format


@pytest.fixture(params=["serve", "docker-registry"])
def host(request, serve, tmp_path):
    if request.param == "serve":
        yield serve().host
        return
    with docker_registry(tmp_path) as host:
        yield host


def test_helm_and_the_wheel_show_the_same(host, chart_dir, tmp_path) -> None:
    helm, client = judge("helm4"), Client(plain_http=[host])
    pushed = client.push(Chart.load(chart_dir).package(), f"oci://{host}/charts")
    shown = say(tmp_path, helm, "show", "values", pushed.location, "--plain-http")
    assert shown.endswith("\n" + client.show(pushed.location).values() + "\n")
    say(tmp_path, helm, "package", str(chart_dir), "--version", "2.0.0", "-d", str(tmp_path))
    say(tmp_path, helm, "push", "web-2.0.0.tgz", f"oci://{host}/charts", "--plain-http")
    pulled = client.pull(pushed.location, version="^2", verify=False)
    assert pulled.package.read() == (tmp_path / "web-2.0.0.tgz").read_bytes()
    assert sorted(client.tags(pushed.location)) == ["1.0.0", "2.0.0"]


def test_helm_verifies_what_was_signed(chart_dir, tmp_path) -> None:
    ring = Keyring.load(ROOT / "examples/keys/signer.secret.asc")
    path = Chart.load(chart_dir).package().sign_provenance(ring).write_to(tmp_path)
    say(tmp_path, judge("gpg"), "--dearmor", "-o", "ring.gpg", str(ROOT / "examples/keys/signer.asc"))
    assert "Example Signer" in say(tmp_path, judge("helm4"), "verify", str(path), "--keyring", "ring.gpg")


def test_cosign_and_the_wheel_verify_each_other(host, chart_dir, tmp_path) -> None:
    cosign, key = judge("cosign3"), SigningKey.generate()
    (tmp_path / "key.pub").write_text(key.public_key.pem)
    (tmp_path / "key").write_text(key.to_pem("pass"))
    client = Client(plain_http=[host])
    place = client.push(Chart.load(chart_dir).package(), f"oci://{host}/charts").location
    policy = Policy.keys(key.public_key, tlog="ignore-explicitly", annotations={"by": "wheel"})
    for form in [Format.BUNDLE, Format.SIGNATURE_TAG]:
        client.sign(place, key, formats=[form], annotations={"by": "wheel"})
    reference = f"{place.removeprefix('oci://')}@{client.resolve(place).digest}"
    verify = [cosign, "verify", "--allow-http-registry", "--insecure-ignore-tlog", "--key", "key.pub"]
    for form in ["true", "false"]:
        said = say(tmp_path, *verify, f"--new-bundle-format={form}", "-a", "by=wheel", reference)
        assert "wheel" in said
    assert client.verify(place, policy).evidence.signers == (key.public_key.fingerprint,)

    other = client.push(Chart.load(chart_dir).package(version="3.0.0"), f"oci://{host}/charts").reference
    sign = [cosign, "sign", "--key", "key", "--yes", "--use-signing-config=false", "--tlog-upload=false"]
    what = ["--allow-http-registry", "-a", "by=wheel", other.removeprefix("oci://")]
    say(tmp_path, *sign, *what, COSIGN_PASSWORD="pass")
    assert client.verify(other, policy).digest in other


def test_oras_reads_what_was_attached(host, chart_dir, tmp_path) -> None:
    try:
        import oras.client
    except ImportError:
        missing("oras (oci-chart-py/requirements-test.txt)")
    client = Client(plain_http=[host])
    pushed = client.push(Chart.load(chart_dir).package(), f"oci://{host}/charts")
    client.attach(pushed.reference, Attachment("application/vnd.example.report", b"fine", title="report.txt"))
    attached = client.tree(pushed.reference).attached[0].digest
    foreign = oras.client.OrasClient(hostname=host, insecure=True, auth_backend="basic")
    foreign.pull(f"{host}/charts/web@{attached}", outdir=str(tmp_path))
    assert (tmp_path / "report.txt").read_bytes() == b"fine"
