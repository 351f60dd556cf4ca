"""The client's verbs of trust and of logins."""

from __future__ import annotations

from . import _native as native
from ._native import CancelToken, Chart, ClientCore, Descriptor, Package

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime
    from os import PathLike
    from typing import Literal

    from ._client import _LoginOf, _Place, _Progress, _StrPath, _Time
    from ._native import Attachment, Attestation, Credentials, PullResult, Signer, SigningKey
    from .auth import Login, LoginStatus, Logout
    from .enums import Format, LayerOrder, TagMode
    from .trust import Evidence, Policy, Published, Signed, Tree, Verified, VerifiedAttestations


class TrustVerbs:
    """Signatures, and what else belongs to a chart."""

    __slots__ = ()
    _core: ClientCore

    def verify(
        self,
        reference: _Place,
        policy: Policy,
        /,
        *,
        version: str | None = None,
        signatures: _Place | None = None,
        now: datetime | int | None = None,
        cancel: CancelToken | None = None,
        timeout: _Time | None = None,
    ) -> Verified:
        """Checks what a reference names against a policy, and gives what was verified, by digest, with the evidence.

        ``signatures`` is where they lie, if not beside the chart (cosign's ``COSIGN_REPOSITORY``); ``now`` the time of the check.

        :raises NotSignedError, SignatureInvalidError, PolicyDeniedError: where the policy is not satisfied; ``evidence`` says why.
        :raises CouldNotCheckError: where that could not be found out.

        >>> signed = client.sign(place, key)
        >>> client.verify(place, policy).evidence.outcome
        TrustOutcome.VERIFIED
        """
        from dataclasses import replace

        from .trust import Verified

        how, call = (signatures, now), (None, cancel, timeout)
        core = native.verify(self._core, reference, version, policy, how, call)
        return replace(Verified.from_json(core.json()), _core=core)

    def verify_subchart(
        self,
        subchart: Chart,
        reference: _Place,
        policy: Policy,
        /,
        *,
        signatures: _Place | None = None,
        now: datetime | int | None = None,
        cancel: CancelToken | None = None,
        timeout: _Time | None = None,
    ) -> Verified:
        """Checks that a chart inside a chart (one of :attr:`Chart.dependencies`) is what its makers released at ``reference``, file by file, and signed.

        What stands under ``charts/`` was put there once; the signature of the chart around it says nothing of where it came from.

        :raises PolicyDeniedError: with reason ``other-subject`` where it is another; else as :meth:`verify`.

        >>> signed = client.sign(place, key)
        >>> client.verify_subchart(package.chart(), place, policy).evidence.outcome
        TrustOutcome.VERIFIED
        """
        from dataclasses import replace

        from .trust import Verified

        how, call = (signatures, now), (None, cancel, timeout)
        core = native.verify_subchart(self._core, subchart, reference, policy, how, call)
        return replace(Verified.from_json(core.json()), _core=core)

    def pull_verified(
        self,
        verified: Verified,
        /,
        *,
        place: _Place | None = None,
        dest: _StrPath | None = None,
        progress: _Progress | None = None,
        cancel: CancelToken | None = None,
        timeout: _Time | None = None,
    ) -> PullResult:
        """Pulls what :meth:`verify` has checked, for whoever looks at the evidence in between: by its digest, from where it was, or from ``place``.

        :raises TypeError: for a report that was read or copied; only what :meth:`verify` gave itself is a proof.

        >>> signed = client.sign(place, key)
        >>> verified = client.verify(place, policy)
        >>> if verified.evidence.signers == (key.public_key.fingerprint,):
        ...     client.pull_verified(verified).package.name
        'greeter'
        """
        if verified._core is None:
            raise TypeError("this report proves nothing: only what Client.verify itself gave is pulled")
        return native.pull_verified(self._core, verified._core, place, dest, (progress, cancel, timeout))

    def examine(
        self,
        reference: _Place,
        policy: Policy,
        /,
        *,
        version: str | None = None,
        signatures: _Place | None = None,
        now: datetime | int | None = None,
        cancel: CancelToken | None = None,
        timeout: _Time | None = None,
    ) -> Evidence:
        """Looks as :meth:`verify` does and tells what was found, instead of failing. For people; a decision belongs to :meth:`verify`.

        >>> client.examine(place, policy).outcome
        TrustOutcome.NOT_VERIFIED
        """
        how, call = (signatures, now), (None, cancel, timeout)
        return native.examine(self._core, reference, version, policy, how, call)

    def sign(
        self,
        reference: _Place,
        signer: SigningKey | Signer,
        /,
        *,
        version: str | None = None,
        formats: Iterable[Format | str] | None = None,
        annotations: Mapping[str, str] | None = None,
        identity: str | None = None,
        created: datetime | int | None = None,
        signatures: _Place | None = None,
        keep_existing: bool = True,
        cancel: CancelToken | None = None,
        timeout: _Time | None = None,
    ) -> Signed:
        """Signs a chart and puts the signature beside it, or where ``signatures`` says; the chart itself is untouched.

        ``formats`` are a bundle (cosign 3), a signature tag (cosign 1 and 2, podman), or both; a bundle alone without it. ``annotations`` are signed
        along; ``identity`` is the ``host/path`` that a signature tag names. A good signature of the same key that is there already is kept.

        >>> client.sign(place, key, annotations={"stage": "prod"}).subject == client.resolve(place)
        True
        >>> client.sign(place, key, annotations={"stage": "prod"}).kept
        (Format.BUNDLE,)
        """
        from .trust import Signed

        how = (_list(formats), _dict(annotations), identity, created, signatures, keep_existing)
        return Signed.from_json(
            native.sign(self._core, reference, version, signer, how, (None, cancel, timeout))
        )

    def attach(
        self,
        reference: _Place,
        attachment: Attachment,
        /,
        *,
        version: str | None = None,
        cancel: CancelToken | None = None,
        timeout: _Time | None = None,
    ) -> Descriptor:
        """Attaches something to a chart, unsigned, and gives its manifest. The same thing attached twice is attached once.

        >>> sbom = Attachment.sbom(b'{"bomFormat": "CycloneDX", "specVersion": "1.6"}', title="sbom.json")
        >>> attached = client.attach(place, sbom)
        >>> client.fetch_attachment(f"{place}@{attached.digest}").title
        'sbom.json'
        """
        return native.attach(self._core, reference, version, attachment, (None, cancel, timeout))

    def fetch_attachment(
        self, reference: _Place, /, *, cancel: CancelToken | None = None, timeout: _Time | None = None
    ) -> Attachment:
        """What was attached: ``reference`` has the digest of its manifest, which :meth:`tree` and :meth:`attach` tell.

        >>> attached = client.attach(place, Attachment("text/plain", b"clean", title="scan.txt"))
        >>> client.fetch_attachment(f"{place}@{attached.digest}").read()
        b'clean'
        """
        return native.fetch_attachment(self._core, reference, (None, cancel, timeout))

    def attest(
        self,
        reference: _Place,
        attestation: Attestation,
        signer: SigningKey | Signer,
        /,
        *,
        version: str | None = None,
        created: datetime | int | None = None,
        signatures: _Place | None = None,
        keep_existing: bool = True,
        cancel: CancelToken | None = None,
        timeout: _Time | None = None,
    ) -> Descriptor:
        """Signs a statement about a chart and attaches it; gives the manifest that holds it.

        >>> attested = client.attest(place, Attestation("custom", {"reviewed": True}), key)
        >>> [each.kind for each in client.tree(place).attached]
        [AttachedKind.ATTESTATION]
        """
        how, call = (None, None, None, created, signatures, keep_existing), (None, cancel, timeout)
        return native.attest(self._core, reference, version, attestation, signer, how, call)

    def verify_attestation(
        self,
        reference: _Place,
        predicate_type: str,
        policy: Policy,
        /,
        *,
        fields: Mapping[str, str] | None = None,
        version: str | None = None,
        signatures: _Place | None = None,
        now: datetime | int | None = None,
        cancel: CancelToken | None = None,
        timeout: _Time | None = None,
    ) -> VerifiedAttestations:
        """Checks that a chart is attested as is demanded, by signers that satisfy the policy, and gives the statements that count.

        ``predicate_type`` is a URI or one of cosign's short names; ``fields`` what the predicate must have where, by JSON pointer:
        ``{"/runDetails/builder/id": "https://ci.example/*"}``.

        :raises NotSignedError, SignatureInvalidError, PolicyDeniedError, CouldNotCheckError: as :meth:`verify`.

        >>> attested = client.attest(place, Attestation("custom", {"level": "high"}), key)
        >>> found = client.verify_attestation(place, "custom", policy, fields={"/level": "high"})
        >>> found.value[0].predicate
        '{"level": "high"}'
        """
        import json

        from .trust import VerifiedAttestations

        patterns = {pointer: {"pattern": text} for pointer, text in (fields or {}).items()}
        demand = {"predicateType": predicate_type, "signers": policy.to_dict(), "fields": patterns}
        how, call = (signatures, now), (None, cancel, timeout)
        found = native.verify_attestation(self._core, reference, version, json.dumps(demand), how, call)
        return VerifiedAttestations.from_json(found)

    def tree(
        self,
        reference: _Place,
        /,
        *,
        version: str | None = None,
        cancel: CancelToken | None = None,
        timeout: _Time | None = None,
    ) -> Tree:
        """All that is attached to a chart: signatures, attestations, bills of materials, and what is attached to those.

        >>> attached = client.attach(place, Attachment("text/plain", b"clean"))
        >>> [(each.depth, each.kind) for each in client.tree(place).attached]
        [(1, AttachedKind.OTHER)]
        """
        from dataclasses import replace

        from .trust import Tree

        found, text = native.tree(self._core, reference, version, (None, cancel, timeout))
        return replace(Tree.from_json(found), text=text)

    def referrers(
        self,
        reference: _Place,
        /,
        *,
        version: str | None = None,
        artifact_type: str | None = None,
        cancel: CancelToken | None = None,
        timeout: _Time | None = None,
    ) -> Iterator[Descriptor]:
        """The manifests whose subject is the chart, of one type or all. A page of the list is asked for when it is wanted.

        >>> attached = client.attach(place, Attachment("text/plain", b"clean"))
        >>> [each.artifact_type for each in client.referrers(place)]
        ['text/plain']
        """
        return native.referrers(self._core, reference, version, artifact_type, (None, cancel, timeout))

    def publish(
        self,
        package: Package,
        to: _Place,
        /,
        *,
        signers: Iterable[SigningKey | Signer] = (),
        attachments: Iterable[Attachment] = (),
        attestations: Iterable[Attestation] = (),
        mode: TagMode | str = "create",
        channels: Iterable[str] = (),
        formats: Iterable[Format | str] | None = None,
        annotations: Mapping[str, str] | None = None,
        identity: str | None = None,
        created: datetime | int | None = None,
        layer_order: LayerOrder | str = "chart-first",
        signatures: _Place | None = None,
        keep_existing: bool = True,
        progress: _Progress | None = None,
        cancel: CancelToken | None = None,
        timeout: _Time | None = None,
    ) -> Published:
        """Pushes a chart with all that belongs to it, so that nobody who looks at the tag ever sees less.

        Content goes first, then what is attached, the attestations (of each signer), the signatures, and the tags last. Run again after a failure, it
        does what is missing. The arguments are those of :meth:`push` and :meth:`sign`.

        >>> published = client.publish(package, "oci-layout:releases", signers=[key], channels=["stable"])
        >>> client.pull("oci-layout:releases:stable", verify=policy).digest == published.digest
        True
        """
        import json

        from ._data import descriptor
        from .trust import Published, Signed

        push = (mode, list(channels), created, layer_order)
        sign = (_list(formats), _dict(annotations), identity, created, signatures, keep_existing)
        call = (progress, cancel, timeout)
        chart, rest = native.publish(
            self._core, package, to, list(signers), list(attachments), list(attestations), push, sign, call
        )
        found = json.loads(rest)
        return Published(
            chart,
            tuple(Signed.from_dict(each) for each in found["signatures"]),
            tuple(descriptor(each) for each in found["attachments"]),
            tuple(descriptor(each) for each in found["attestations"]),
        )


