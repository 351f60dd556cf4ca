"""The command, as a shell sees it."""

import json
import os
import pathlib
import re
import subprocess
import sys
import sysconfig

import pytest
from command import CLEAN, COMMAND, run
from conftest import ROOT

from oci_chart._command import code
from oci_chart._command.table import VERBS
from oci_chart.errors import ErrorKind


def test_a_release(serve, chart_dir, tmp_path) -> None:
    registry = serve("--basic", "robot:pass word")
    login = ("--plain-http", "--username", "robot", "--password-stdin")
    base = f"oci://{registry.host}/charts"

    done = run("package", str(chart_dir), "-d", str(tmp_path / "new/place"), "--version", "2.0.0", "--json")
    path = json.loads(done.out)["path"]
    assert done.code == 0 and path.endswith("new/place/web-2.0.0.tgz")

    done = run("push", path, base, *login, "--json", stdin="pass word\n")
    pushed = json.loads(done.out)
    assert done.code == 0 and pushed["action"] == "pushed"
    assert run("push", path, base, *login, stdin="pass word\n").code == 3
    assert run("push", path, base, *login, "--mode", "ensure", stdin="pass word\n").code == 0

    reference = f"{base}/web"
    assert run("versions", reference, *login, stdin="pass word\n") == (0, "2.0.0\n", "")
    assert run("versions", reference, "--version", "<2", *login, stdin="pass word\n").out == ""
    assert run("show", f"{reference}:2.0.0", *login, stdin="pass word\n").out.startswith("name: web\n")
    shown = run("show", reference, "--part", "values", *login, stdin="pass word\n")
    assert shown.out == "replicas: 1\n"
    found = run("exists", reference, "--version", "2.0.0", *login, "--json", stdin="pass word\n")
    assert found.code == 0 and json.loads(found.out) == {"exists": True, "digest": pushed["digest"]}
    missing = run("exists", f"{reference}:9.9.9", *login, "--json", stdin="pass word\n")
    assert missing.code == 6 and json.loads(missing.out) == {"exists": False}

    into = tmp_path / "pulled"
    done = run("pull", reference, "--version", "^2", "-d", str(into), *login, stdin="pass word\n")
    assert done.code == 0
    assert (into / "web-2.0.0.tgz").read_bytes() == pathlib.Path(path).read_bytes()

    assert run("delete", reference, "--version", "2.0.0", *login, stdin="pass word\n").code == 0
    assert run("show", f"{reference}:2.0.0", *login, stdin="pass word\n").code == 6


def test_each_part_of_a_chart_is_shown(chart_dir) -> None:
    (chart_dir / "README.md").write_text("# Web\n")
    (chart_dir / "crds").mkdir()
    (chart_dir / "crds/thing.yaml").write_text("kind: Thing\n")
    for part, shown in [("values", "replicas: 1\n"), ("readme", "# Web\n"), ("crds", "---\nkind: Thing\n\n")]:
        assert run("show", str(chart_dir), "--part", part).out == shown
        assert json.loads(run("show", str(chart_dir), "--part", part, "--json").out) == {part: shown}
    assert json.loads(run("show", str(chart_dir), "--json").out)["version"] == "1.0.0"


def test_versions_are_filtered_as_versions(chart_dir, tmp_path) -> None:
    layout = f"oci-layout:{tmp_path / 'store'}"
    for version in ["1.2.3+build.5", "2.0.0"]:
        run("package", str(chart_dir), "-d", str(tmp_path), "--version", version, "--app-version", "7")
        assert run("push", str(tmp_path / f"web-{version}.tgz"), layout).code == 0
    assert run("versions", layout, "--version", "^1.2.3").out == "1.2.3_build.5\n"
    assert json.loads(run("show", layout, "--version", "2.0.0", "--json").out)["appVersion"] == "7"


def test_a_layout_does_as_well(chart_dir, tmp_path) -> None:
    layout = f"oci-layout:{tmp_path / 'store'}"
    # A directory is packaged on the way.
    pushed = json.loads(run("push", str(chart_dir), layout, "--json").out)
    assert run("versions", layout).out == "1.0.0\n"
    assert run("show", f"{layout}@{pushed['digest']}", "--json").code == 0
    assert run("pull", layout, "-d", str(tmp_path)).code == 0


