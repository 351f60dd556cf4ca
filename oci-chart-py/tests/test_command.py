"""The command, as a shell sees it."""

import json
import subprocess
import sys


def run(*arguments: str, stdin: str = "") -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "oci_chart", *arguments], input=stdin, capture_output=True, text=True
    )
    return done.returncode, done.stdout, done.stderr


def test_a_release(serve, chart_dir, tmp_path) -> None:
    registry = serve("--basic", "robot:pass word")
    login = ("--plain-http", "--username", "robot", "--password-stdin")
    base = f"oci://{registry.host}/charts"

    code, out, _ = run("package", str(chart_dir), "-d", str(tmp_path), "--version", "2.0.0", "--json")
    path = json.loads(out)["path"]
    assert code == 0 and path.endswith("web-2.0.0.tgz")

    code, out, _ = run("push", path, base, *login, "--json", stdin="pass word\n")
    assert code == 0 and json.loads(out)["action"] == "pushed"
    assert run("push", path, base, *login, stdin="pass word\n")[0] == 3
    assert run("push", path, base, *login, "--mode", "ensure", stdin="pass word\n")[0] == 0

    reference = f"{base}/web"
    assert run("versions", reference, *login, stdin="pass word\n")[:2] == (0, "2.0.0\n")
    assert run("show", f"{reference}:2.0.0", *login, stdin="pass word\n")[1].startswith("name: web\n")
    assert run("exists", f"{reference}:9.9.9", *login, stdin="pass word\n")[0] == 6

    into = tmp_path / "pulled"
    into.mkdir()
    assert run("pull", reference, "--version", "^2", "-d", str(into), *login, stdin="pass word\n")[0] == 0
    assert (into / "web-2.0.0.tgz").read_bytes() == open(path, "rb").read()


def test_exit_codes(serve, tmp_path) -> None:
    registry = serve("--basic", "robot:right")
    wrong = run("versions", f"oci://{registry.host}/charts/web", "--plain-http", "--json")
    assert wrong[0] == 5 and json.loads(wrong[1])["error"]["kind"] == "unauthenticated"
    assert run("package", str(tmp_path / "absent"))[0] == 6
    assert run("versions", "oci://127.0.0.1:1/charts/web", "--plain-http")[0] == 7
    assert run("sing")[0] == 2
    code, out, err = run("show", "oci://Bad.example/X")
    assert code == 1 and out == "" and err.startswith("oci-chart: ")
