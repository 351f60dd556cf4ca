"""
Everything here is reached through the package `oci_chart`.
"""

import collections.abc
import os
import typing
import typing_extensions

from _typeshed import SupportsGetItem
from datetime import datetime, timedelta
from oci_chart.enums import EventKind, KeyAlgorithm, PushAction
from oci_chart.trust import Evidence, KeyInfo, PgpEvidence, Policy
from os import PathLike
from pathlib import Path
from typing import Any, Final, SupportsIndex, final
from typing_extensions import Buffer

__all__ = ["Attachment", "Attestation", "BlobReader", "CancelToken", "Chart", "ClientCore", "Credentials", "Descriptor", "Event", "Keyring", "Package", "PolicyCore", "PublicKey", "PullResult", "PullSecret", "PushResult", "Reference", "ReferrerIterator", "RepositoryIterator", "Signer", "SigningKey", "TagIterator", "VerifiedCore", "attach", "attest", "delete", "diagnose", "error_kinds", "examine", "fetch_attachment", "fetch_to", "has", "login", "login_status", "logout", "manifest", "matches", "metadata", "open_blob", "publish", "pull", "pull_verified", "push", "referrers", "repositories", "resolve", "sign", "store_content", "stored_logins", "tag", "tags", "tree", "verify", "verify_attestation", "verify_bundle", "verify_subchart", "version", "words"]

@final
class Attachment:
    """
    What an artifact is that is attached, and its content.

    `content` is bytes or a `pathlib.Path`, which is read when it is sent.

    >>> Attachment("application/vnd.example.report+json", b"{}", title="report.json").size
    2
    >>> Attachment.sbom(b'{"bomFormat": CycloneDX, "specVersion": "1.6"}').artifact_type
    'application/vnd.cyclonedx+json'
    """
    def __new__(cls, artifact_type: str, content: Buffer | PathLike[str], /, *, title: str | None = None, layer_type: str | None = None, annotations: dict[str, str] | None = None, created: int | datetime | None = None) -> Attachment: ...
    def __repr__(self, /) -> str: ...
    @property
    def annotations(self, /) -> dict[str, str]: ...
    @property
    def artifact_type(self, /) -> str: ...
    @property
    def layer_type(self, /) -> str:
        """
        The type of the one layer.
        """
    def read(self, /) -> bytes:
        """
        The content.
        """
    @staticmethod
    def sbom(content: Buffer | PathLike[str], /, *, title: str | None = None, annotations: dict[str, str] | None = None, created: int | datetime | None = None) -> Attachment:
        """
        A bill of materials: SPDX or CycloneDX, told apart by what the document says.
        """
    @property
    def size(self, /) -> int:
        """
        Bytes.
        """
    @property
    def title(self, /) -> str | None:
        """
        The file name. Of a fetched attachment it is what a stranger wrote: no path to be written to unseen.
        """

@final
class Attestation:
    """
    Something that is said of a chart and signed: who built it from what (SLSA), what is in it, what a scan found.

    `predicate_type` is a URI or one of cosign's short names; `predicate` is JSON: a text, the `Path` of one, or what `json.dumps` takes.

    >>> built = Attestation("slsaprovenance1", {"buildDefinition": {}, "runDetails": {"builder": {"id": "https://ci.example"}}})
    >>> built.predicate_type
    'https://slsa.dev/provenance/v1'
    """
    def __new__(cls, predicate_type: str, predicate: str | os.PathLike[str] | collections.abc.Mapping[str, typing.Any], /) -> Attestation: ...
    def __repr__(self, /) -> str: ...
    @property
    def predicate(self, /) -> str:
        """
        What is said, as JSON.
        """
    @property
    def predicate_type(self, /) -> str: ...
    @staticmethod
    def sbom(document: str | PathLike[str], /) -> Attestation:
        """
        A statement of what is in the chart: SPDX or CycloneDX, as JSON.
        """