def test_exit_codes(serve, tmp_path) -> None:
    registry = serve("--basic", "robot:right")
    repository = f"oci://{registry.host}/charts/web"
    environment = {"HOME": str(tmp_path)}
    wrong = run("versions", repository, "--plain-http", "--json", env=environment)
    assert wrong.code == 5 and json.loads(wrong.out)["error"]["kind"] == "unauthenticated"
    assert run("package", str(tmp_path / "absent")).code == 6
    assert run("versions", "oci://127.0.0.1:1/charts/web", "--plain-http").code == 7
    assert run("sing").code == 2
    assert run("package", "--verion", "1", str(tmp_path)).code == 2
    assert run("versions", f"oci-layout:{tmp_path}", "--version", "newest").code == 2
    done = run("show", "oci://Bad.example/X")
    assert done.code == 2 and done.out == "" and done.err.startswith("oci-chart: ")


def test_every_kind_has_its_code() -> None:
    assert set(code.OF_KIND) == set(ErrorKind)
    assert set(code.MEANING) == {*range(10), 130}
    named = {
        2: "invalid-input invalid-reference invalid-version",
        3: "already-exists conflict immutable-tag",
        4: "lint-failed",
        5: "unauthenticated permission-denied",
        6: "not-found",
        7: "rate-limited network timeout unavailable",
        8: "not-signed signature-invalid policy-denied",
        9: "could-not-check",
        130: "cancelled",
    }
    codes = {kind: number for number, kinds in named.items() for kind in kinds.split()}
    assert {kind: found for kind, found in code.OF_KIND.items() if found != code.OTHER} == codes


def test_the_verbs_are_all_there_and_speak_json() -> None:
    names = [verb.name for verb in VERBS]
    assert len(set(names)) == len(names)
    for verb in VERBS:
        done = run(verb.name, "--help")
        assert done.code == 0 and "--json" in done.out and verb.help.split()[0] in done.out
    helped = run("--help").out
    assert all(f"    {name}" in helped for name in names) and "130" in helped


@pytest.mark.parametrize("word", ["--password", "-p", "--password=hunter2"])
def test_a_password_on_the_command_line_is_refused_and_not_repeated(word) -> None:
    done = run("versions", "oci://registry.example/charts/web", "--username", "robot", word, "hunter2")
    assert done.code == 2 and "hunter2" not in done.out + done.err and "--password-stdin" in done.err


def test_passwords_come_from_where_nobody_reads_along(serve, tmp_path) -> None:
    registry = serve("--basic", "robot:pass word")
    command = ("exists", f"oci://{registry.host}/charts/web", "--plain-http")
    kept = tmp_path / "password"
    kept.write_text("pass word\n")
    named = (*command, "-u", "robot")
    assert run(*named, "--password-stdin", stdin="pass word").code == 6
    assert run(*named, "--password-file", str(kept)).code == 6
    assert run(*named, "--password-file", "-", stdin="pass word\r\n").code == 6
    assert run(*named, env={"OCI_CHART_PASSWORD": "pass word"}).code == 6
    assert run(*command, env={"OCI_CHART_USERNAME": "robot", "OCI_CHART_PASSWORD": "pass word"}).code == 6
    # The command line is nearer than the environment.
    assert run(*named, "--password-stdin", stdin="wrong", env={"OCI_CHART_PASSWORD": "pass word"}).code == 5

    assert run(*named).code == 2
    assert run(*named, "--password-stdin", "--password-file", str(kept)).code == 2
    assert run(*command, "--password-stdin", stdin="pass word").code == 2
    other = ("versions", *named[1:])
    assert run(*other, "--password-file", str(tmp_path / "absent")).code == 6
    # An empty name is a variable that a script forgot to set.
    assert run(*command, "-u", "", env={"OCI_CHART_PASSWORD": "pass word"}).code == 2
    kept.write_bytes(b"pass\xff")
    for words, piped in [(("--password-file", str(kept)), b""), (("--password-stdin",), b"pass\xff")]:
        done = subprocess.run([*COMMAND, *named, *words], input=piped, capture_output=True, env=CLEAN)
        assert (done.returncode, done.stderr) == (2, b"oci-chart: the password is not UTF-8\n")


def test_errors_tell_all_as_json(serve) -> None:
    registry = serve()
    registry.tell("fault GET * 1 status 403")
    done = run("versions", f"oci://{registry.host}/charts/web", "--plain-http", "--json")
    error = json.loads(done.out)["error"]
    assert done.code == 5 and done.err == ""
    assert error["kind"] == "permission-denied" and error["reason"] == "access-denied"
    assert error["context"]["status"] == "403" and error["hint"] and not error["retryable"]


