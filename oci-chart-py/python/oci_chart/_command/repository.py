"""Verbs of repositories: what is there, what goes there and what comes from there."""

from __future__ import annotations

import os

from .. import matches
from ..errors import NotFoundError
from . import code, policy
from .chart import DESTINATION, package_at
from .remote import REMOTE, VERSION, client
from .screen import Screen, complain
from .verb import Argument, Completes, Option, Outcome, UsageError, Verb

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .verb import Options

REFERENCE = Argument(
    name="REFERENCE", help="oci://HOST/REPOSITORY[:TAG][@DIGEST], or oci-layout:DIRECTORY[@DIGEST]"
)
SIGNATURES = Option(
    "--signatures", takes="REPOSITORY", help="where the signatures lie, if not beside the chart"
)
MODES = ("create", "ensure", "replace")


def _push(options: Options) -> Outcome:
    package = package_at(options.package)
    with Screen() as screen:
        at = client(options, options.destination)
        pushed = at.push(package, options.destination, mode=options.mode, progress=screen)
    return Outcome(
        {
            "reference": pushed.reference,
            "tag": pushed.tag,
            "digest": pushed.digest,
            "action": pushed.action,
        }
    )


def _pull(options: Options) -> Outcome:
    wanted = policy.demanded(options) if options.verify else policy.asked(options)
    if wanted is None and options.signatures is not None:
        raise UsageError("--signatures goes with options that say who may have signed")
    with Screen() as screen:
        pulled = client(options, options.reference).pull(
            options.reference,
            version=options.version,
            dest=None if options.untar else options.destination,
            verify=wanted or False,
            provenance=options.prov,
            signatures=options.signatures,
            progress=screen,
        )
    package = pulled.package
    if options.untar:
        parent = os.path.join(options.destination, options.untardir)
        os.makedirs(parent, exist_ok=True)
        path = str(package.unpack(parent))
    else:
        path = os.path.join(options.destination, package.file_name)
    provenance = None
    if options.prov and package.provenance is None:
        complain("warning: the chart has no provenance file")
    elif options.prov and not options.untar:
        provenance = f"{path}.prov"
    return Outcome(
        {
            "path": path,
            "digest": pulled.digest,
            "package": package.digest,
            "verified": wanted is not None,
            "provenance": provenance,
        }
    )


def _versions(options: Options) -> Outcome:
    if options.version is not None:
        # What is no constraint is one nowhere, also where there are no tags.
        matches(options.version, "0.0.0")
    tags = list(client(options, options.reference).tags(options.reference))
    if options.version is not None:
        # A tag cannot hold the plus sign of a version.
        tags = [tag for tag in tags if matches(options.version, tag.replace("_", "+"))]
    return Outcome(tags)


def _exists(options: Options) -> Outcome:
    try:
        at = client(options, options.reference)
    except FileNotFoundError as error:
        # A file of an option is missing; the code for that would say that the chart is.
        raise UsageError(str(error)) from error
    try:
        found = at.resolve(options.reference, version=options.version)
    except NotFoundError:
        return Outcome({"exists": False}, code=code.NOT_FOUND)
    return Outcome({"exists": True, "digest": found.digest})


def _delete(options: Options) -> Outcome:
    client(options, options.reference).delete(options.reference, version=options.version)
    return Outcome({"deleted": options.reference, "version": options.version})


VERBS = (
    Verb(
        name="push",
        help="Push a package, or a chart directory, which is packaged first.",
        run=_push,
        arguments=(
            Argument(name="PACKAGE", completes=Completes.FILE, help="the package, or the chart's directory"),
            Argument(
                name="DESTINATION",
                help="oci://HOST/PATH, to which the chart's name is added, or oci-layout:DIRECTORY",
            ),
        ),
        options=(
            Option(
                "--mode",
                takes="MODE",
                choices=MODES,
                default="create",
                help="refuse a version that is there, refuse it unless it is the same chart, or replace it",
            ),
            *REMOTE,
        ),
    ),
    Verb(
        name="pull",
        help="Pull a chart's package, verified where options say by whom it has to be signed.",
        run=_pull,
        arguments=(REFERENCE,),
        options=(
            VERSION,
            DESTINATION,
            Option("--prov", help="take the provenance file along"),
            Option("--untar", help="unpack it into a directory called like the chart"),
            Option(
                "--untardir",
                takes="DIRECTORY",
                default=".",
                completes=Completes.DIRECTORY,
                help="where that directory goes, below the destination",
            ),
            Option(
                "--verify",
                help="take nothing that is not signed, by whom the options below say; without them by a key of gpg's ring",
            ),
            *policy.OPTIONS,
            SIGNATURES,
            *REMOTE,
        ),
    ),
    Verb(
        name="versions",
        help="List the tags of a repository.",
        run=_versions,
        arguments=(REFERENCE,),
        options=(
            Option("--version", takes="CONSTRAINT", help="only versions that satisfy this constraint"),
            *REMOTE,
        ),
    ),
    Verb(
        name="exists",
        help="Tell whether a version is there, by the exit code 0 or 6 too.",
        run=_exists,
        arguments=(REFERENCE,),
        options=(VERSION, *REMOTE),
    ),
    Verb(
        name="delete",
        help="Delete a tag, or by digest a version with all its tags.",
        run=_delete,
        arguments=(REFERENCE,),
        options=(VERSION, *REMOTE),
    ),
)