@final
class BlobReader:
    """
    Content that is read in pieces, as files are. Whoever reads to the end has the right bytes: the end is
    `DigestMismatchError` where they are not.
    """
    def __enter__(self, /) -> BlobReader: ...
    def __exit__(self, /, *_ignored: object) -> None: ...
    def __iter__(self, /) -> BlobReader: ...
    def __next__(self, /) -> bytes:
        """
        The next piece, of any size.
        """
    def __repr__(self, /) -> str: ...
    def close(self, /) -> None:
        """
        Ends the download, if it is not over.
        """
    @property
    def closed(self, /) -> bool: ...
    @property
    def descriptor(self, /) -> Descriptor:
        """
        What is read.
        """
    def read(self, size: SupportsIndex | None = ..., /) -> bytes:
        """
        So many bytes, or fewer at the end; all that is left without a number.
        """
    def readable(self, /) -> bool: ...
    def readinto(self, buffer: typing_extensions.Buffer, /) -> int:
        """
        Fills the buffer as far as one piece goes; how many bytes that were, and 0 at the end.
        """
    def seekable(self, /) -> bool: ...
    def writable(self, /) -> bool: ...

@final
class CancelToken:
    """
    Stops calls from another thread: pass it as `cancel=`, call `cancel()` anywhere.

    >>> token = CancelToken()
    >>> token.cancel()
    >>> token.cancelled
    True
    """
    def __new__(cls, /) -> CancelToken: ...
    def __repr__(self, /) -> str: ...
    def cancel(self, /) -> None:
        """
        Stops every call that was given this token, at once or when it begins.
        """
    @property
    def cancelled(self, /) -> bool:
        """
        Whether `cancel` was called.
        """

@final
class Chart:
    """
    A chart, loaded from a directory or a package.

    >>> chart = Chart.load("examples/charts/greeter")
    >>> chart.name, chart.version
    ('greeter', '1.2.0')
    >>> "replicas" in chart.values()
    True
    """
    def __repr__(self, /) -> str: ...
    @property
    def api_version(self, /) -> str: ...
    @property
    def app_version(self, /) -> str: ...
    def crds(self, /) -> str:
        """
        The custom resource definitions, of the chart and its dependencies, as one YAML stream; empty where there are none.
        """
    @property
    def dependencies(self, /) -> list[str]:
        """
        The names of the declared dependencies.
        """
    @property
    def description(self, /) -> str: ...
    @property
    def files(self, /) -> list[str]:
        """
        The paths of all files of the chart itself, in its own order; `read` gives their content.
        """
    @staticmethod
    def load(path: str | PathLike[str], /, *, follow_outside_symlinks: bool = False, strict: bool = False, limits: dict[str, SupportsIndex] | None = None, cancel: CancelToken | None = None) -> Chart:
        """
        Loads the directory or package at `path`, by Helm's rules.

        Symbolic links that leave the directory are refused unless `follow_outside_symlinks`; `strict` refuses packages with anything wrong
        behind their last file. `limits` bounds what is read, by names such as `file_bytes` and `total_bytes`.
        """
    def metadata(self, /) -> dict[str, typing.Any]:
        """
        The metadata of Chart.yaml, as the config blob has it.
        """
    def metadata_json(self, /) -> str:
        """
        The metadata as Helm writes it into the config blob.
        """
    def metadata_yaml(self, /) -> str:
        """
        The metadata as YAML, as `helm show chart` prints it.
        """
    @property
    def name(self, /) -> str: ...
    def package(self, dest: str | PathLike[str] | None = None, /, *, version: str | None = None, app_version: str | None = None, time: int | datetime | None = None, entry_times: str = "one", threads: SupportsIndex | None = None, cancel: CancelToken | None = None) -> Package:
        """
        Packages the chart, into the directory `dest` if there is one. The same tree gives the same bytes.

        `time` (a `datetime`, or seconds since 1970) stamps every file; without it `SOURCE_DATE_EPOCH` does, else a fixed time. With `entry_times`
        `"source"` each file has its own, as in Helm. Nothing in the chart's directory changes.

        >>> package = Chart.load("examples/charts/greeter").package(version="2.0.0")
        >>> package.file_name
        'greeter-2.0.0.tgz'
        """
    def read(self, path: str, /) -> bytes:
        """
        The bytes of one of the chart's files.
        """
    def readme(self, /) -> str | None:
        """
        The text of the README, if there is one.
        """
    def schema(self, /) -> str | None:
        """
        The text of values.schema.json, if there is one.
        """
    def values(self, /) -> str | None:
        """
        The text of values.yaml, if there is one.
        """
    @property
    def version(self, /) -> str: ...