def test_all_errors_have_one_shape(tmp_path) -> None:
    of_the_core = run("show", "oci://Bad.example/X", "--json")
    keys = {"kind", "reason", "operation", "message", "hint", "context", "retryable", "retryAfter", "causes"}
    assert set(json.loads(of_the_core.out)["error"]) == keys
    for words, kind in [
        (("show",), "invalid-input"),
        (("show", "--nothing", "x"), "invalid-input"),
        (("sing",), "invalid-input"),
        (("verify", f"oci-layout:{tmp_path}", "--key", "env://"), "invalid-input"),
        (("verify", f"oci-layout:{tmp_path}", "--policy", str(tmp_path / "absent")), "not-found"),
        (("verify", f"oci-layout:{tmp_path}", "--policy", str(tmp_path)), "io"),
        (("show", "oci-layout:\udcff"), "invalid-input"),
        (("versions", "oci-layout:\udcff"), "invalid-input"),
    ]:
        done = run(*words, "--json")
        error = json.loads(done.out)["error"]
        assert (set(error), error["kind"], done.err) == (keys, kind, ""), words
        plain = run(*words)
        assert plain.code == done.code and plain.out == "" and f"oci-chart: {error['message']}" in plain.err
    assert run("show").err.startswith("usage: oci-chart show")


def test_what_is_not_there_is_told_apart_from_what_was_not_looked_for(serve, tmp_path) -> None:
    place = f"oci://{serve().host}/charts/web"
    absent = str(tmp_path / "absent")
    assert run("exists", place, "--plain-http").code == 6
    assert run("exists", place, "--plain-http", "--ca-file", absent).code == 2
    assert run("exists", place, "--plain-http", "-u", "robot", "--password-file", absent).code == 2


def test_a_location_needs_no_scheme(serve, chart_dir, tmp_path) -> None:
    registry = serve("--basic", "robot:pass word")
    login = ("--plain-http", "--username", "robot", "--password-stdin")
    assert run("push", str(chart_dir), f"{registry.host}/charts", *login, stdin="pass word").code == 0
    assert run("versions", f"{registry.host}/charts/web", *login, stdin="pass word").out == "1.0.0\n"


def test_what_fails_makes_no_directories(serve, tmp_path) -> None:
    into = tmp_path / "new/place"
    assert run("package", str(tmp_path / "absent"), "-d", str(into)).code == 6
    for more in [(), ("--untar",)]:
        assert run("pull", f"oci://{serve().host}/a/b", "--plain-http", "-d", str(into), *more).code == 6
    assert list(tmp_path.iterdir()) == []


def test_a_provenance_file_that_is_not_there_is_told(chart_dir, tmp_path) -> None:
    layout = f"oci-layout:{tmp_path / 'store'}"
    assert run("push", str(chart_dir), layout).code == 0
    done = run("pull", layout, "--prov", "-d", str(tmp_path), "--json")
    assert done.code == 0 and json.loads(done.out)["provenance"] is None
    assert done.err == "warning: the chart has no provenance file\n"


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", "2>/dev/full"])
def test_streams_may_be_closed(closed, serve, chart_dir) -> None:
    place = f"oci://{serve().host}/charts"
    shown = [
        (0, ["push", str(chart_dir), place, "--plain-http", "--mode", "ensure"]),
        (6, ["show", "/no/such/chart"]),
        (2, ["exists", place, "--plain-http", "-u", "robot"]),
        (2, ["login", "registry.example"]),
        (2, ["show"]),
    ]
    for code_wanted, words in shown:
        told = subprocess.run(
            ["bash", "-c", f'"$@" {closed}', "bash", *COMMAND, *words], capture_output=True, text=True, env=CLEAN, input=""
        )
        assert told.returncode == code_wanted and "Traceback" not in told.stderr, (words, told.stderr)
        # What is wrong is told on standard error or not at all.
        assert told.stdout == "" or code_wanted == 0


def test_output_that_cannot_be_written_is_told(chart_dir) -> None:
    done = subprocess.run(
        ["bash", "-c", '"$@" >/dev/full', "bash", *COMMAND, "show", str(chart_dir)], capture_output=True, text=True, env=CLEAN
    )
    assert done.returncode == 1
    assert done.stderr == "oci-chart: what there is to say cannot be written: No space left on device\n"


