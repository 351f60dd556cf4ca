"""What lies below charts."""

from __future__ import annotations

from . import _native as native
from ._native import BlobReader, CancelToken, ClientCore, Descriptor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from os import PathLike
    from typing import Any

    from typing_extensions import Buffer

    from ._client import _StrPath, _Time
    from .enums import TagMode


class Store:
    """One repository of a registry, or one image layout: manifests and content by digest, and tags that point at manifests.

    :meth:`Client.open` makes one. It lives as long as its client is open.

    >>> import tempfile
    >>> from oci_chart import Client
    >>> with tempfile.TemporaryDirectory() as directory, Client() as client:
    ...     store = client.open(f"oci-layout:{directory}")
    ...     stored = store.push(b"hello", "text/plain")
    ...     with store.fetch(stored) as content:
    ...         content.read(2), content.read()
    (b'he', b'llo')
    """

    __slots__ = ("_core", "place")

    def __init__(self, core: ClientCore, place: str) -> None:
        self._core = core
        self.place: str = place

    def tags(self, *, cancel: CancelToken | None = None, timeout: _Time | None = None) -> Iterator[str]:
        """All tags, page by page."""
        return native.tags(self._core, self.place, (None, cancel, timeout))

    def resolve(
        self, selector: str, /, *, cancel: CancelToken | None = None, timeout: _Time | None = None
    ) -> Descriptor:
        """The manifest that a tag, digest, version or constraint means."""
        return native.resolve(self._core, self.place, selector, (None, cancel, timeout))

    def manifest(
        self, selector: str, /, *, cancel: CancelToken | None = None, timeout: _Time | None = None
    ) -> tuple[Descriptor, bytes]:
        """The same with its bytes, whole and checked."""
        return native.manifest(self._core, self.place, selector, (None, cancel, timeout))

    def exists(
        self, descriptor: Descriptor, /, *, cancel: CancelToken | None = None, timeout: _Time | None = None
    ) -> bool:
        """Whether this content is there. The media type tells manifests from other content."""
        return native.has(self._core, self.place, descriptor, (None, cancel, timeout))

    def fetch(
        self, descriptor: Descriptor, /, *, cancel: CancelToken | None = None, timeout: _Time | None = None
    ) -> BlobReader:
        """Content as a stream: ``read``, ``readinto`` or iteration. Whoever reads to the end has the right bytes. ``timeout`` is for each read."""
        return native.open_blob(self._core, self.place, descriptor, (None, cancel, timeout))

    def fetch_to(
        self,
        descriptor: Descriptor,
        path: _StrPath,
        /,
        *,
        cancel: CancelToken | None = None,
        timeout: _Time | None = None,
    ) -> None:
        """Content in a file, which appears whole and checked or not at all."""
        native.fetch_to(self._core, self.place, descriptor, path, (None, cancel, timeout))

    def push(
        self,
        content: Buffer | PathLike[str],
        media_type: str,
        /,
        *,
        tags: Iterable[str] = (),
        mode: TagMode | str = "create",
        cancel: CancelToken | None = None,
        timeout: _Time | None = None,
    ) -> Descriptor:
        """Stores bytes, or the file at a :class:`pathlib.Path`. A manifest, as its media type tells, may get tags."""
        call = (None, cancel, timeout)
        return native.store_content(self._core, self.place, content, media_type, list(tags), mode, call)

    def referrers(
        self,
        selector: str,
        /,
        *,
        artifact_type: str | None = None,
        cancel: CancelToken | None = None,
        timeout: _Time | None = None,
    ) -> Iterator[Descriptor]:
        """The manifests whose subject is this one, of one type or all, page by page."""
        call = (None, cancel, timeout)
        return native.referrers(self._core, self.place, selector, artifact_type, call)

    def delete(
        self, selector: str, /, *, cancel: CancelToken | None = None, timeout: _Time | None = None
    ) -> None:
        """Deletes a tag, or by digest a manifest with all its tags, or a blob."""
        native.delete(self._core, self.place, selector, (None, cancel, timeout))

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("a Store cannot be pickled: it belongs to a client")

    def __repr__(self) -> str:
        return f"<Store {self.place}>"
