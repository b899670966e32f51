"""The commands in a pseudo-terminal: questions, progress, colors, sign-in; and killed in the middle."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
from auth.signing import press
from cli.conftest import HANDLE, Terminal

pytestmark = pytest.mark.skipif(os.name == "nt", reason="pseudo-terminals and signals of POSIX")
COLOR = r"\x1b\[[0-9;]*3[0-9;]*m"


def test_it_asks_after_the_plan_and_takes_no_for_an_answer(shell, draft_file):
    command = ["publish", draft_file("asked"), "--handle", HANDLE, "--no-probe"]
    for answer in ("n", "", "what?"):
        terminal = Terminal(shell, *command)
        terminal.read(r"publish: asked[\s\S]*Publish 1 image\? They can be neither corrected nor deleted\. \[y/N\]")
        terminal.type(answer)
        assert terminal.end() == 1 and "Nothing was sent" in terminal.text
    assert "asked" not in shell.images()
    terminal = Terminal(shell, *command)
    terminal.read(r"\[y/N\]")
    terminal.type("y")
    assert terminal.end() == 0 and "published: asked" in terminal.text
    assert shell.images().count("asked") == 1


@pytest.mark.parametrize("colors", [True, False])
def test_progress_is_shown_and_no_color_is_obeyed(shell, box, draft_file, colors):
    if not colors:
        shell.environment["NO_COLOR"] = "1"
    files = [draft_file(f"bar {colors} {number}") for number in range(3)]
    box.faults.next("delay", method="POST", path="/handle/*/image", times=3, seconds=0.5)
    terminal = Terminal(shell, "publish", *files, "--handle", HANDLE, "--no-probe", "--yes")
    terminal.read(r"Publishing[^\n]*0/3")
    assert terminal.end() == 0
    assert bool(re.search(COLOR, terminal.text)) is colors


def test_a_user_signs_in_with_the_device_flow_and_stays_signed_in(shell, box):
    shell.environment["CONSTELLATIONS_TOKEN"] = ""
    box.identity.device_interval = 0.1
    terminal = Terminal(shell, "sign-in")
    terminal.read("Waiting")
    press(terminal.read(r"(http://\S+/device\S*)")[1])
    assert terminal.end() == 0 and f"Signed in at {box.api_url}" in terminal.text
    assert "eyJ" not in terminal.text
    assert shell.run("scenes", "list", HANDLE).returncode == 0
    assert shell.run("sign-out").returncode == 0
    done = shell.run("scenes", "list", HANDLE)
    assert done.returncode == 1 and "Not signed in" in done.stderr


def test_killed_in_the_middle_and_run_again_each_image_is_there_once(shell, box, draft_file):
    notes = [f"killed {number}" for number in range(40)]
    command = ["publish", *map(draft_file, notes), "--handle", HANDLE, "--no-probe", "--yes"]
    box.faults.at_random(rate=1, seed=0, kinds=["delay"], seconds=0.3, path="/handle/*/image")
    try:
        process = shell.start(*command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not any(note in notes for note in shell.images()):
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
    finally:
        box.faults.clear()
    assert len(set(shell.images()) & set(notes)) < len(notes)  # some were left
    time.sleep(0.5)  # the server finishes the requests that it had begun
    done = shell.run(*command, "--resend-unclear")
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(note for note in shell.images() if note in notes) == sorted(notes)


def test_an_interrupt_stops_sending_and_the_same_command_continues(shell, box, draft_file):
    notes = [f"interrupted {number}" for number in range(40)]
    command = ["publish", *map(draft_file, notes), "--handle", HANDLE, "--no-probe", "--yes"]
    box.faults.at_random(rate=1, seed=0, kinds=["delay"], seconds=0.3, path="/handle/*/image")
    try:
        with shell.start(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            while not any(note in notes for note in shell.images()):
                assert process.poll() is None
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        assert process.returncode == 130 and "Traceback" not in out + err
        assert "Run the same command again" in err
    finally:
        box.faults.clear()
    assert shell.run(*command).returncode == 0
    assert sorted(note for note in shell.images() if note in notes) == sorted(notes)


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="the list of processes of Linux")
def test_no_token_stands_in_the_list_of_processes(shell, box, draft_file):
    box.faults.next("delay", method="POST", path="/handle/*/image", seconds=1)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with shell.start("publish", draft_file("ps"), "--handle", HANDLE, "--no-probe", "--yes", **pipes) as process:
        while not (line := Path(f"/proc/{process.pid}/cmdline").read_text()):  # what `ps` shows; empty at first
            assert process.poll() is None
            time.sleep(0.01)
        out, _ = process.communicate(timeout=60)
    assert "publish" in line and shell.token not in line
    assert process.returncode == 0 and shell.token not in out
