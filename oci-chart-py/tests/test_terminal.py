"""The command on a terminal, where a person sits."""

import json
import os
import signal
import subprocess
import time

from command import CLEAN, COMMAND, Terminal, run


def test_a_bar_is_shown_and_taken_away(serve, chart_dir) -> None:
    registry = serve()
    (chart_dir / "noise").write_bytes(os.urandom(3 << 20))
    terminal = Terminal(*COMMAND, "push", str(chart_dir), f"oci://{registry.host}/charts", "--plain-http")
    terminal.expect(r"\[[#.]{24}\] +\d+% of 3\.\d MiB")
    terminal.expect(r"\r\x1b\[K(?!\[)")
    terminal.expect("action: pushed")
    assert terminal.end() == 0
    quiet = run("pull", f"oci://{registry.host}/charts/web", "--plain-http", "-d", str(chart_dir))
    assert quiet.code == 0 and quiet.err == ""


def test_a_password_is_asked_for_and_not_shown(serve) -> None:
    registry = serve("--basic", "robot:pass word")
    terminal = Terminal(*COMMAND, "exists", f"oci://{registry.host}/charts/web", "--plain-http", "-u", "robot")
    terminal.expect("Password: ")
    terminal.write("pass word\n")
    terminal.expect("exists: false")
    assert terminal.end() == 6
    assert "pass word" not in terminal.seen


def test_questions_may_go_unanswered(serve, tmp_path) -> None:
    registry = serve("--basic", "robot:pass word")
    exists = ("exists", f"oci://{registry.host}/charts/web", "--plain-http", "-u", "robot")
    login = ("login", registry.host, "--plain-http")
    for words, question, answer, code, said in [
        (exists, "Password: ", "\x04", 2, "no password was given"),
        (exists, "Password: ", "\x03", 130, ""),
        (login, "Username: ", "\x04", 2, "no name was given"),
        (login, "Username: ", "\n", 2, "no name was given"),
        (login, "Username: ", "\x03", 130, ""),
    ]:
        terminal = Terminal(*COMMAND, *words, env={"HOME": str(tmp_path)})
        terminal.expect(question)
        # The terminal has its mode by then.
        time.sleep(0.2)
        terminal.write(answer)
        assert terminal.end() == code and said in terminal.seen and "Traceback" not in terminal.seen, words


def test_ctrl_c_ends_it_soon(serve, chart_dir) -> None:
    registry = serve()
    registry.tell("fault PUT * 1 delay 20000")
    command = [*COMMAND, "push", str(chart_dir), f"oci://{registry.host}/charts", "--plain-http", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=CLEAN)
    deadline = time.monotonic() + 20
    seen: list[dict[str, object]] = []
    while not any(exchange["method"] in ("POST", "PUT") for exchange in seen) and time.monotonic() < deadline:
        time.sleep(0.05)
        seen += registry.log()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130 and "Traceback" not in err
    assert out == "" or "error" in json.loads(out)