class LoginVerbs:
    """Logins that other programs find too."""

    __slots__ = ()
    _core: ClientCore

    def login(
        self,
        registry: str,
        username: str | Credentials,
        password: str | None = None,
        /,
        *,
        place: Literal["helm", "docker", "podman"] | PathLike[str] = "helm",
        verify: bool = True,
        identity_token: bool = False,
        cancel: CancelToken | None = None,
        timeout: _Time | None = None,
    ) -> Login:
        """Shows a login to a registry and, if it is taken, keeps it where helm, docker or podman finds it, or in the file ``place``.

        ``verify=False`` keeps it unseen; ``identity_token`` keeps a token instead of the password, where the registry gives one.

        :raises UnauthenticatedError: where the registry refuses it; then nothing is kept.

        >>> from pathlib import Path
        >>> client.login("registry.example", "robot", "hunter2", place=Path("logins.json"), verify=False).verified
        False
        """
        from .auth import Login

        login: _LoginOf
        if not isinstance(username, str):
            login = username
        elif password is None:
            raise TypeError("a password belongs to a user's name")
        else:
            login = (username, password)
        call = (None, cancel, timeout)
        done = native.login(self._core, registry, login, place, verify, identity_token, call)
        return Login.from_json(done)

    def logout(
        self,
        registry: str,
        /,
        *,
        place: Literal["helm", "docker", "podman"] | PathLike[str] = "helm",
        cancel: CancelToken | None = None,
        timeout: _Time | None = None,
    ) -> Logout:
        """Forgets a login, and tells where one is still found.

        >>> from pathlib import Path
        >>> client.logout("registry.example", place=Path("logins.json")).removed
        ()
        """
        from .auth import Logout

        return Logout.from_json(native.logout(self._core, registry, place, (None, cancel, timeout)))

    def login_status(
        self, registry: str, /, *, cancel: CancelToken | None = None, timeout: _Time | None = None
    ) -> LoginStatus | None:
        """Whose name this client uses at a registry, and until when; None where it is anonymous. Asks nothing of the registry.

        >>> print(client.login_status("registry.example"))
        None
        """
        from .auth import LoginStatus

        found = native.login_status(self._core, registry, (None, cancel, timeout))
        return None if found is None else LoginStatus.from_json(found)


def _list(values: Iterable[str] | None) -> list[str] | None:
    return None if values is None else [str(value) for value in values]


def _dict(values: Mapping[str, str] | None) -> dict[str, str] | None:
    return None if values is None else dict(values)
