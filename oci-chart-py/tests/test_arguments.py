"""Arguments that make no sense: each is refused in words that say which it is and what was wanted."""

import pytest

from oci_chart import Chart, Client, Policy, PublicKey, Retry, SigningKey

LAYOUT = "oci-layout:nothing"


@pytest.fixture
def client():
    with Client() as client:
        yield client


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda client, _: client.resolve(LAYOUT, timeout=-1), ValueError, "a length of time is not negative"),
        (lambda client, _: client.resolve(LAYOUT, timeout="1"), TypeError, "a length of time is a number of seconds or a timedelta"),
        (lambda client, _: client.resolve(LAYOUT, cancel=1), TypeError, "CancelToken"),
        (lambda client, _: client.resolve(None), TypeError, "a text or a Reference is wanted, not NoneType"),
        (lambda client, _: client.resolve(b"x"), TypeError, "a text or a Reference is wanted, not bytes"),
        (lambda client, _: client.resolve("oci-layout:\udcff"), UnicodeEncodeError, "surrogates"),
        (lambda client, package: client.push(package, LAYOUT, mode=None), TypeError, "NoneType|None"),
        (lambda client, package: client.push(package, LAYOUT, mode="perhaps"), ValueError, "create, ensure, replace"),
        (lambda client, package: client.push(package, LAYOUT, created="now"), TypeError, "seconds since 1970, or a datetime"),
        (lambda client, _: client.sign(LAYOUT, "cosign.key"), TypeError, "a SigningKey or a Signer is wanted, not str"),
        (lambda client, _: client.sign(LAYOUT, SigningKey.generate(), signatures=1), TypeError, "a text or a Reference is wanted, not int"),
        (lambda *_: Client(auth={"h": 1}), TypeError, "^auth: Credentials, or a name and a password is wanted, not int"),
        (lambda *_: Client(auth={"h": ("a", "b", "c")}), TypeError, "^auth: Credentials, or a name and a password is wanted, not tuple"),
        (lambda *_: Client(auth={"h": ("a", "\udcff")}), ValueError, "^auth: .*surrogates"),
        (lambda *_: Client(plain_http=[1]), TypeError, "^plain_http: 'int' object"),
        (lambda *_: Client(connect_timeout=-1), ValueError, "^connect_timeout: a length of time is not negative"),
        (lambda *_: Client(retry=Retry(attempts=-1)), (TypeError, ValueError), "^retry: "),
        (lambda *_: Client(policy="all"), TypeError, "^policy: a policy is wanted"),
    ],
)
def test_what_is_wrong_is_said(call, error, says, client, chart_dir) -> None:
    with pytest.raises(error, match=says) as caught:
        call(client, Chart.load(chart_dir).package())
    assert "failed to extract" not in str(caught.value)


def test_a_policy_that_was_lost_on_the_way_is_no_leave_to_go_without(client) -> None:
    for call in [client.pull, client.show]:
        with pytest.raises(TypeError, match="False for no verification"):
            call(LAYOUT, verify=None)
    for call in [client.verify, client.examine]:
        with pytest.raises(TypeError, match="a policy is wanted"):
            call(LAYOUT, None)


def test_a_key_is_no_policy() -> None:
    with pytest.raises(ValueError, match="PEM"):
        Policy.keys(PublicKey("key"), tlog="ignore-explicitly")
