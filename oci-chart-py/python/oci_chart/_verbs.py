"""The client's verbs of trust and of logins."""

from __future__ import annotations

from . import _native as native
from ._native import CancelToken, ClientCore, Descriptor, Package

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime
    from os import PathLike
    from typing import Literal

    from ._client import _LoginOf, _Progress, _Time
    from ._native import Attachment, Attestation, Credentials, Signer, SigningKey
    from .auth import Login, LoginStatus, Logout
    from .enums import Format, TagMode
    from .trust import Evidence, Policy, Published, Signed, Tree, Verified, VerifiedAttestations


class TrustVerbs:
    """Signatures, and what else belongs to a chart."""

    __slots__ = ()
    _core: ClientCore

    def verify(
        self,
        reference: str,
        policy: Policy,
        /,
        *,
        version: str | None = None,
        signatures: str | None = None,
        now: datetime | int | None = None,
        cancel: CancelToken | None = None,
        timeout: _Time | None = None,
    ) -> Verified:
        """Checks what a reference names against a policy, and gives what was verified, by digest, with the evidence.

        ``signatures`` is where they lie, if not beside the chart (cosign's ``COSIGN_REPOSITORY``); ``now`` the time of the check.

        :raises NotSignedError, SignatureInvalidError, PolicyDeniedError: where the policy is not satisfied; ``evidence`` says why.
        :raises CouldNotCheckError: where that could not be found out.
        """
        from .trust import Verified

        how, call = (signatures, now), (None, cancel, timeout)
        return Verified.from_json(native.verify(self._core, reference, version, policy, how, call))

    def examine(
        self,
        reference: str,
        policy: Policy,
        /,
        *,
        version: str | None = None,
        signatures: str | None = None,
        now: datetime | int | None = None,
        cancel: CancelToken | None = None,
        timeout: _Time | None = None,
    ) -> Evidence:
        """Looks as :meth:`verify` does and tells what was found, instead of failing. For people; a decision belongs to :meth:`verify`."""
        how, call = (signatures, now), (None, cancel, timeout)
        return native.examine(self._core, reference, version, policy, how, call)

    def sign(
        self,
        reference: str,
        signer: SigningKey | Signer,
        /,
        *,
        version: str | None = None,
        formats: Iterable[Format | str] | None = None,
        annotations: Mapping[str, str] | None = None,
        identity: str | None = None,
        created: datetime | int | None = None,
        signatures: str | None = None,
        keep_existing: bool = True,
        cancel: CancelToken | None = None,
        timeout: _Time | None = None,
    ) -> Signed:
        """Signs a chart and puts the signature beside it, or where ``signatures`` says; the chart itself is untouched.

        ``formats`` are a bundle (cosign 3), a signature tag (cosign 1 and 2, podman), or both; a bundle alone without it. ``annotations`` are signed
        along; ``identity`` is the ``host/path`` that a signature tag names. A good signature of the same key that is there already is kept.
        """
        from .trust import Signed

        how = (_list(formats), _dict(annotations), identity, created, signatures, keep_existing)
        return Signed.from_json(
            native.sign(self._core, reference, version, signer, how, (None, cancel, timeout))
        )

    def attach(
        self,
        reference: str,
        attachment: Attachment,
        /,
        *,
        version: str | None = None,
        cancel: CancelToken | None = None,
        timeout: _Time | None = None,
    ) -> Descriptor:
        """Attaches something to a chart, unsigned, and gives its manifest. The same thing attached twice is attached once."""
        return native.attach(self._core, reference, version, attachment, (None, cancel, timeout))

    def fetch_attachment(
        self, reference: str, /, *, cancel: CancelToken | None = None, timeout: _Time | None = None
    ) -> Attachment:
        """What was attached: ``reference`` has the digest of its manifest, which :meth:`tree` and :meth:`attach` tell."""
        return native.fetch_attachment(self._core, reference, (None, cancel, timeout))

    def attest(
        self,
        reference: str,
        attestation: Attestation,
        signer: SigningKey | Signer,
        /,
        *,
        version: str | None = None,
        created: datetime | int | None = None,
        signatures: str | None = None,
        keep_existing: bool = True,
        cancel: CancelToken | None = None,
        timeout: _Time | None = None,
    ) -> Descriptor:
        """Signs a statement about a chart and attaches it; gives the manifest that holds it."""
        how, call = (None, None, None, created, signatures, keep_existing), (None, cancel, timeout)
        return native.attest(self._core, reference, version, attestation, signer, how, call)

    def verify_attestation(
        self,
        reference: str,
        predicate_type: str,
        policy: Policy,
        /,
        *,
        fields: Mapping[str, str] | None = None,
        version: str | None = None,
        signatures: str | None = None,
        now: datetime | int | None = None,
        cancel: CancelToken | None = None,
        timeout: _Time | None = None,
    ) -> VerifiedAttestations:
        """Checks that a chart is attested as is demanded, by signers that satisfy the policy, and gives the statements that count.

        ``predicate_type`` is a URI or one of cosign's short names; ``fields`` what the predicate must have where, by JSON pointer:
        ``{"/runDetails/builder/id": "https://ci.example/*"}``.

        :raises NotSignedError, SignatureInvalidError, PolicyDeniedError, CouldNotCheckError: as :meth:`verify`.
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
        reference: str,
        /,
        *,
        version: str | None = None,
        cancel: CancelToken | None = None,
        timeout: _Time | None = None,
    ) -> Tree:
        """All that is attached to a chart: signatures, attestations, bills of materials, and what is attached to those."""
        from dataclasses import replace

        from .trust import Tree

        found, text = native.tree(self._core, reference, version, (None, cancel, timeout))
        return replace(Tree.from_json(found), text=text)

    def referrers(
        self,
        reference: str,
        /,
        *,
        version: str | None = None,
        artifact_type: str | None = None,
        cancel: CancelToken | None = None,
        timeout: _Time | None = None,
    ) -> Iterator[Descriptor]:
        """The manifests whose subject is the chart, of one type or all. A page of the list is asked for when it is wanted."""
        return native.referrers(self._core, reference, version, artifact_type, (None, cancel, timeout))

    def publish(
        self,
        package: Package,
        to: str,
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
        signatures: str | None = None,
        keep_existing: bool = True,
        progress: _Progress | None = None,
        cancel: CancelToken | None = None,
        timeout: _Time | None = None,
    ) -> Published:
        """Pushes a chart with all that belongs to it, so that nobody who looks at the tag ever sees less.

        Content goes first, then what is attached, the attestations (of each signer), the signatures, and the tags last. Run again after a failure, it
        does what is missing. The arguments are those of :meth:`push` and :meth:`sign`.
        """
        import json

        from ._data import descriptor
        from .trust import Published, Signed

        push = (mode, list(channels), created)
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
        """Forgets a login, and tells where one is still found."""
        from .auth import Logout

        return Logout.from_json(native.logout(self._core, registry, place, (None, cancel, timeout)))

    def login_status(
        self, registry: str, /, *, cancel: CancelToken | None = None, timeout: _Time | None = None
    ) -> LoginStatus | None:
        """Whose name this client uses at a registry, and until when; None where it is anonymous. Asks nothing of the registry."""
        from .auth import LoginStatus

        found = native.login_status(self._core, registry, (None, cancel, timeout))
        return None if found is None else LoginStatus.from_json(found)


def _list(values: Iterable[str] | None) -> list[str] | None:
    return None if values is None else [str(value) for value in values]


def _dict(values: Mapping[str, str] | None) -> dict[str, str] | None:
    return None if values is None else dict(values)
