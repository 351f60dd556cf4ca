"""The client."""

from __future__ import annotations

from . import _native as native
from ._native import CancelToken, Chart, ClientCore, Descriptor, Package, PullResult, PushResult
from ._verbs import LoginVerbs, TrustVerbs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime, timedelta
    from os import PathLike
    from types import TracebackType
    from typing import Any, Literal, Self, TypeAlias

    from ._native import Credentials, Event, PullSecret, Reference
    from ._retry import Retry
    from ._store import Store
    from .diagnosis import Diagnosis
    from .enums import LayerOrder, TagMode
    from .trust import Policy

    _StrPath: TypeAlias = str | PathLike[str]
    _Place: TypeAlias = str | Reference
    _Time: TypeAlias = float | timedelta
    _Progress: TypeAlias = Callable[[Event], object]
    _LoginOf: TypeAlias = tuple[str, str] | Credentials


class Client(TrustVerbs, LoginVerbs):
    """Stores and registries, and what is done with them.

    Every call blocks without holding the interpreter's lock, ends on Ctrl-C within 300 ms, and runs its callbacks on the calling thread. Ctrl-C
    reaches the main thread alone, as always in Python: calls of other threads are stopped by a :class:`CancelToken`. Threads may share a client; a
    forked child may go on with its parent's. A client is closed by ``with`` or :meth:`close`; calls that are under way go on.

    A reference is ``oci://HOST/REPOSITORY[:TAG][@DIGEST]`` or ``oci-layout:DIRECTORY[:TAG][@DIGEST]``, or a :class:`Reference`; ``version`` beside
    it is a version or a constraint, such as ``^1.2``. Every call takes ``progress`` (called with each :class:`Event`), ``cancel`` (a :class:`CancelToken`) and ``timeout``
    (for the whole call: seconds or a ``timedelta``), where these make sense.

    >>> import tempfile
    >>> package = Chart.load("examples/charts/greeter").package()
    >>> with tempfile.TemporaryDirectory() as directory, Client() as client:
    ...     pushed = client.push(package, f"oci-layout:{directory}/mirror")
    ...     pulled = client.pull(f"oci-layout:{directory}/mirror", version="^1.2", verify=False)
    >>> pulled.package == package
    True

    In the examples of the verbs ``client`` is a client, ``package`` the package of ``examples/charts/greeter``, ``place`` an image layout that has it,
    ``key`` a :class:`SigningKey`, and ``policy`` trusts that key.
    """

    __slots__ = ("__weakref__", "_core")

    def __init__(
        self,
        *,
        auth: Mapping[str, _LoginOf] | None = None,
        credentials: Callable[[str], _LoginOf | None] | None = None,
        pull_secret: PullSecret | None = None,
        stored_logins: bool | _StrPath = False,
        cloud_logins: bool = False,
        plain_http: Iterable[str] | None = None,
        insecure: Iterable[str] | None = None,
        ca_file: _StrPath | None = None,
        certs_dir: _StrPath | None = None,
        registries_yaml: _StrPath | None = None,
        client_certificates: Mapping[str, tuple[_StrPath, _StrPath]] | None = None,
        concurrency: Mapping[str, int] | None = None,
        requests_per_second: Mapping[str, float] | None = None,
        proxy: str | None = None,
        no_proxy: str | None = None,
        mirrors: Mapping[str, Iterable[str]] | None = None,
        retry: Retry | None = None,
        timeout: _Time | None = None,
        connect_timeout: _Time | None = None,
        idle_timeout: _Time | None = None,
        request_timeout: _Time | None = None,
        cache: _StrPath | None = None,
        cache_bytes: int | None = None,
        limits: Mapping[str, int] | None = None,
        policy: Policy | None = None,
        user_agent: str | None = None,
    ) -> None:
        """Opens no connection; the first call does.

        Logins are looked for in this order, and without any a client is anonymous.

        :param auth: a user's name and password, or :class:`Credentials`, by host.
        :param credentials: called with a host on the thread that waits, once in each call that needs it.
        :param pull_secret: a Kubernetes Secret with logins.
        :param stored_logins: whether the logins of helm, docker and podman count, or the file to read.
        :param cloud_logins: whether to log in to ECR, Google's registries and ACR as the machine or its environment says.

        :param plain_http: hosts that are spoken to without TLS.
        :param insecure: hosts whose certificate is not checked.
        :param ca_file: authorities to trust beside those of the system, or a server's own certificate that signs itself, PEM.
        :param certs_dir: a directory as docker's ``certs.d``: authorities and client certificates by host.
        :param registries_yaml: a file as k3s reads it: mirrors, rewrites, logins, TLS.
        :param client_certificates: certificate chain and key by host, files of PEM.
        :param concurrency: how many requests go to a host at a time.
        :param requests_per_second: how many go out in a second, by host.
        :param proxy: the address of a proxy, or ``direct`` for none; else ``HTTPS_PROXY`` and its like say it.
        :param no_proxy: hosts that are reached directly, separated by commas.
        :param mirrors: where content of a host is read first; the host ``*`` is every other one.
        :param retry: when failed requests are sent again.

        :param timeout: the bound on every call that brings none of its own.
        :param connect_timeout: for a connection, TLS included; 30 seconds.
        :param idle_timeout: for silence; 60 seconds. Until an answer begins, silence is borne for ``connect_timeout`` and a second at least.
        :param request_timeout: for each request until its answer begins, with all its tries; none.
        :param cache: a directory that keeps what was read from registries, checked again when it is read.
        :param cache_bytes: the bound on that directory.
        :param limits: bounds of what is read, by name: ``package_bytes``, ``tags``, ``referrers``, ``manifest_bytes``, ...
        :param policy: lets only charts out of registries and layouts that satisfy it, whatever ``verify`` says.
        :param user_agent: goes behind ``oci-chart/VERSION``.
        """
        options = {
            "auth": dict(auth or {}),
            "pull_secret": pull_secret,
            "stored_logins": stored_logins,
            "cloud_logins": cloud_logins,
            "plain_http": list(plain_http or ()),
            "insecure": list(insecure or ()),
            "ca_file": ca_file,
            "certs_dir": certs_dir,
            "registries_yaml": registries_yaml,
            "client_certificates": dict(client_certificates or {}),
            "concurrency": dict(concurrency or {}),
            "requests_per_second": dict(requests_per_second or {}),
            "proxy": proxy,
            "no_proxy": no_proxy,
            "mirrors": {host: list(several) for host, several in (mirrors or {}).items()},
            "retry": retry,
            "connect_timeout": connect_timeout,
            "idle_timeout": idle_timeout,
            "request_timeout": request_timeout,
            "cache": cache,
            "cache_bytes": cache_bytes,
            "limits": None if limits is None else dict(limits),
            "policy": policy,
            "user_agent": user_agent,
        }
        self._core = ClientCore(options, credentials, timeout)

    def push(
        self,
        package: Package,
        to: _Place,
        /,
        *,
        mode: TagMode | str = "create",
        channels: Iterable[str] = (),
        created: datetime | int | None = None,
        layer_order: LayerOrder | str = "chart-first",
        progress: _Progress | None = None,
        cancel: CancelToken | None = None,
        timeout: _Time | None = None,
    ) -> PushResult:
        """Pushes below ``oci://HOST/PATH``, to which the chart's name is added as by ``helm push``, or into the layout itself.

        ``mode`` says what may happen where the version is there: refuse it (``create``), take the same chart for done (``ensure``), ``replace`` it, or
        replace it if it has the digest that is given. ``channels`` are more tags for the same manifest, moved last. ``created`` is the time that the
        manifest names; without it there is none, or that of ``SOURCE_DATE_EPOCH``. ``layer_order`` only matters beside a provenance file.

        :raises AlreadyExistsError: where the version is there.

        >>> client.push(package, "oci-layout:releases", channels=["stable"]).action
        PushAction.PUSHED
        >>> client.push(package, "oci-layout:releases", mode="ensure").action
        PushAction.UNCHANGED
        """
        how = (mode, list(channels), created, layer_order)
        return native.push(self._core, package, to, how, (progress, cancel, timeout))

    def pull(
        self,
        reference: _Place,
        /,
        *,
        version: str | None = None,
        dest: _StrPath | None = None,
        verify: Policy | Literal[False],
        provenance: bool = False,
        signatures: _Place | None = None,
        progress: _Progress | None = None,
        cancel: CancelToken | None = None,
        timeout: _Time | None = None,
    ) -> PullResult:
        """Pulls by digest, tag, version or constraint, and writes the package into the directory ``dest``, if there is one.

        ``verify`` is the :class:`Policy` that the chart's signatures have to satisfy, or ``False``, which says that no signature is looked at; digests
        always are. ``signatures`` is where they lie, if not beside the chart. ``provenance`` takes the provenance file along.

        :raises NotSignedError, SignatureInvalidError, PolicyDeniedError: where the policy is not satisfied; ``evidence`` says why.
        :raises CouldNotCheckError: where that could not be found out.

        >>> client.pull(place, version="^1", dest=".", verify=False).package.file_name
        'greeter-1.2.0.tgz'
        >>> client.pull(place, verify=policy)
        Traceback (most recent call last):
        oci_chart.errors.NotSignedError: ...
        """
        if verify is None:
            # Whoever lost their policy on the way does not mean no policy.
            raise TypeError("verify is a policy, or False for no verification")
        policy = None if verify is False else verify
        call = (progress, cancel, timeout)
        how = (signatures, None)
        return native.pull(self._core, reference, version, dest, policy, how, provenance, call)

    def show(
        self,
        reference: _Place,
        /,
        *,
        version: str | None = None,
        verify: Policy | Literal[False] = False,
        cancel: CancelToken | None = None,
        timeout: _Time | None = None,
    ) -> Chart:
        """The chart, to look at: its metadata, values, README, custom resource definitions and files.

        >>> client.show(place).readme().splitlines()[0]
        '# greeter'
        """
        pulled = self.pull(reference, version=version, verify=verify, cancel=cancel, timeout=timeout)
        return pulled.package.chart()

    def metadata(
        self,
        reference: _Place,
        /,
        *,
        version: str | None = None,
        cancel: CancelToken | None = None,
        timeout: _Time | None = None,
    ) -> dict[str, Any]:
        """The metadata of a version, from its configuration alone, which is what the publisher said.

        >>> client.metadata(place)["version"]
        '1.2.0'
        """
        import json

        found: dict[str, Any] = json.loads(
            self.metadata_json(reference, version=version, cancel=cancel, timeout=timeout)
        )
        return found

    def metadata_json(
        self,
        reference: _Place,
        /,
        *,
        version: str | None = None,
        cancel: CancelToken | None = None,
        timeout: _Time | None = None,
    ) -> str:
        """As :meth:`metadata`, as Helm writes it."""
        return native.metadata(self._core, reference, version, (None, cancel, timeout))

    def resolve(
        self,
        reference: _Place,
        /,
        *,
        version: str | None = None,
        cancel: CancelToken | None = None,
        timeout: _Time | None = None,
    ) -> Descriptor:
        """The manifest that is meant.

        :raises NotFoundError: where there is none.

        >>> client.resolve(place, version=">=1 <2").digest == client.resolve(f"{place}:1.2.0").digest
        True
        """
        return native.resolve(self._core, reference, version, (None, cancel, timeout))

    def exists(
        self,
        reference: _Place,
        /,
        *,
        version: str | None = None,
        cancel: CancelToken | None = None,
        timeout: _Time | None = None,
    ) -> bool:
        """Whether there is such a version.

        >>> client.exists(place, version="1.2.0"), client.exists(place, version="9.9.9")
        (True, False)
        """
        from .errors import NotFoundError

        try:
            native.resolve(self._core, reference, version, (None, cancel, timeout))
        except NotFoundError:
            return False
        return True

    def tags(
        self, place: _Place, /, *, cancel: CancelToken | None = None, timeout: _Time | None = None
    ) -> Iterator[str]:
        """All tags, in the store's order. A page of the list is asked for when it is wanted; ``timeout`` is for each.

        >>> list(client.tags(place))
        ['1.2.0']
        """
        return native.tags(self._core, place, (None, cancel, timeout))

    def repositories(
        self, registry: str, /, *, cancel: CancelToken | None = None, timeout: _Time | None = None
    ) -> Iterator[str]:
        """The names of all repositories of a registry that this client may see, page by page. Few registries tell them to everybody.

        :raises UnsupportedError: where the registry does not tell them to this caller.
        """
        return native.repositories(self._core, registry, (None, cancel, timeout))

    def tag(
        self,
        reference: _Place,
        tag: str,
        /,
        *,
        mode: TagMode | str = "create",
        cancel: CancelToken | None = None,
        timeout: _Time | None = None,
    ) -> None:
        """Lets a tag point at what ``reference`` names.

        >>> client.tag(f"{place}:1.2.0", "stable")
        >>> sorted(client.tags(place))
        ['1.2.0', 'stable']
        """
        native.tag(self._core, reference, tag, mode, (None, cancel, timeout))

    def delete(
        self,
        reference: _Place,
        /,
        *,
        version: str | None = None,
        cancel: CancelToken | None = None,
        timeout: _Time | None = None,
    ) -> None:
        """Deletes a tag, or by digest a manifest with all its tags.

        >>> client.delete(place, version="1.2.0")
        >>> client.exists(place)
        False
        """
        native.delete(self._core, reference, version, (None, cancel, timeout))

    def open(self, place: _Place, /) -> Store:
        """The repository or layout at a place, for what lies below charts: manifests and content by digest. Asks nothing of it.

        >>> descriptor, manifest = client.open(place).manifest("1.2.0")
        >>> descriptor.size == len(manifest)
        True
        """
        from ._store import Store

        return Store(self._core, str(place))

    def diagnose(
        self, place: _Place, /, *, cancel: CancelToken | None = None, timeout: _Time | None = None
    ) -> Diagnosis:
        """Looks at a place step by step and tells what works there. Nothing is written, and a registry that fails is no exception.

        >>> found = client.diagnose(place)
        >>> found.ok, found["pull"].status
        (True, Status.OK)
        """
        from dataclasses import replace

        from .diagnosis import Diagnosis

        found, text = native.diagnose(self._core, place, (None, cancel, timeout))
        return replace(Diagnosis.from_json(found), text=text)

    def close(self) -> None:
        """Closes the connections. A client that is closed does nothing any more; closing it twice is closing it once."""
        self._core.close()

    @property
    def closed(self) -> bool:
        """Whether it is closed."""
        return self._core.closed

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("a Client cannot be pickled: it has connections and secrets; make one where it is used")

    def __repr__(self) -> str:
        return "<Client closed>" if self.closed else "<Client>"
