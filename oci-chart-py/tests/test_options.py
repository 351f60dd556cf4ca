"""What a client can be told: how hosts are reached, what is kept, what is bounded."""

import concurrent.futures
import datetime
import time

import pytest
from clock import Clock
from conftest import ROOT
from test_calls import silent_server

from oci_chart import CancelToken, Chart, Client, Package, Retry, errors

AUTHORITY = ROOT / "oci-chart-core/testkit/fixtures/tls/authority.pem"
ONCE = Retry(attempts=1)


def release(client: Client, host: str, chart_dir) -> str:
    return client.push(Chart.load(chart_dir).package(), f"oci://{host}/charts", mode="ensure").location


def test_certificates_are_checked_as_said(serve, chart_dir, tmp_path) -> None:
    host = serve("--tls").host
    with pytest.raises(errors.TlsError) as caught:
        release(Client(retry=ONCE), host, chart_dir)
    assert caught.value.reason == "unknown-authority" and isinstance(caught.value, ConnectionError)
    folder = tmp_path / "certs.d" / host
    folder.mkdir(parents=True)
    (folder / "ca.crt").write_bytes(AUTHORITY.read_bytes())
    for options in [
        {"ca_file": AUTHORITY},
        {"ca_file": str(AUTHORITY)},
        {"insecure": [host]},
        {"certs_dir": tmp_path / "certs.d"},
    ]:
        assert release(Client(retry=ONCE, **options), host, chart_dir)
    with pytest.raises(errors.TlsError) as caught:
        release(Client(retry=ONCE), serve().host, chart_dir)
    assert caught.value.reason == "plain-http-on-https"


def test_a_certificate_is_shown_where_one_is_wanted(serve, chart_dir) -> None:
    host, tls = serve("--mutual-tls").host, AUTHORITY.parent
    ours = (tls / "certificate.pem", str(tls / "key.pem"))
    for without in [{}, {"other.example": ours}]:
        with pytest.raises(ConnectionError):
            release(Client(retry=ONCE, ca_file=AUTHORITY, client_certificates=without), host, chart_dir)
    assert release(Client(retry=ONCE, ca_file=AUTHORITY, client_certificates={host: ours}), host, chart_dir)


def test_files_that_are_not_there_or_not_what_they_should_be(tmp_path) -> None:
    rubbish = tmp_path / "rubbish.pem"
    rubbish.write_text("mirrors: 7\n")
    for wrong, raised in [
        ({"ca_file": tmp_path / "absent"}, errors.NotFoundError),
        ({"client_certificates": {"registry.example": (rubbish, rubbish)}}, errors.OciChartError),
        ({"client_certificates": {"registry.example": (tmp_path / "a", tmp_path / "b")}}, errors.NotFoundError),
        ({"registries_yaml": rubbish}, errors.InvalidInputError),
        ({"plain_http": ["not a host"]}, errors.InvalidReferenceError),
        ({"proxy": "ftp://proxy.example"}, errors.InvalidInputError),
        ({"mirrors": {"registry.example": ["https://user:secret@mirror.example"]}}, errors.InvalidInputError),
        ({"user_agent": "two\nlines"}, errors.InvalidInputError),
    ]:
        with pytest.raises(raised) as caught:
            Client(**wrong)
        assert "secret" not in f"{caught.value} {caught.value.context}"
    with pytest.raises(TypeError):
        Client(policy="{}")
    with pytest.raises(TypeError):
        Client("positional")


def test_requests_go_through_a_proxy(serve, chart_dir) -> None:
    place = "oci://registry.invalid/charts/web:1.0.0"
    for options, reason in [
        ({"proxy": "http://127.0.0.1:1"}, "proxy-unreachable"),
        ({"proxy": "http://127.0.0.1:1", "no_proxy": "registry.invalid"}, "name-unknown"),
        ({"proxy": "direct"}, "name-unknown"),
    ]:
        with pytest.raises(errors.NetworkError) as caught:
            Client(retry=ONCE, **options).resolve(place)
        assert caught.value.reason == reason


