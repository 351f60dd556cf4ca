"""Lists and content that are taken piece by piece."""

import array
import hashlib
import io
import os
import pathlib
import tarfile
import threading

import pytest

from oci_chart import Chart, Client, Descriptor, Package, Reference, errors
from oci_chart.enums import EntryTimes

INDEX = "application/vnd.oci.image.index.v1+json"
EMPTY = b'{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}'


@pytest.fixture
def registry(serve):
    return serve("--page-size", "3")


@pytest.fixture(params=["registry", "layout"])
def store(request, registry, tmp_path):
    client = Client(plain_http=[registry.host])
    registry_place = f"oci://{registry.host}/charts/web"
    return client.open(registry_place if request.param == "registry" else f"oci-layout:{tmp_path / 'store'}")


def lists(registry) -> int:
    return sum("/tags/list" in exchange["target"] for exchange in registry.log())


def test_a_page_is_asked_for_when_it_is_wanted(registry) -> None:
    client = Client(plain_http=[registry.host])
    store = client.open(f"oci://{registry.host}/charts/web")
    store.push(EMPTY, INDEX, tags=[f"1.{number}.0" for number in range(10)])
    registry.log()
    tags = store.tags()
    assert iter(tags) is tags and lists(registry) == 0
    assert next(tags) == "1.0.0" and lists(registry) == 1
    assert [next(tags), next(tags)] == ["1.1.0", "1.2.0"] and lists(registry) == 0
    assert next(tags) == "1.3.0" and lists(registry) == 1
    assert len(list(tags)) == 6 and lists(registry) == 2
    assert list(tags) == []


def test_credentials_are_asked_for_by_the_call_that_needs_them(serve) -> None:
    registry = serve("--page-size", "3", "--basic", "robot:secret")
    asked = []

    def credentials(_: str) -> tuple[str, str]:
        asked.append(threading.get_ident())
        return "robot", "secret"

    client = Client(plain_http=[registry.host], credentials=credentials)
    store = client.open(f"oci://{registry.host}/charts/web")
    content = store.push(EMPTY, INDEX, tags=[f"1.{number}.0" for number in range(5)])
    assert len(list(store.tags())) == 5 and list(store.referrers("1.0.0")) == []
    assert store.fetch(content).read() == EMPTY
    assert set(asked) == {threading.get_ident()}


def test_repositories_are_listed_page_by_page(registry) -> None:
    client = Client(plain_http=[registry.host])
    names = [f"charts/web{number}" for number in range(5)]
    for name in names:
        client.open(f"oci://{registry.host}/{name}").push(EMPTY, INDEX, tags=["1.0.0"])
    registry.log()
    found = client.repositories(f"oci://{registry.host}")
    assert registry.log() == [] and next(found) == names[0] and len(registry.log()) == 1
    assert list(found) == names[1:] and len(registry.log()) == 1
    registry.tell("fault GET */_catalog* 1 status 404")
    with pytest.raises(NotImplementedError) as caught:
        list(client.repositories(registry.host))
    assert caught.value.reason == "catalog-unavailable"


def test_a_reference_is_as_good_as_its_text(registry, chart_dir) -> None:
    client, package = Client(plain_http=[registry.host]), Chart.load(chart_dir).package()
    pushed = client.push(package, Reference(f"oci://{registry.host}/charts"))
    place = Reference(f"oci://{registry.host}/charts/web:1.0.0")
    assert client.pull(place, verify=False).digest == client.resolve(place).digest == pushed.digest
    assert client.exists(place) and list(client.tags(place)) == ["1.0.0"]
    assert client.open(place).resolve("1.0.0").digest == pushed.digest
    client.tag(place, "stable")
    assert client.diagnose(place).ok and client.tree(place).attached == ()
    client.delete(place)
    assert not client.exists(place)
    with pytest.raises(TypeError):
        client.exists(7)