@final
class ClientCore:
    """
    Connections, tokens and what else calls share. `oci_chart.Client` is what people see of it.
    """
    def __new__(cls, options: dict[str, typing.Any], credentials: Any | None, timeout: float | timedelta | None, /) -> ClientCore: ...
    def close(self, /) -> None:
        """
        Calls that are under way go on to their end.
        """
    @property
    def closed(self, /) -> bool: ...

@final
class Credentials:
    """
    What a caller shows to a registry. It is never shown otherwise, and cannot be pickled.

    >>> Credentials.basic("robot", "hunter2")
    <Credentials robot>
    """
    def __eq__(self, value: object, /) -> bool: ...
    def __ne__(self, value: object, /) -> bool: ...
    def __repr__(self, /) -> str: ...
    @staticmethod
    def anonymous() -> Credentials:
        """
        Nothing, and no other source is to be asked.
        """
    @staticmethod
    def basic(username: str, password: str, /) -> Credentials:
        """
        A user's name and password.
        """
    @staticmethod
    def bearer(token: str, /) -> Credentials:
        """
        A token that the registry itself takes.
        """
    @staticmethod
    def identity(token: str, /) -> Credentials:
        """
        A long-lived token that the registry's token service takes (docker's `identitytoken`).
        """
    @property
    def username(self, /) -> str | None:
        """
        The user's name, where there is one.
        """

@final
class Descriptor:
    """
    What names content: media type, digest and size in bytes; in a list of referrers also the artifact's type and annotations.

    >>> empty = Descriptor.of(b"{}", "application/json")
    >>> empty.size
    2
    >>> Descriptor(empty.media_type, empty.digest, empty.size) == empty
    True
    """
    __match_args__ = ('media_type', 'digest', 'size')
    def __eq__(self, value: object, /) -> bool: ...
    def __getnewargs_ex__(self, /) -> tuple[tuple[str, str, int], dict[str, str | None | dict[str, str]]]: ...
    def __hash__(self, /) -> int: ...
    def __ne__(self, value: object, /) -> bool: ...
    def __new__(cls, /, media_type: str, digest: str, size: SupportsIndex, *, artifact_type: str | None = None, annotations: dict[str, str] | None = None) -> Descriptor: ...
    def __repr__(self, /) -> str: ...
    @property
    def annotations(self, /) -> dict[str, str]: ...
    @property
    def artifact_type(self, /) -> str | None: ...
    @property
    def digest(self, /) -> str: ...
    @property
    def media_type(self, /) -> str: ...
    @staticmethod
    def of(data: Buffer, media_type: str, /) -> Descriptor:
        """
        The descriptor of these bytes.
        """
    @property
    def size(self, /) -> int: ...

@final
class Event:
    """
    Something that happened during a call.

    >>> Event("progress", id=7, bytes=1024).kind
    EventKind.PROGRESS
    """
    __match_args__ = ('kind',)
    def __eq__(self, value: object, /) -> bool: ...
    def __getnewargs_ex__(self, /) -> tuple[tuple[str], dict[str, typing.Any]]: ...
    def __hash__(self, /) -> int: ...
    def __ne__(self, value: object, /) -> bool: ...
    def __new__(cls, /, kind: str, *, id: SupportsIndex | None = None, digest: str | None = None, media_type: str | None = None, bytes: SupportsIndex | None = None, text: str | None = None) -> Event: ...
    def __repr__(self, /) -> str: ...
    @property
    def bytes(self, /) -> int | None:
        """
        Bytes moved so far, or the size of what begins.
        """
    @property
    def digest(self, /) -> str | None: ...
    @property
    def id(self, /) -> int | None:
        """
        Which transfer.
        """
    @property
    def kind(self, /) -> EventKind: ...
    @property
    def media_type(self, /) -> str | None: ...
    @property
    def text(self, /) -> str | None:
        """
        What a warning says, or what is waited for.
        """

