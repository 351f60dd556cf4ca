"""Verbs of signatures and of what belongs to a chart."""

from __future__ import annotations

from .. import Attachment, Package, SigningKey
from ..errors import OciChartError
from . import policy
from .chart import is_remote
from .policy import pairs, variable
from .remote import REMOTE, VERSION, client
from .repository import REFERENCE, SIGNATURES
from .secret import needed
from .verb import Argument, Completes, Option, Outcome, UsageError, Verb

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .verb import Options

PASSPHRASE = "COSIGN_PASSWORD"
ANNOTATION = Option("-a", "--annotation", takes="KEY=VALUE", many=True, help="an annotation; once for each")


def _verify(options: Options) -> Outcome:
    wanted = policy.demanded(options)
    if not is_remote(options.chart):
        found = Package.load(options.chart).verify_provenance(wanted)
        return Outcome(found.to_dict(), f"verified: {found.digest}\nsigner: {', '.join(found.user_ids)} ({found.primary})")
    verified = client(options, options.chart).verify(
        options.chart, wanted, version=options.version, signatures=options.signatures
    )
    evidence = verified.evidence
    signers = "".join(f"\nsigner: {signer}" for signer in evidence.signers)
    return Outcome(
        {"digest": verified.digest, "signers": list(evidence.signers), "evidence": evidence.to_dict()},
        f"verified: {verified.digest}{signers}",
    )


def _sign(options: Options) -> Outcome:
    signed = client(options, options.reference).sign(
        options.reference,
        signing_key(options),
        version=options.version,
        formats=options.format or None,
        annotations=pairs(options.annotation),
        identity=options.sign_container_identity,
        signatures=options.signatures,
    )
    what = [f"signed: {signed.subject.digest}"]
    if signed.bundle is not None:
        what.append(f"bundle: {signed.bundle.digest}")
    if signed.signature_tag is not None:
        what.append(f"tag: {signed.signature_tag.tag}")
    what += [f"kept: {kept}" for kept in signed.kept]
    return Outcome(signed.to_dict(), "\n".join(what))


def signing_key(options: Options) -> SigningKey:
    """The key of the command line; its passphrase is wanted only where it has one."""

    def passphrase() -> str:
        return needed("passphrase", file=options.passphrase_file, variable=PASSPHRASE)

    name = options.key.removeprefix("env://")
    if name != options.key:
        return SigningKey.from_pem(variable(name), passphrase=passphrase)
    return SigningKey.load(options.key, passphrase=passphrase)


def _attach(options: Options) -> Outcome:
    from pathlib import Path

    file = Path(options.file)
    title = options.title or file.name
    annotations = pairs(options.annotation)
    if options.artifact_type is not None:
        attachment = Attachment(options.artifact_type, file, title=title, annotations=annotations)
    else:
        try:
            attachment = Attachment.sbom(file, title=title, annotations=annotations)
        except OciChartError as error:
            if not file.exists():
                raise
            raise UsageError(f"{error}: say what it is with --artifact-type") from error
    attached = client(options, options.reference).attach(options.reference, attachment, version=options.version)
    return Outcome({"digest": attached.digest, "artifactType": attachment.artifact_type, "size": attached.size})


def _tree(options: Options) -> Outcome:
    found = client(options, options.reference).tree(options.reference, version=options.version)
    return Outcome(found.to_dict(), str(found))


VERBS = (
    Verb(
        name="verify",
        help="Check who signed a chart, or the provenance file of a package.",
        run=_verify,
        arguments=(
            Argument(name="CHART", completes=Completes.FILE, help="a reference, or a package with its .prov file"),
        ),
        options=(*policy.OPTIONS, VERSION, SIGNATURES, *REMOTE),
    ),
    Verb(
        name="sign",
        help="Sign a chart with a key.",
        run=_sign,
        arguments=(REFERENCE,),
        options=(
            Option(
                "--key",
                takes="FILE",
                needed=True,
                completes=Completes.FILE,
                help="the private key, as cosign.key, or env://VARIABLE",
            ),
            Option(
                "--passphrase-file",
                takes="FILE",
                completes=Completes.FILE,
                help=f"read the key's passphrase from this file, or - for standard input; else it is taken from {PASSPHRASE}, or asked for",
            ),
            Option(
                "--format",
                takes="FORMAT",
                many=True,
                choices=("bundle", "signature-tag"),
                help="a bundle, as cosign 3 writes it and without this option, or a signature tag, as cosign 1 and 2; once for each",
            ),
            Option(
                "--sign-container-identity",
                takes="REPOSITORY",
                help="the HOST/PATH that a signature tag names, if not where the chart is",
            ),
            ANNOTATION,
            VERSION,
            SIGNATURES,
            *REMOTE,
        ),
    ),
    Verb(
        name="attach",
        help="Attach a file to a chart, unsigned: a bill of materials, or anything.",
        run=_attach,
        arguments=(REFERENCE, Argument(name="FILE", completes=Completes.FILE, help="what to attach")),
        options=(
            Option(
                "--artifact-type",
                takes="TYPE",
                help="the media type of the file; without it, it has to be an SPDX or CycloneDX document",
            ),
            Option("--title", takes="NAME", help="the file name to give, if not its own"),
            ANNOTATION,
            VERSION,
            *REMOTE,
        ),
    ),
    Verb(
        name="tree",
        help="Show all that is attached to a chart.",
        run=_tree,
        arguments=(REFERENCE,),
        options=(VERSION, *REMOTE),
    ),
)
