"""The native half of the package: what it takes and gives."""

from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Literal, Self, TypeAlias, final

__all__ = [
    "CancelToken",
    "Chart",
    "Client",
    "Descriptor",
    "Event",
    "Package",
    "PullResult",
    "PushResult",
    "Reference",
    "error_kinds",
    "matches",
    "version",
]

_StrPath: TypeAlias = str | PathLike[str]
_Mode: TypeAlias = Literal["create", "ensure", "replace"] | str
_Progress: TypeAlias = Callable[["Event"], object]

def version() -> str: ...
def error_kinds() -> list[tuple[str, int]]: ...
def matches(constraint: str, version: str, /) -> bool:
    """Whether a version satisfies a constraint, by Helm's rules.

    >>> matches(">=1.2 <2", "1.9.0")
    True
    """

@final
class CancelToken:
    """Stops calls from another thread: pass it as ``cancel=``, call :meth:`cancel` anywhere."""

    def __new__(cls) -> Self: ...
    def cancel(self) -> None:
        """Stops every call that was given this token, at once or when it begins."""
    @property
    def cancelled(self) -> bool:
        """Whether :meth:`cancel` was called."""

@final
class Event:
    """Something that happened during a call."""

    @property
    def kind(self) -> Literal["started", "progress", "finished", "skipped", "warning", "waiting"]: ...
    @property
    def id(self) -> int | None:
        """Which transfer."""
    @property
    def digest(self) -> str | None: ...
    @property
    def media_type(self) -> str | None: ...
    @property
    def bytes(self) -> int | None:
        """Bytes moved so far, or the size of what begins."""
    @property
    def text(self) -> str | None:
        """What a warning says, or what is waited for."""

@final
class Reference:
    """What a text refers to: ``[oci://]HOST/REPOSITORY[:TAG][@DIGEST]``, by Helm's rules.

    >>> Reference("oci://registry.example/charts/web:1.0.0").repository
    'charts/web'
    """

    def __new__(cls, text: str, /) -> Self: ...
    @property
    def host(self) -> str: ...
    @property
    def repository(self) -> str: ...
    @property
    def tag(self) -> str | None: ...
    @property
    def digest(self) -> str | None: ...
    @property
    def selector(self) -> str:
        """What is pulled: the tag, the digest, both, or the constraint that the tag or its absence stands for."""
    @property
    def text(self) -> str: ...
    def __hash__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...

@final
class Descriptor:
    """What names content: media type, digest and size in bytes."""

    __match_args__ = ("media_type", "digest", "size")
    def __new__(cls, media_type: str, digest: str, size: int) -> Self: ...
    @property
    def media_type(self) -> str: ...
    @property
    def digest(self) -> str: ...
    @property
    def size(self) -> int: ...
    def __hash__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...

@final
class PushResult:
    """What a push did."""

    __match_args__ = ("descriptor", "tag", "action", "location")
    def __new__(cls, descriptor: Descriptor, tag: str, action: str, location: str) -> Self: ...
    @property
    def descriptor(self) -> Descriptor:
        """The manifest that the tag points at now."""
    @property
    def tag(self) -> str: ...
    @property
    def action(self) -> str:
        """``pushed``, ``unchanged``, or ``same-chart``: another manifest with this chart layer was there."""
    @property
    def location(self) -> str: ...
    @property
    def digest(self) -> str:
        """The manifest's digest."""
    @property
    def reference(self) -> str:
        """The pushed chart by digest, which nobody can move."""
    def __hash__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...

@final
class PullResult:
    """A pulled chart."""

    @property
    def descriptor(self) -> Descriptor: ...
    @property
    def digest(self) -> str:
        """The manifest's digest."""
    @property
    def manifest(self) -> bytes:
        """The manifest's bytes, as the registry has them."""
    @property
    def package(self) -> Package: ...