@final
class Keyring:
    """
    A ring of OpenPGP keys, as gpg writes them: packets, armored blocks, or a key box.

    >>> ring = Keyring.load("examples/keys/signer.asc")
    >>> len(ring.keys), ring.keys[0].secret
    (1, False)
    """
    def __new__(cls, data: Buffer, /) -> Keyring:
        """
        Reads the keys in these bytes.
        """
    def __repr__(self, /) -> str: ...
    @property
    def keys(self, /) -> list[KeyInfo]:
        """
        What keys there are. Nothing of it is verified.
        """
    @staticmethod
    def load(path: str | PathLike[str], /) -> Keyring:
        """
        Reads the keys in a file: what `gpg --export` or `gpg --export-secret-keys` wrote, or `pubring.kbx`.
        """

@final
class Package:
    """
    A packaged chart: the bytes that are pushed, and their digest.
    """
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self, /) -> int: ...
    def __repr__(self, /) -> str: ...
    def chart(self, /) -> Chart:
        """
        The chart inside.
        """
    @property
    def digest(self, /) -> str:
        """
        The SHA-256 of the package.
        """
    @property
    def file_name(self, /) -> str:
        """
        What Helm calls it: NAME-VERSION.tgz.
        """
    @staticmethod
    def from_bytes(data: Buffer, /, *, cancel: CancelToken | None = None) -> Package:
        """
        A package that is in memory already, in anything that has a buffer.
        """
    @staticmethod
    def from_stream(stream: Any, /, *, limits: dict[str, SupportsIndex] | None = None, cancel: CancelToken | None = None) -> Package:
        """
        The package that a stream gives: anything with `read(size)`, which is called on this thread. Above 8 MiB it lies in a nameless temporary
        file.

        >>> import io
        >>> package = Chart.load("examples/charts/greeter").package()
        >>> Package.from_stream(io.BytesIO(package.read())) == package
        True
        """
    @staticmethod
    def load(path: str | PathLike[str], /, *, limits: dict[str, SupportsIndex] | None = None, cancel: CancelToken | None = None) -> Package:
        """
        Reads the package at `path`, and the provenance file beside it, if there is one.
        """
    @property
    def name(self, /) -> str: ...
    @property
    def path(self, /) -> Path | None:
        """
        Where `Chart.package` wrote it, or it was loaded from.
        """
    @property
    def provenance(self, /) -> bytes | None:
        """
        The provenance file, if there is one.
        """
    def read(self, /) -> bytes:
        """
        The bytes.
        """
    def sign_provenance(self, keyring: Keyring, /, *, key: str | None = None, passphrase: str | os.PathLike[str] | collections.abc.Callable[[str], str] | None = None, time: int | datetime | None = None) -> Package:
        """
        The package with a provenance file, signed as `helm package --sign` does.

        `key` is a fingerprint, a user id, or a part of one; it may be left out where the ring has one secret key. `passphrase` is the text, a
        function that is told which key it is for, or the path of a file whose first line it is. `time` is now, where it is not given.
        """
    @property
    def size(self, /) -> int:
        """
        Bytes.
        """
    def unpack(self, dest: str | PathLike[str], /) -> Path:
        """
        Unpacks the chart into a new directory below `dest`, called like the chart; its path.
        """
    def verify_provenance(self, policy: Policy, /) -> PgpEvidence:
        """
        Who signed the provenance file, where the policy, one of `Policy.pgp`, is satisfied.
        """
    @property
    def version(self, /) -> str: ...
    def write_to(self, dest: str | PathLike[str], /) -> Path:
        """
        Writes NAME-VERSION.tgz, and the provenance if there is one, into the directory; the path of the package.
        """

@final
class PolicyCore:
    """
    A policy that was read and makes sense. `oci_chart.trust.Policy` is what people see of it.
    """
    def __new__(cls, json: str, /) -> PolicyCore: ...
    @staticmethod
    def from_cluster_image_policy(object: Buffer, secrets: SupportsGetItem[int, Buffer], /) -> PolicyCore:
        """
        What a `ClusterImagePolicy` demands, with the manifests of the Secrets that it names.
        """
    @staticmethod
    def from_flux(object: Buffer, secrets: SupportsGetItem[int, Buffer], /) -> PolicyCore:
        """
        What an object of Flux demands, with the manifests of the Secrets that it names.
        """
    def json(self, /) -> str:
        """
        The same in the one form that every language of the library writes.
        """

