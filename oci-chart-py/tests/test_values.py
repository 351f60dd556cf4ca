"""Values: comparable, hashable, picklable, and shown as they are written."""

import copy
import dataclasses
import datetime
import enum
import pickle
import types
import typing

import pytest

import oci_chart

from oci_chart import (
    CancelToken,
    Chart,
    Client,
    Descriptor,
    Event,
    Package,
    Policy,
    PublicKey,
    PushAction,
    PushResult,
    Reference,
    Retry,
    Signer,
    SigningKey,
    auth,
    diagnosis,
    enums,
    errors,
    trust,
)
from oci_chart._data import Data

NOON = datetime.datetime(2030, 1, 1, 12, tzinfo=datetime.UTC)
DIGEST = "sha256:" + "ab" * 32
DESCRIPTOR = Descriptor("application/x", DIGEST, 3)
KEY = SigningKey.generate()
VALUES = [
    DESCRIPTOR,
    Descriptor("it's", DIGEST, 3, artifact_type='a"\\', annotations={"k\n": "v\x7f"}),
    Reference("oci://registry.example/charts/web:1.0.0"),
    PushResult(DESCRIPTOR, "1.0.0", "pushed", "oci://registry.example/it's"),
    Event("progress", id=1, bytes=2),
    Event("warning", text="it's \\ odd", digest=DIGEST, media_type="a/b"),
    KEY.public_key,
    Policy.keys(KEY.public_key, tlog="ignore-explicitly"),
    Retry(attempts=3),
]


MODULES = [auth, diagnosis, enums, trust]


def made(hint: object) -> object:
    """Something of this type, with nothing left out."""
    if isinstance(hint, types.UnionType):
        return made(typing.get_args(hint)[0])
    if typing.get_origin(hint) is tuple:
        inner = typing.get_args(hint)[0]
        # What holds others of its kind would have no end.
        return () if inner is trust.Requirement else (made(inner),)
    if typing.get_origin(hint) is dict:
        return {"k'": "v"}
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return next(iter(hint))
    if dataclasses.is_dataclass(hint):
        hints = typing.get_type_hints(hint)
        return hint(**{each.name: made(hints[each.name]) for each in dataclasses.fields(hint) if each.compare})
    known = {str: "it's", int: 3, bool: True, datetime.datetime: NOON}
    return known[hint] if hint in known else next(value for value in VALUES if isinstance(value, hint))


VALUES += [
    made(found)
    for module in MODULES
    for found in vars(module).values()
    if dataclasses.is_dataclass(found) and isinstance(found, type)
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_value_is_itself_after_any_journey(value) -> None:
    names = {name: found for module in [*MODULES, oci_chart] for name, found in vars(module).items()}
    assert eval(repr(value), names | {"datetime": datetime}) == value
    assert pickle.loads(pickle.dumps(value)) == value == copy.deepcopy(value)
    assert len({value, copy.copy(value)}) == 1
    for name in type(value).__match_args__:
        with pytest.raises(AttributeError):
            setattr(value, name, None)
    assert value != str(value) and value is not None


JSON = [value for value in VALUES if isinstance(value, Data)]


@pytest.mark.parametrize("value", JSON, ids=lambda value: type(value).__name__)
def test_a_value_is_itself_after_json(value) -> None:
    assert type(value).from_dict(value.to_dict()) == value == type(value).from_json(value.to_json())
    assert "_" not in "".join(value.to_dict())


def test_all_that_the_verbs_give_are_values() -> None:
    assert len(JSON) >= 20 and len(VALUES) >= 32


def test_values_match() -> None:
    match DESCRIPTOR:
        case Descriptor("application/x", digest, 3):
            assert digest == DIGEST
        case _:
            pytest.fail("no match")


    match VALUES[3]:
        case PushResult(Descriptor(size=3), tag, PushAction.PUSHED):
            assert tag == "1.0.0"
        case _:
            pytest.fail("no match")
    match KEY.public_key:
        case PublicKey(pem):
            assert pem.startswith("-----BEGIN PUBLIC KEY-----")


def test_words_are_members_of_their_enumerations() -> None:
    assert VALUES[3].action is PushAction.PUSHED
    with pytest.raises(ValueError):
        PushResult(DESCRIPTOR, "1.0.0", "shoved", "oci://registry.example/charts/web")


def test_a_descriptor_has_a_digest() -> None:
    with pytest.raises(errors.InvalidReferenceError):
        Descriptor("application/x", "sha256:12", 3)


@pytest.mark.parametrize(
    "handle",
    [
        Client(),
        Client().open("oci-layout:/nowhere"),
        Client().tags("oci-layout:/nowhere"),
        CancelToken(),
        KEY,
        Signer(KEY.public_key, lambda message: message),
    ],
    ids=lambda handle: type(handle).__name__,
)
def test_handles_do_not_travel(handle) -> None:
    with pytest.raises(TypeError):
        pickle.dumps(handle)


def test_a_package_is_its_bytes(chart_dir, tmp_path) -> None:
    chart = Chart.load(chart_dir)
    first, second = chart.package(tmp_path), chart.package()
    assert first == second and hash(first) == hash(second)
    assert first.path == tmp_path / "web-1.0.0.tgz" and second.path is None
    assert first.path.read_bytes() == second.read()
    assert Package.load(first.path) == first
    assert first.chart().values() == "replicas: 1\n"
