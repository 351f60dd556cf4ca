"""Logins: given, asked for, kept by other programs, out of a cluster."""

import json
import pickle

import pytest

from oci_chart import Client, Credentials, PullSecret, errors
from oci_chart.auth import KnownLogin, stored_logins
from oci_chart.diagnosis import Check, Diagnosis, Status


@pytest.fixture
def guarded(serve):
    return serve("--basic", "robot:hunter2")


def tags(client: Client, registry) -> object:
    try:
        return list(client.tags(f"oci://{registry.host}/charts/web"))
    except errors.NotFoundError:
        return []


def client(registry, **options: object) -> Client:
    return Client(plain_http=[registry.host], **options)


def test_a_login_is_kept_and_found_again(guarded, tmp_path) -> None:
    file = tmp_path / "config.json"
    with pytest.raises(errors.UnauthenticatedError):
        client(guarded).login(guarded.host, "robot", "wrong", place=file)
    assert not file.exists()
    done = client(guarded).login(f"oci://{guarded.host}/charts", Credentials.basic("robot", "hunter2"), place=file)
    assert done.verified and str(file) in done.stored_in
    assert [(login.key, login.username) for login in stored_logins(file)] == [(guarded.host, "robot")]
    assert isinstance(stored_logins(file)[0], KnownLogin)
    again = client(guarded, stored_logins=file)
    assert tags(again, guarded) == []
    status = again.login_status(guarded.host)
    assert (status.username, str(file) in status.origin) == ("robot", True)
    assert client(guarded).login_status(guarded.host) is None
    gone = client(guarded).logout(guarded.host, place=file)
    assert len(gone.removed) == 1 and gone == pickle.loads(pickle.dumps(gone))
    with pytest.raises(errors.UnauthenticatedError):
        tags(client(guarded, stored_logins=file), guarded)


def test_a_login_is_kept_unseen_where_it_is_said(guarded, tmp_path) -> None:
    file = tmp_path / "config.json"
    assert not client(guarded).login(guarded.host, "robot", "wrong", place=file, verify=False).verified
    assert guarded.host in file.read_text()
    with pytest.raises(TypeError):
        client(guarded).login(guarded.host, "robot")


def test_a_login_goes_where_its_program_looks(guarded, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("HELM_REGISTRY_CONFIG", str(tmp_path / "helm.json"))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    for place, file in [("helm", "helm.json"), ("docker", "docker/config.json")]:
        client(guarded).login(guarded.host, "robot", "hunter2", place=place)
        assert guarded.host in json.loads((tmp_path / file).read_text())["auths"]
    assert tags(client(guarded, stored_logins=True), guarded) == []


@pytest.mark.parametrize(
    "options",
    [
        {"auth": {"HOST": ("robot", "hunter2")}},
        {"auth": {"HOST": Credentials.basic("robot", "hunter2")}},
        {"credentials": lambda host: ("robot", "hunter2")},
        {"credentials": lambda host: Credentials.basic("robot", "hunter2")},
        {"pull_secret": PullSecret().with_login("HOST", "robot", "hunter2")},
        {"auth": {"other.example": ("robot", "wrong")}, "credentials": lambda host: ("robot", "hunter2")},
    ],
    ids=["pair", "credentials", "asked", "asked for credentials", "pull secret", "chain"],
)
def test_logins_come_from_anywhere(guarded, options) -> None:
    if "auth" in options and "HOST" in options["auth"]:
        options = options | {"auth": {guarded.host: options["auth"]["HOST"]}}
    if "pull_secret" in options:
        options = {"pull_secret": PullSecret().with_login(guarded.host, "robot", "hunter2")}
    found = client(guarded, **options)
    assert tags(found, guarded) == [] and "hunter2" not in repr(found)


def test_secrets_do_not_show(guarded) -> None:
    basic, token = Credentials.basic("robot", "hunter2"), Credentials.bearer("hunter2")
    secret = PullSecret().with_login("registry.example", "robot", "hunter2")
    for value in [basic, token, Credentials.identity("hunter2"), secret, Credentials.anonymous()]:
        assert "hunter2" not in f"{value!r} {value}"
        with pytest.raises(TypeError):
            pickle.dumps(value)
    assert basic == Credentials.basic("robot", "hunter2") != Credentials.basic("robot", "other")
    with pytest.raises(errors.UnauthenticatedError) as caught:
        tags(client(guarded, auth={guarded.host: ("robot", "hunter3")}), guarded)
    assert "hunter3" not in f"{caught.value!r} {caught.value} {caught.value.context} {caught.value.causes}"


def test_pull_secrets_are_manifests(tmp_path) -> None:
    manifest = PullSecret().with_login("registry.example", "robot", "hunter2").to_manifest("pull", namespace="apps")
    assert 'namespace: "apps"' in manifest
    file = tmp_path / "secret.yaml"
    file.write_text(manifest)
    for source in [manifest, file]:
        assert PullSecret.from_manifest(source).username("registry.example", "charts/web", rule="kubelet") == "robot"
    with pytest.raises(errors.InvalidInputError):
        PullSecret.from_manifest("kind: ConfigMap")


def test_a_diagnosis_is_data(guarded, tmp_path) -> None:
    found = client(guarded, auth={guarded.host: ("robot", "wrong")}).diagnose(f"oci://{guarded.host}/charts/web")
    assert not found.ok and found[Check.API].status is Status.OK
    assert found["login"].status is Status.FAILED and found["login"].reason
    assert Diagnosis.from_dict(found.to_dict()) == found == pickle.loads(pickle.dumps(found))
    assert str(found).startswith(found.location) and "login" in str(found)
    with pytest.raises(KeyError):
        found["layout"]
    assert Client().diagnose(f"oci-layout:{tmp_path / 'absent'}")["pull"].status is Status.FAILED