@final
class PublicKey:
    """
    A public key, as PEM.

    >>> key = SigningKey.generate().public_key
    >>> PublicKey(key.pem) == key
    True
    """
    __match_args__ = ('pem',)
    def __eq__(self, value: object, /) -> bool: ...
    def __getnewargs__(self, /) -> tuple[str]: ...
    def __hash__(self, /) -> int: ...
    def __ne__(self, value: object, /) -> bool: ...
    def __new__(cls, pem: str, /) -> PublicKey: ...
    def __repr__(self, /) -> str: ...
    @property
    def algorithm(self, /) -> KeyAlgorithm: ...
    @property
    def fingerprint(self, /) -> str:
        """
        SHA-256 over the SubjectPublicKeyInfo: what tells keys apart, and what evidence names.
        """
    @staticmethod
    def load(path: str | PathLike[str], /) -> PublicKey:
        """
        Reads a file of PEM, as cosign writes `cosign.pub`.
        """
    @property
    def pem(self, /) -> str:
        """
        The key as PEM.
        """
    def prehash(self, message: Buffer, /) -> bytes:
        """
        What a service signs that takes digests: SHA-256 of `message` for ECDSA and RSA, the message itself for Ed25519.
        """
    def verifies(self, message: Buffer, signature: Buffer, /) -> bool:
        """
        Whether `signature` is this key's over `message`.
        """

@final
class PullResult:
    """
    A pulled chart.
    """
    def __repr__(self, /) -> str: ...
    @property
    def descriptor(self, /) -> Descriptor:
        """
        The manifest: of an index, the one in it that is a chart.
        """
    @property
    def digest(self, /) -> str:
        """
        The manifest's digest.
        """
    @property
    def evidence(self, /) -> Evidence | None:
        """
        Why the chart is trusted, where a policy was asked for.
        """
    @property
    def manifest(self, /) -> bytes:
        """
        The manifest's bytes, as the store has them.
        """
    @property
    def package(self, /) -> Package:
        """
        The package. Its bytes are those that the manifest names.
        """

@final
class PullSecret:
    """
    A Kubernetes Secret with logins for registries.

    >>> secret = PullSecret().with_login("registry.example", "robot", "hunter2")
    >>> PullSecret.from_manifest(secret.to_manifest("pull")).username("registry.example")
    'robot'
    """
    def __eq__(self, value: object, /) -> bool: ...
    def __ne__(self, value: object, /) -> bool: ...
    def __new__(cls, /) -> PullSecret:
        """
        A secret without logins.
        """
    def __repr__(self, /) -> str: ...
    @staticmethod
    def from_manifest(manifest: str | PathLike[str], /) -> PullSecret:
        """
        Reads a Secret as a manifest, YAML or JSON: a text, or the `Path` of one.
        """
    def to_manifest(self, name: str, /, *, namespace: str | None = None) -> str:
        """
        The Secret as a manifest, YAML. The logins are in it for everybody to read.
        """
    def username(self, registry: str, repository: str | None = None, /, *, rule: str = "docker") -> str | None:
        """
        The user's name that this secret holds for a repository, by the rules of `docker` or of the `kubelet`.
        """
    def with_login(self, registry: str, username: str, password: str, /) -> PullSecret:
        """
        The same with a login for a registry, in place of the one that it has.
        """

@final
class PushResult:
    """
    What a push did.
    """
    __match_args__ = ('descriptor', 'tag', 'action', 'location')
    def __eq__(self, value: object, /) -> bool: ...
    def __getnewargs__(self, /) -> tuple[Descriptor, str, str, str]: ...
    def __hash__(self, /) -> int: ...
    def __ne__(self, value: object, /) -> bool: ...
    def __new__(cls, /, descriptor: Descriptor, tag: str, action: str, location: str) -> PushResult: ...
    def __repr__(self, /) -> str: ...
    @property
    def action(self, /) -> PushAction:
        """
        Whether it had to be pushed.
        """
    @property
    def descriptor(self, /) -> Descriptor:
        """
        The manifest that the tag points at now.
        """
    @property
    def digest(self, /) -> str:
        """
        The manifest's digest.
        """
    @property
    def location(self, /) -> str:
        """
        The repository or layout.
        """
    @property
    def reference(self, /) -> str:
        """
        The pushed chart by digest, which nobody can move.
        """
    @property
    def tag(self, /) -> str: ...