def test_content_goes_there_and_back(store, tmp_path) -> None:
    content = os.urandom(3 << 20)
    file = tmp_path / "content"
    file.write_bytes(content)
    sources = [content, bytearray(content), memoryview(content), array.array("B", content), file]
    found = {store.push(source, "application/octet-stream") for source in sources}
    (descriptor,) = found
    assert descriptor == Descriptor.of(content, "application/octet-stream")
    assert descriptor.digest == "sha256:" + hashlib.sha256(content).hexdigest()
    assert store.exists(descriptor)
    assert not store.exists(Descriptor.of(b"other", "application/octet-stream"))

    assert store.fetch(descriptor).read() == content
    assert b"".join(store.fetch(descriptor)) == content
    with store.fetch(descriptor) as reader:
        assert (reader.read(5), reader.read(0), reader.read(7)) == (content[:5], b"", content[5:12])
        buffer = bytearray(100)
        assert reader.readinto(buffer) == 100 and buffer == content[12:112]
        assert reader.read() == content[112:] and reader.read(1) == b"" and reader.readinto(buffer) == 0
        assert reader.descriptor == descriptor and not reader.closed
    assert reader.closed
    reader.close()
    with pytest.raises(ValueError, match="closed"):
        reader.read()
    buffered = io.BufferedReader(store.fetch(descriptor), 1 << 16)
    assert hashlib.file_digest(buffered, "sha256").hexdigest() == descriptor.digest.removeprefix("sha256:")

    into = tmp_path / "into"
    store.fetch_to(descriptor, into)
    assert into.read_bytes() == content
    with pytest.raises(TypeError):
        store.push("text or path?", "text/plain")
    with pytest.raises(errors.NotFoundError):
        store.push(pathlib.Path(tmp_path / "absent"), "text/plain")


def test_what_is_not_what_it_should_be_is_told_at_its_end(registry) -> None:
    store = Client(plain_http=[registry.host]).open(f"oci://{registry.host}/charts/web")
    descriptor = store.push(bytes(1 << 20), "application/octet-stream")
    registry.tell("fault GET */blobs/* 1 flip 1000")
    reader = store.fetch(descriptor)
    with pytest.raises(errors.DigestMismatchError):
        reader.read()
    assert reader.read() == b""


def test_a_reader_is_read_by_one_thread_at_a_time(serve) -> None:
    registry = serve("--latency-ms", "500")
    client = Client(plain_http=[registry.host])
    tags = client.tags(f"oci://{registry.host}/charts/web")
    seen = []

    def read() -> None:
        try:
            next(tags)
        except Exception as error:
            seen.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    while thread.is_alive() and not seen:
        try:
            next(tags)
        except errors.InvalidInputError as error:
            assert "already" in str(error)
            break
        except (StopIteration, errors.NotFoundError):
            pytest.skip("the other thread was slower")
    thread.join()


def test_manifests_are_bytes_and_tags_point_at_them(store) -> None:
    pushed = store.push(EMPTY, INDEX, tags=["1.0.0", "stable"])
    assert store.manifest("1.0.0") == (pushed, EMPTY)
    assert store.resolve("^1").digest == store.resolve(pushed.digest).digest == pushed.digest
    assert sorted(store.tags()) == ["1.0.0", "stable"]
    with pytest.raises(errors.AlreadyExistsError):
        store.push(EMPTY + b"\n", INDEX, tags=["stable"])
    store.push(EMPTY + b"\n", INDEX, tags=["stable"], mode=pushed.digest)
    store.delete("1.0.0")
    assert list(store.tags()) == ["stable"]
    assert list(store.referrers(pushed.digest)) == []
    with pytest.raises(errors.NotFoundError):
        store.manifest("1.0.0")


def test_links_leave_a_chart_where_it_is_allowed(chart_dir) -> None:
    (chart_dir.parent / "outside").write_text("from outside\n")
    (chart_dir / "link").symlink_to("../outside")
    with pytest.raises(errors.InvalidChartError):
        Chart.load(chart_dir)
    assert Chart.load(chart_dir, follow_outside_symlinks=True).read("link") == b"from outside\n"


def test_what_is_behind_a_package_is_refused_where_it_is_said(chart_dir) -> None:
    path = chart_dir.parent / "web-1.0.0.tgz"
    path.write_bytes(Chart.load(chart_dir).package().read() + b"rubbish")
    assert Chart.load(path).name == "web"
    with pytest.raises(errors.InvalidArchiveError):
        Chart.load(path, strict=True)


