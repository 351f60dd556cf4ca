"""Ctrl-C ends any call: each verb that waits, at a registry that takes its time."""

import os
import signal
import threading

import pytest
from clock import AT_ONCE, Clock

from oci_chart import Attachment, Attestation, Chart, Client, Descriptor, Policy, SigningKey
from oci_chart._command import main

KEY = SigningKey.generate()
POLICY = Policy.keys(KEY.public_key, tlog="ignore-explicitly")
CONTENT = Descriptor.of(b"content", "application/octet-stream")
MANIFEST = Descriptor.of(b"{}", "application/vnd.oci.image.manifest.v1+json")


@pytest.fixture(scope="module")
def slow():
    from conftest import Registry

    registry = Registry("--latency-ms", "20000")
    yield registry.host
    registry.close()


@pytest.fixture(scope="module")
def package():
    from conftest import ROOT

    return Chart.load(ROOT / "examples/charts/greeter").package()


CLIENT = {
    "push": lambda client, place, package, _: client.push(package, place),
    "pull": lambda client, place, _, into: client.pull(place, verify=False, dest=into),
    "pull verified": lambda client, place, *_: client.pull(place, verify=POLICY),
    "show": lambda client, place, *_: client.show(place),
    "metadata": lambda client, place, *_: client.metadata(place),
    "resolve": lambda client, place, *_: client.resolve(place),
    "exists": lambda client, place, *_: client.exists(place),
    "tags": lambda client, place, *_: next(client.tags(place)),
    "repositories": lambda client, place, *_: next(client.repositories(place.split("/")[2])),
    "tag": lambda client, place, *_: client.tag(place, "stable"),
    "delete": lambda client, place, *_: client.delete(place, version="1.0.0"),
    "verify": lambda client, place, *_: client.verify(place, POLICY),
    "examine": lambda client, place, *_: client.examine(place, POLICY),
    "sign": lambda client, place, *_: client.sign(place, KEY),
    "attach": lambda client, place, *_: client.attach(place, Attachment("application/x", b"x")),
    "fetch attachment": lambda client, place, *_: client.fetch_attachment(f"{place}@{MANIFEST.digest}"),
    "attest": lambda client, place, *_: client.attest(place, Attestation("custom", {}), KEY),
    "verify subchart": lambda client, place, package, _: client.verify_subchart(package.chart(), place, POLICY),
    "verify attestation": lambda client, place, *_: client.verify_attestation(place, "custom", POLICY),
    "tree": lambda client, place, *_: client.tree(place),
    "referrers": lambda client, place, *_: next(client.referrers(place)),
    "publish": lambda client, place, package, _: client.publish(package, place, signers=[KEY]),
    "login": lambda client, place, _, into: client.login(place, "robot", "secret", place=into / "logins"),
    "diagnose": lambda client, place, *_: client.diagnose(place),
    "manifest": lambda client, place, *_: client.open(place).manifest("1.0.0"),
    "is there": lambda client, place, *_: client.open(place).exists(CONTENT),
    "fetch": lambda client, place, *_: client.open(place).fetch(CONTENT).read(),
    "fetch to": lambda client, place, _, into: client.open(place).fetch_to(CONTENT, into / "content"),
    "store": lambda client, place, *_: client.open(place).push(b"content", CONTENT.media_type),
}


def interrupting(after: float = 0.15) -> list[Clock]:
    """Presses Ctrl-C in a while; the clock that runs from then on is put into the list."""
    sent: list[Clock] = []

    def send() -> None:
        sent.append(Clock())
        os.kill(os.getpid(), signal.SIGINT)

    threading.Timer(after, send).start()
    return sent


@pytest.mark.parametrize("name", CLIENT)
def test_it_ends_at_once_and_leaves_nothing(name, slow, package, tmp_path) -> None:
    client = Client(plain_http=[slow])
    sent = interrupting()
    with pytest.raises(KeyboardInterrupt):
        CLIENT[name](client, f"oci://{slow}/charts/web", package, tmp_path)
    assert sent[0].seconds() < AT_ONCE
    assert list(tmp_path.iterdir()) == []


def test_every_verb_is_here() -> None:
    verbs = {name for name in dir(Client) if not name.startswith("_")}
    lasting = verbs - {"close", "closed", "open", "logout", "login_status", "metadata_json", "pull_verified"}
    assert lasting <= {name.replace(" ", "_") for name in CLIENT}


def test_the_command_ends_at_once(slow, chart_dir) -> None:
    sent = interrupting()
    assert main(["push", str(chart_dir), f"oci://{slow}/charts", "--plain-http"]) == 130
    assert sent[0].seconds() < AT_ONCE