@final
class Chart:
    """A chart, loaded from a directory or a package."""

    @staticmethod
    def load(
        path: _StrPath,
        /,
        *,
        follow_outside_symlinks: bool = False,
        strict: bool = False,
        cancel: CancelToken | None = None,
    ) -> Chart:
        """Loads a directory or a package, by Helm's rules.

        Symbolic links that leave the directory are refused unless ``follow_outside_symlinks``; ``strict`` refuses packages with anything wrong behind
        their last file.
        """
    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def app_version(self) -> str: ...
    @property
    def api_version(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def dependencies(self) -> list[str]:
        """The names of the declared dependencies."""
    def metadata_json(self) -> str:
        """The metadata as Helm writes it into the config blob."""
    def readme(self) -> str | None: ...
    def values(self) -> str | None: ...
    def package(
        self,
        dest: _StrPath | None = None,
        /,
        *,
        version: str | None = None,
        app_version: str | None = None,
        time: int | None = None,
        threads: int | None = None,
        cancel: CancelToken | None = None,
    ) -> Package:
        """Packages the chart, into the directory ``dest`` if there is one. The same tree gives the same bytes.

        ``time`` (seconds since 1970) stamps every file; without it ``SOURCE_DATE_EPOCH`` does, else a fixed time. Nothing in the chart's directory changes.
        """

@final
class Package:
    """A packaged chart: the bytes that are pushed, and their digest."""

    @staticmethod
    def load(path: _StrPath, /) -> Package:
        """Reads a package, and the provenance file beside it if there is one."""
    @property
    def digest(self) -> str:
        """The SHA-256 of the package."""
    @property
    def size(self) -> int:
        """Bytes."""
    @property
    def path(self) -> Path | None:
        """Where :meth:`Chart.package` wrote it, or it was loaded from."""
    @property
    def file_name(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    def chart(self) -> Chart: ...
    def read(self) -> bytes: ...
    def write_to(self, dest: _StrPath, /) -> Path:
        """Writes NAME-VERSION.tgz, and the provenance if there is one, into a directory."""
    def __hash__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...

@final
class Client:
    """Stores and registries, and what is done with them.

    Every call blocks without holding the interpreter's lock, ends on Ctrl-C, and runs its callbacks on the calling thread. Threads may share a client.
    ``auth`` has a user and a password by host; ``credentials`` is asked for them instead, once for each host. ``plain_http`` names the hosts that are
    spoken to without TLS, ``ca_file`` more authorities to trust.

    A place is ``oci://HOST/REPOSITORY`` or ``oci-layout:DIRECTORY``; ``mode`` is ``create`` (refuse what is there), ``ensure`` (the same chart is fine),
    ``replace``, or the digest that has to be there.
    """

    def __new__(
        cls,
        *,
        auth: Mapping[str, tuple[str, str]] | None = None,
        credentials: Callable[[str], tuple[str, str] | None] | None = None,
        plain_http: Sequence[str] | None = None,
        ca_file: _StrPath | None = None,
        user_agent: str | None = None,
    ) -> Self: ...
    def push(
        self,
        package: Package,
        to: str,
        /,
        *,
        mode: _Mode = "create",
        created: int | None = None,
        progress: _Progress | None = None,
        cancel: CancelToken | None = None,
    ) -> PushResult:
        """Pushes below ``oci://HOST/PATH``, to which the chart's name is added, or into the layout itself."""
    def pull(
        self,
        reference: str,
        /,
        *,
        version: str | None = None,
        dest: _StrPath | None = None,
        verify: Literal[False],
        provenance: bool = False,
        progress: _Progress | None = None,
        cancel: CancelToken | None = None,
    ) -> PullResult:
        """Pulls by digest, tag, version or constraint. ``verify=False`` says that no signature is looked at; digests always are."""
    def resolve(
        self, reference: str, /, *, version: str | None = None, cancel: CancelToken | None = None
    ) -> Descriptor: ...
    def metadata_json(
        self, reference: str, /, *, version: str | None = None, cancel: CancelToken | None = None
    ) -> str:
        """The metadata of a version, from the config blob alone."""
    def tags(self, reference: str, /, *, cancel: CancelToken | None = None) -> list[str]: ...
    def tag(
        self, reference: str, tag: str, /, *, mode: _Mode = "create", cancel: CancelToken | None = None
    ) -> None:
        """Lets a tag point at what ``reference`` names."""
    def exists(
        self, reference: str, /, *, version: str | None = None, cancel: CancelToken | None = None
    ) -> bool: ...
    def delete(
        self, reference: str, /, *, version: str | None = None, cancel: CancelToken | None = None
    ) -> None:
        """Deletes a tag, or by digest a manifest."""