def test_output_goes_to_any_terminal(chart_dir) -> None:
    (chart_dir / "Chart.yaml").write_text("apiVersion: v2\nname: web\nversion: 1.0.0\ndescription: Grüße ✓\n")
    for encoding, shown in [("utf-8", "Grüße ✓"), ("latin-1", "Grüße \\u2713"), ("ascii", "Gr\\xfc\\xdfe \\u2713")]:
        done = subprocess.run(
            [*COMMAND, "show", str(chart_dir)], capture_output=True, encoding=encoding, env=CLEAN | {"PYTHONIOENCODING": encoding}
        )
        assert done.returncode == 0 and f"description: {shown}\n" in done.stdout


def test_names_of_files_may_be_any_bytes(chart_dir, tmp_path) -> None:
    into = os.fsencode(tmp_path) + b"/o\xff \xc3\xbc"
    done = subprocess.run(
        [*COMMAND, "package", chart_dir, "-d", into], capture_output=True, env=CLEAN | {"PYTHONIOENCODING": "utf-8"}
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"path: " + into + b"/web-1.0.0.tgz\n")
    assert os.path.exists(into + b"/web-1.0.0.tgz")


def test_waits_are_told(serve, chart_dir) -> None:
    registry = serve("--throttle", "1:1")
    done = run("push", str(chart_dir), f"oci://{registry.host}/charts", "--plain-http", "--json")
    assert done.code == 0 and json.loads(done.out)["action"] == "pushed"
    assert done.err.startswith("waiting: ") and "429" in done.err


def test_a_reader_that_has_seen_enough(chart_dir, tmp_path) -> None:
    done = subprocess.run(
        ["bash", "-c", 'set -o pipefail; "$@" | true', "bash", *COMMAND, "show", str(chart_dir)],
        capture_output=True,
        text=True,
        env=CLEAN,
    )
    assert done.returncode in (0, 1) and done.stderr == ""


def test_the_script_is_the_module(tmp_path) -> None:
    script = pathlib.Path(sysconfig.get_path("scripts")) / "oci-chart"
    done = subprocess.run([script, "--version"], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout == run("--version").out


def test_a_start_is_cheap() -> None:
    """The modules that take longest are not needed for a push."""
    text = "import sys; from oci_chart._command.parser import build; build(['push', '--help']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-c", text], capture_output=True, text=True, check=True)
    dear = {"dataclasses", "inspect", "json", "pathlib", "shutil", "typing", "getpass", "logging"}
    assert not dear & set(done.stdout.split())


def test_the_readmes_tell_the_codes_and_the_verbs() -> None:
    text = (ROOT / "README.md").read_text()
    told = {int(number): what for number, what in re.findall(r"^\| (\d+) \| (.+) \|$", text, re.MULTILINE)}
    assert told == code.MEANING
    assert all(f"`{verb.name}" in text for verb in VERBS)


def test_connections_are_as_the_options_say(serve, chart_dir, tmp_path) -> None:
    registry = serve("--tls")
    base = f"oci://{registry.host}/charts"
    authority = str(ROOT / "oci-chart-core/testkit/fixtures/tls/authority.pem")
    stranger = run("push", str(chart_dir), base, "--json")
    assert stranger.code == 1 and json.loads(stranger.out)["error"]["kind"] == "tls"
    assert run("push", str(chart_dir), base, "--ca-file", authority).code == 0
    for insecure in ["--insecure-skip-tls-verify", "--insecure"]:
        assert run("versions", f"{base}/web", insecure).out == "1.0.0\n"
    mutual = f"oci://{serve('--mutual-tls').host}/charts"
    shown = ("--cert-file", authority.replace("authority", "certificate"), "--key-file", authority.replace("authority", "key"))
    assert run("push", str(chart_dir), mutual, "--ca-file", authority).code in (1, 7)
    assert run("push", str(chart_dir), mutual, "--ca-file", authority, *shown).code == 0
    assert "cli/" in registry.log()[-1]["user_agent"]
    assert run("versions", f"{base}/web", "--cert-file", authority).code == 2
    assert run("versions", f"{base}/web", "--ca-file", str(tmp_path / "absent")).code == 6


def test_a_call_ends_after_its_time(serve) -> None:
    registry = serve()
    registry.tell("fault GET * 1 delay 20000")
    done = run("versions", f"oci://{registry.host}/charts/web", "--plain-http", "--timeout", "0.3", "--json")
    assert done.code == 7 and json.loads(done.out)["error"]["kind"] == "timeout"