def test_content_comes_from_a_mirror(serve, chart_dir, tmp_path) -> None:
    origin, mirror = serve(), serve()
    plain = [origin.host, mirror.host]
    place = release(Client(plain_http=plain), origin.host, chart_dir)
    release(Client(plain_http=plain), mirror.host, chart_dir)
    yaml = tmp_path / "registries.yaml"
    yaml.write_text(f'mirrors:\n  "{origin.host}":\n    endpoint: ["http://{mirror.host}"]\n')
    for options in [
        {"mirrors": {origin.host: [f"http://{mirror.host}"]}},
        {"mirrors": {"*": [f"http://{mirror.host}"]}},
        {"registries_yaml": yaml},
    ]:
        origin.log(), mirror.log()
        assert Client(plain_http=plain, **options).pull(place, version="1.0.0", verify=False).package.name == "web"
        assert any("/blobs/" in exchange["target"] for exchange in mirror.log())
        assert not any("/blobs/" in exchange["target"] for exchange in origin.log())


def test_what_was_read_is_kept(serve, chart_dir, tmp_path) -> None:
    registry = serve()
    client = Client(plain_http=[registry.host], cache=tmp_path / "cache", cache_bytes=1 << 30)
    place = release(client, registry.host, chart_dir)
    first = client.pull(place, verify=False).package
    registry.log()
    again = Client(plain_http=[registry.host], cache=tmp_path / "cache")
    assert again.pull(place, verify=False).package == first
    assert not any("/blobs/" in exchange["target"] for exchange in registry.log())


def test_who_calls_is_told_and_pace_is_kept(serve, chart_dir) -> None:
    registry = serve()
    client = Client(
        plain_http=[registry.host],
        user_agent="release-bot/2.1",
        concurrency={registry.host: 1},
        requests_per_second={registry.host: 200.0},
        connect_timeout=5,
        idle_timeout=datetime.timedelta(seconds=5),
        request_timeout=5.0,
        cloud_logins=True,
    )
    release(client, registry.host, chart_dir)
    agents = {exchange["user_agent"] for exchange in registry.log()}
    assert len(agents) == 1 and agents.pop().endswith(" release-bot/2.1")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"connect_timeout": 0.2}, "connect-timeout"),
        # What has not begun to answer may still be connecting.
        ({"connect_timeout": 0.2, "idle_timeout": 0.2}, "idle-timeout"),
        ({"request_timeout": 0.2}, "deadline-exceeded"),
    ],
)
def test_silence_has_bounds(options, reason) -> None:
    with silent_server() as host:
        plain = [] if reason == "connect-timeout" else [host]
        clock = Clock()
        with pytest.raises(TimeoutError) as caught:
            Client(plain_http=plain, retry=ONCE, **options).resolve(f"oci://{host}/charts/web:1.0.0")
        assert caught.value.reason == reason and clock.seconds() < 5


def test_a_host_is_asked_no_faster_than_said(serve) -> None:
    registry = serve("--latency-ms", "150")
    place = f"oci://{registry.host}/charts/web:1.0.0"
    for options, least in [({"concurrency": {registry.host: 1}}, 4 * 0.15), ({"requests_per_second": {registry.host: 4.0}}, 0.5)]:
        client = Client(plain_http=[registry.host], **options)
        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            assert not any(pool.map(client.exists, [place] * 4))
        assert time.monotonic() - began >= least


def test_tries_are_as_said(serve) -> None:
    registry = serve("--throttle", "9:30")
    place = f"oci://{registry.host}/charts/web:1.0.0"
    # Nobody waits longer than he said, for one wait or for all.
    for few in [Retry(most_retry_after=1), Retry(most_time=datetime.timedelta(seconds=2))]:
        with pytest.raises(errors.RateLimitedError):
            Client(plain_http=[registry.host], retry=few, timeout=20).resolve(place)
    busy = serve()
    busy.tell("fault GET * 1 status 503")
    began = time.monotonic()
    list(Client(plain_http=[busy.host], retry=Retry(first_wait=1.5, most_wait=3)).repositories(busy.host))
    assert time.monotonic() - began >= 0.5


def test_a_token_stops_no_later_call(chart_dir, tmp_path) -> None:
    token = CancelToken()
    path = Chart.load(chart_dir).package(tmp_path).path
    package = Package.load(path, cancel=token)
    token.cancel()
    assert package.chart().name == "web"
    with pytest.raises(errors.CancelledError):
        Package.load(path, cancel=token)
