"""Logins and diagnoses, as a shell sees them."""

import json

from command import COMMAND, Terminal, run


def test_a_login_is_kept_where_helm_looks(serve, tmp_path) -> None:
    registry = serve("--basic", "robot:pass word")
    home = {"HOME": str(tmp_path)}
    place = f"oci://{registry.host}/charts/web"
    name = ("-u", "robot", "--password-stdin", "--plain-http")
    assert run("exists", place, "--plain-http", env=home).code == 5
    assert run("login", registry.host, *name, stdin="wrong", env=home).code == 5
    done = run("login", registry.host, *name, "--json", stdin="pass word", env=home)
    assert done.code == 0, done.out + done.err
    told = json.loads(done.out)
    assert told["verified"] is True and "registry/config.json" in told["storedIn"]
    assert "pass word" not in done.out + done.err
    assert run("exists", place, "--plain-http", env=home).code == 6

    gone = json.loads(run("logout", registry.host, "--json", env=home).out)
    assert len(gone["removed"]) == 1
    assert run("exists", place, "--plain-http", env=home).code == 5
    assert run("logout", registry.host, env=home) == (0, f"there was no login for {registry.host}\n", "")


def test_another_file_of_logins(serve, tmp_path) -> None:
    registry = serve("--basic", "robot:pass word")
    file = tmp_path / "auth.json"
    name = ("-u", "robot", "--password-stdin", "--plain-http", "--registry-config", str(file))
    assert run("login", registry.host, *name, stdin="pass word", env={"HOME": str(tmp_path)}).code == 0
    assert registry.host in json.loads(file.read_text())["auths"]


def test_a_name_and_a_password_are_asked_for(serve, tmp_path) -> None:
    registry = serve("--basic", "robot:pass word")
    command = (*COMMAND, "login", registry.host, "--plain-http")
    terminal = Terminal(*command, env={"HOME": str(tmp_path)})
    terminal.expect("Username: ")
    terminal.write("robot\n")
    terminal.expect("Password: ")
    terminal.write("pass word\n")
    terminal.expect("logged in to")
    assert terminal.end() == 0 and "pass word" not in terminal.seen
    assert run("login", registry.host, "--plain-http").code == 2


def test_a_diagnosis(serve, chart_dir, tmp_path) -> None:
    registry = serve("--basic", "robot:pass word")
    home = {"HOME": str(tmp_path)}
    place = f"oci://{registry.host}/charts/web"
    name = ("--plain-http", "-u", "robot", "--password-stdin")
    assert run("push", str(chart_dir), f"oci://{registry.host}/charts", *name, stdin="pass word").code == 0
    good = run("diagnose", place, *name, "--json", stdin="pass word", env=home)
    assert good.code == 0, good.out
    assert {found["check"]: found["status"] for found in json.loads(good.out)["findings"]}["login"] == "ok"
    shown = run("diagnose", place, "--plain-http", env=home)
    assert shown.code == 5 and "failed" in shown.out and shown.err == ""
    assert run("diagnose", "oci://127.0.0.1:1/charts/web", "--plain-http", env=home).code == 7
    assert run("diagnose", f"oci-layout:{tmp_path / 'absent'}").code == 6