@final
class Reference:
    """
    What a text refers to: `[oci://]HOST/REPOSITORY[:TAG][@DIGEST]`, by Helm's rules.

    >>> reference = Reference("oci://registry.example/charts/web:1.0.0")
    >>> reference.repository, reference.tag
    ('charts/web', '1.0.0')
    >>> Reference("oci://registry.example/charts/web").selector
    '*'
    """
    __match_args__ = ('text',)
    def __eq__(self, value: object, /) -> bool: ...
    def __getnewargs__(self, /) -> tuple[str]: ...
    def __hash__(self, /) -> int: ...
    def __ne__(self, value: object, /) -> bool: ...
    def __new__(cls, text: str, /) -> Reference: ...
    def __repr__(self, /) -> str: ...
    def __str__(self, /) -> str: ...
    @property
    def digest(self, /) -> str | None: ...
    @property
    def host(self, /) -> str: ...
    @property
    def repository(self, /) -> str: ...
    @property
    def selector(self, /) -> str:
        """
        What is pulled: the tag, the digest, both, or the constraint that the tag or its absence stands for.
        """
    @property
    def tag(self, /) -> str | None: ...
    @property
    def text(self, /) -> str:
        """
        The text, in its usual form.
        """

@final
class ReferrerIterator:
    """
    Descriptors, page by page.
    """
    def __iter__(self, /) -> ReferrerIterator: ...
    def __next__(self, /) -> Descriptor: ...

@final
class RepositoryIterator:
    """
    Names of repositories, page by page.
    """
    def __iter__(self, /) -> RepositoryIterator: ...
    def __next__(self, /) -> str: ...

@final
class Signer:
    """
    A signer whose key is elsewhere: in a KMS, an agent, behind PKCS#11.

    `sign` is called on the thread that waits for the call, with the message as `bytes`, and gives the signature: ASN.1 DER for ECDSA, PKCS#1 v1.5
    for RSA, 64 bytes for Ed25519. `PublicKey.prehash` gives what a service signs that takes digests.
    """
    def __new__(cls, public_key: PublicKey, sign: collections.abc.Callable[[bytes], bytes], /) -> Signer: ...
    def __repr__(self, /) -> str: ...
    @property
    def public_key(self, /) -> PublicKey: ...

@final
class SigningKey:
    """
    A private key in memory. It is never shown, and cannot be pickled.

    >>> key = SigningKey.generate()
    >>> encrypted = key.to_pem("correct horse")
    >>> encrypted.splitlines()[0]
    '-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----'
    >>> SigningKey.from_pem(encrypted, passphrase=lambda: correct horse).public_key == key.public_key
    True
    """
    def __repr__(self, /) -> str: ...
    @staticmethod
    def from_pem(pem: str, /, *, passphrase: str | os.PathLike[str] | collections.abc.Callable[[], str] | None = None) -> SigningKey:
        """
        Reads PEM: cosign's encrypted form, or a plain private key.

        `passphrase` is the text, a function that gives it and is called only where it is needed, or the path of a file that holds it. Opening
        an encrypted key takes a third of a second, on purpose.
        """
    @staticmethod
    def generate() -> SigningKey:
        """
        A new key: ECDSA P-256, the one type that every verifier takes.
        """
    @staticmethod
    def load(path: str | PathLike[str], /, *, passphrase: str | os.PathLike[str] | collections.abc.Callable[[], str] | None = None) -> SigningKey:
        """
        Reads a file of PEM, as cosign writes `cosign.key`.
        """
    @property
    def public_key(self, /) -> PublicKey: ...
    def to_pem(self, passphrase: str | os.PathLike[str] | collections.abc.Callable[[], str], /) -> str:
        """
        The key in cosign's encrypted form.
        """

@final
class TagIterator:
    """
    Tags, page by page.
    """
    def __iter__(self, /) -> TagIterator: ...
    def __next__(self, /) -> str: ...

@final
class VerifiedCore:
    """
    A manifest that satisfied a policy, and where: what can only be had of a check. `oci_chart.trust.Verified` is what people see of it.
    """
    def json(self, /) -> str:
        """
        What people read.
        """

