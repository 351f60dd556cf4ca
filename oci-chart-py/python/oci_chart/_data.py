"""Frozen values that are JSON in every language of the library."""

import json
import types
from dataclasses import MISSING, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar, Self, get_args, get_origin, get_type_hints

from ._native import Descriptor


class Data:
    """What is built from that JSON, and turned back into it: its fields are in camel case there and in snake case here. What is not compared is no
    part of the value."""

    __slots__ = ()
    __dataclass_fields__: ClassVar[dict[str, Any]]

    @classmethod
    def from_dict(cls, data: dict[str, Any], /) -> Self:
        """Reads what :meth:`to_dict` gives."""
        hints = get_type_hints(cls)
        found = {each.name: data.get(_camel(each.name)) for each in fields(cls) if each.compare}
        return cls(
            **{name: _read(value, hints[name]) for name, value in found.items() if value is not None}
        )

    @classmethod
    def from_json(cls, text: str, /) -> Self:
        """Reads what :meth:`to_json` gives."""
        return cls.from_dict(json.loads(text))

    def to_dict(self) -> dict[str, Any]:
        """The same as ``dict``, ``list``, ``str`` and numbers, without what is not there."""
        found = {}
        for each in fields(self):
            value = getattr(self, each.name)
            default = each.default if each.default_factory is MISSING else each.default_factory()
            if each.compare and value != default:
                found[_camel(each.name)] = _written(value)
        return found

    def to_json(self) -> str:
        """The same as JSON."""
        return json.dumps(self.to_dict())


def descriptor(data: dict[str, Any]) -> Descriptor:
    """A descriptor as the OCI specification writes it."""
    kind, annotations = data.get("artifactType"), data.get("annotations")
    return Descriptor(
        data["mediaType"], data["digest"], data["size"], artifact_type=kind, annotations=annotations
    )


def _read(value: Any, hint: Any) -> Any:
    """A JSON value as what its field is annotated with."""
    if get_origin(hint) is types.UnionType:
        hint = next(each for each in get_args(hint) if each is not type(None))
    if get_origin(hint) is tuple:
        return tuple(_read(each, get_args(hint)[0]) for each in value)
    if hint is Descriptor:
        return descriptor(value)
    if hint is datetime:
        return datetime.fromtimestamp(value, UTC)
    if isinstance(hint, type) and issubclass(hint, Data):
        return hint.from_dict(value)
    return hint(value) if isinstance(hint, type) and issubclass(hint, StrEnum) else value


def _written(value: Any) -> Any:
    match value:
        case tuple():
            return [_written(each) for each in value]
        case Descriptor(media_type, digest, size):
            found = {"mediaType": media_type, "digest": digest, "size": size}
            more = {"annotations": value.annotations, "artifactType": value.artifact_type}
            return found | {name: each for name, each in more.items() if each}
        case Data():
            return value.to_dict()
        case datetime():
            return int(value.timestamp())
        case str():
            return str(value)
    return value


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