def test_a_stream_gives_no_more_than_it_is_asked_for() -> None:
    class Generous(io.BytesIO):
        def read(self, size: int = -1) -> bytes:
            return bytes(size + 1)

    with pytest.raises(ValueError, match="more than"):
        Package.from_stream(Generous())


def test_files_may_keep_their_times(chart_dir) -> None:
    chart = Chart.load(chart_dir)
    found = {}
    for times in ["one", EntryTimes.SOURCE]:
        data = chart.package(time=1_000_000_000, entry_times=times).read()
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            found[times] = {entry.name: entry.mtime for entry in archive}
    assert set(found["one"].values()) == {1_000_000_000}
    values = round((chart_dir / "values.yaml").stat().st_mtime)
    assert abs(found["source"]["web/values.yaml"] - values) <= 1
    with pytest.raises(errors.InvalidInputError):
        chart.package(entry_times="helm")


def test_packages_come_from_any_buffer(chart_dir) -> None:
    package = Chart.load(chart_dir).package()
    for data in [package.read(), bytearray(package.read()), memoryview(package.read())]:
        assert Package.from_bytes(data) == package
    with pytest.raises(TypeError):
        Package.from_bytes("text")
    with pytest.raises(errors.InvalidArchiveError):
        Package.from_bytes(b"rubbish")
    with package_file(package) as file:
        assert Package.from_stream(file) == package


def package_file(package: Package) -> io.BufferedIOBase:
    return io.BufferedReader(io.BytesIO(package.read()), 64)


def test_what_a_stream_raises_comes_out(chart_dir) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int = -1) -> bytes:
            assert threading.current_thread() is threading.main_thread()
            raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        Package.from_stream(Broken())
    with pytest.raises(AttributeError):
        Package.from_stream(7)


def test_limits_have_names(chart_dir, store) -> None:
    package = Chart.load(chart_dir).package()
    path = package.write_to(chart_dir.parent)
    for load in [
        lambda: Chart.load(chart_dir, limits={"file_bytes": 5}),
        lambda: Package.load(path, limits={"package_bytes": 5}),
        lambda: Package.from_stream(package_file(package), limits={"package_bytes": 5}),
    ]:
        with pytest.raises(errors.LimitExceededError) as caught:
            load()
        assert caught.value.context["bound"] == "5"
    with pytest.raises(errors.InvalidInputError):
        Client(limits={"bytes": 5})
    with pytest.raises(errors.LimitExceededError):
        store.push(EMPTY, INDEX, tags=["1.0.0"])
        host = store.place.removeprefix("oci://").split("/")[0]
        plain = [host] if store.place.startswith("oci://") else []
        Client(plain_http=plain, limits={"manifest_bytes": 5}).open(store.place).manifest("1.0.0")


def test_the_parts_of_a_chart(chart_dir, tmp_path) -> None:
    (chart_dir / "README.md").write_text("# Web\n")
    (chart_dir / "crds").mkdir()
    (chart_dir / "crds/thing.yaml").write_text("kind: Thing\n")
    chart = Chart.load(chart_dir)
    assert chart.metadata() == {"name": "web", "version": "1.0.0", "apiVersion": "v2"}
    assert chart.metadata_yaml().startswith("apiVersion: v2\n")
    assert (chart.readme(), chart.schema()) == ("# Web\n", None)
    assert chart.crds() == "---\nkind: Thing\n\n"
    assert set(chart.files) == {"values.yaml", "README.md", "crds/thing.yaml"}
    assert chart.read("README.md") == b"# Web\n"
    with pytest.raises(errors.NotFoundError):
        chart.read("../outside")
    with Client() as client:
        place = client.push(chart.package(), f"oci-layout:{tmp_path / 'store'}").location
        shown = client.show(place)
        assert (shown.values(), shown.crds()) == (chart.values(), chart.crds())
        assert client.metadata(place) == chart.metadata()
    (tmp_path / "into").mkdir()
    unpacked = chart.package().unpack(tmp_path / "into")
    assert unpacked == tmp_path / "into/web" and (unpacked / "values.yaml").exists()