def attach(client: ClientCore, reference: str | Reference, version: str | None, attachment: Attachment, call: tuple[Any | None, CancelToken | None, float | timedelta | None]) -> Descriptor:
    """
    The attachment's manifest.
    """

def attest(client: ClientCore, reference: str | Reference, version: str | None, attestation: Attestation, signer: SigningKey | Signer, how: tuple[SupportsGetItem[int, str] | None, dict[str, str] | None, str | None, int | datetime | None, str | Reference | None, bool], call: tuple[Any | None, CancelToken | None, float | timedelta | None]) -> Descriptor:
    """
    The manifest that holds the statement.
    """

def delete(client: ClientCore, reference: str | Reference, version: str | None, call: tuple[Any | None, CancelToken | None, float | timedelta | None]) -> None: ...

def diagnose(client: ClientCore, place: str | Reference, call: tuple[Any | None, CancelToken | None, float | timedelta | None]) -> tuple[str, str]:
    """
    What was found at a place, as JSON and for people.
    """

def error_kinds() -> list[tuple[str, int]]:
    """
    Every kind's name and number, for the tests of the exception classes.
    """

def examine(client: ClientCore, reference: str | Reference, version: str | None, policy: Policy, how: tuple[str | Reference | None, int | datetime | None], call: tuple[Any | None, CancelToken | None, float | timedelta | None]) -> Evidence:
    """
    The evidence, whatever it comes to.
    """

def fetch_attachment(client: ClientCore, reference: str | Reference, call: tuple[Any | None, CancelToken | None, float | timedelta | None]) -> Attachment:
    """
    What was attached, by the digest of its manifest.
    """

def fetch_to(client: ClientCore, place: str | Reference, descriptor: Descriptor, path: str | PathLike[str], call: tuple[Any | None, CancelToken | None, float | timedelta | None]) -> None:
    """
    Content in a file, which appears whole and checked or not at all.
    """

def has(client: ClientCore, place: str | Reference, descriptor: Descriptor, call: tuple[Any | None, CancelToken | None, float | timedelta | None]) -> bool:
    """
    Whether the content is there.
    """

def login(client: ClientCore, registry: str, login: Credentials | tuple[str, str], place: str | PathLike[str], verify: bool, identity_token: bool, call: tuple[Any | None, CancelToken | None, float | timedelta | None]) -> str:
    """
    Where it is kept, whether the registry took it, and when it ends.
    """

def login_status(client: ClientCore, registry: str, call: tuple[Any | None, CancelToken | None, float | timedelta | None]) -> str | None:
    """
    Whose name is used at a registry; none where nobody's is.
    """

def logout(client: ClientCore, registry: str, place: str | PathLike[str], call: tuple[Any | None, CancelToken | None, float | timedelta | None]) -> str:
    """
    Where logins were removed, and where one is still found.
    """

def manifest(client: ClientCore, reference: str | Reference, version: str | None, call: tuple[Any | None, CancelToken | None, float | timedelta | None]) -> tuple[Descriptor, bytes]:
    """
    A manifest, whole and checked: its descriptor and its bytes.
    """

def matches(constraint: str, version: str, /) -> bool:
    """
    Whether `version` satisfies `constraint`, by Helm's rules.

    >>> matches(">=1.2 <2", "1.9.0")
    True
    """

def metadata(client: ClientCore, reference: str | Reference, version: str | None, call: tuple[Any | None, CancelToken | None, float | timedelta | None]) -> str:
    """
    The metadata of a version as JSON, from the config blob alone.
    """

def open_blob(client: ClientCore, place: str | Reference, descriptor: Descriptor, call: tuple[Any | None, CancelToken | None, float | timedelta | None]) -> BlobReader: ...

def publish(client: ClientCore, package: Package, to: str | Reference, signers: SupportsGetItem[int, SigningKey | Signer], attachments: SupportsGetItem[int, Attachment], attestations: SupportsGetItem[int, Attestation], push: tuple[str, SupportsGetItem[int, str], int | datetime | None, str], how: tuple[SupportsGetItem[int, str] | None, dict[str, str] | None, str | None, int | datetime | None, str | Reference | None, bool], call: tuple[Any | None, CancelToken | None, float | timedelta | None]) -> tuple[PushResult, str]:
    """
    What came of the push, and all that came of it as JSON.
    """

def pull(client: ClientCore, reference: str | Reference, version: str | None, dest: str | PathLike[str] | None, policy: Policy | None, how: tuple[str | Reference | None, int | datetime | None], provenance: bool, call: tuple[Any | None, CancelToken | None, float | timedelta | None]) -> PullResult:
    """
    Without a policy nothing is verified but digests.
    """

def pull_verified(client: ClientCore, verified: VerifiedCore, place: str | Reference | None, dest: str | PathLike[str] | None, call: tuple[Any | None, CancelToken | None, float | timedelta | None]) -> PullResult:
    """
    What was verified before, from where it was verified, or from `place`.
    """

def push(client: ClientCore, package: Package, to: str | Reference, how: tuple[str, SupportsGetItem[int, str], int | datetime | None, str], call: tuple[Any | None, CancelToken | None, float | timedelta | None]) -> PushResult: ...
def referrers(client: ClientCore, reference: str | Reference, version: str | None, artifact_type: str | None, call: tuple[Any | None, CancelToken | None, float | timedelta | None]) -> ReferrerIterator: ...
def repositories(client: ClientCore, registry: str, call: tuple[Any | None, CancelToken | None, float | timedelta | None]) -> RepositoryIterator: ...
def resolve(client: ClientCore, reference: str | Reference, version: str | None, call: tuple[Any | None, CancelToken | None, float | timedelta | None]) -> Descriptor: ...

def sign(client: ClientCore, reference: str | Reference, version: str | None, signer: SigningKey | Signer, how: tuple[SupportsGetItem[int, str] | None, dict[str, str] | None, str | None, int | datetime | None, str | Reference | None, bool], call: tuple[Any | None, CancelToken | None, float | timedelta | None]) -> str:
    """
    What signing left behind, as JSON.
    """

def store_content(client: ClientCore, place: str | Reference, content: Buffer | PathLike[str], media_type: str, tags: SupportsGetItem[int, str], mode: str, call: tuple[Any | None, CancelToken | None, float | timedelta | None]) -> Descriptor:
    """
    Stores content, and where it is a manifest lets tags point at it.
    """

def stored_logins(file: str | PathLike[str] | None, call: tuple[Any | None, CancelToken | None, float | timedelta | None]) -> str:
    """
    Every login that other programs left on this machine, without its secret.
    """

def tag(client: ClientCore, reference: str | Reference, tag: str, mode: str, call: tuple[Any | None, CancelToken | None, float | timedelta | None]) -> None: ...
def tags(client: ClientCore, place: str | Reference, call: tuple[Any | None, CancelToken | None, float | timedelta | None]) -> TagIterator: ...

def tree(client: ClientCore, reference: str | Reference, version: str | None, call: tuple[Any | None, CancelToken | None, float | timedelta | None]) -> tuple[str, str]:
    """
    What is attached, as JSON, and as a drawing.
    """

def verify(client: ClientCore, reference: str | Reference, version: str | None, policy: Policy, how: tuple[str | Reference | None, int | datetime | None], call: tuple[Any | None, CancelToken | None, float | timedelta | None]) -> VerifiedCore:
    """
    What was verified and why.
    """

def verify_attestation(client: ClientCore, reference: str | Reference, version: str | None, policy: str, how: tuple[str | Reference | None, int | datetime | None], call: tuple[Any | None, CancelToken | None, float | timedelta | None]) -> str:
    """
    The statements that count and why, as JSON.
    """

def verify_bundle(bundle: Buffer, artifact: str | Buffer | PathLike[str], signer: str, trust_root: str) -> str:
    """
    Who made a bundle and when, as JSON; the signer and the root come as JSON too.
    """

def verify_subchart(client: ClientCore, subchart: Chart, place: str | Reference, policy: Policy, how: tuple[str | Reference | None, int | datetime | None], call: tuple[Any | None, CancelToken | None, float | timedelta | None]) -> VerifiedCore:
    """
    What a chart inside a chart was released as.
    """

def version() -> str:
    """
    The version of this package.
    """

def words(name: str) -> list[str]:
    """
    The words of the core's open enumerations, for the tests of those in `oci_chart.enums`.
    """
