"""`make demo`: one address to open, the sandbox beside it, and nothing left behind by Ctrl-C."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from ports import free_port

DEMO = Path(__file__).parents[1] / "notebooks" / "demo.py"


@pytest.fixture
def sandbox_port() -> int:
    return free_port()


@pytest.fixture
def demo(tmp_path: Path, sandbox_port: int) -> Iterator[subprocess.Popen[str]]:
    process = start_demo(tmp_path, sandbox_port)
    yield process
    process.terminate()  # a demo that is killed leaves its JupyterLab
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
    process.wait()


def start_demo(folder: Path, sandbox_port: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(DEMO)],
        env=os.environ | {"CXW_DEMO_DIR": str(folder), "HOME": str(folder), "CXW_DEMO_SANDBOX_PORT": str(sandbox_port)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def address_of(process: subprocess.Popen[str]) -> str:
    for line in process.stdout:
        if found := re.search(r"http://\S+", line):
            return found[0]
    raise AssertionError("it printed no address")


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def token_in(address: str) -> str:
    return re.search(r"token=(\w+)", address)[1]


def call(url: str, address: str, body: bytes | None = None) -> dict:
    headers = {"Authorization": f"token {token_in(address)}", "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=30) as answer:
        return json.load(answer)


def descendants(pid: int) -> set[int]:
    children = [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]
    return {pid}.union(*(descendants(child) for child in children))


def command_lines_and_environments(pid: int) -> tuple[list[bytes], list[str]]:
    started = [Path(f"/proc/{each}") for each in descendants(pid)]
    lines = [(each / "cmdline").read_bytes() for each in started]
    return lines, [(each / "environ").read_bytes().decode() for each in started]


def check_that_no_command_line_holds_a_token(process: subprocess.Popen[str], address: str, folder: Path) -> None:
    call(f"http://{urlsplit(address).netloc}/api/kernels", address, b"{}")
    lines, environments = command_lines_and_environments(process.pid)
    for program in (b"ipykernel", b"jupyterlab"):
        assert any(program in line for line in lines)
    told = json.loads(
        next(re.search(r"CXW_SANDBOX=([^\0]+)", text)[1] for text in environments if "CXW_SANDBOX=" in text)
    )
    secrets = [token_in(address), *(told[name] for name in ("_token", "_images_token", "_images_password"))]
    assert [secret for secret in secrets for line in lines if secret.encode() in line] == []
    assert not any(token_in(address) in text for text in environments)
    assert {(folder / name).stat().st_mode & 0o777 for name in ("token", "jupyter.log")} == {0o600}
    assert token_in(address) not in (folder / "jupyter.log").read_text()


def test_it_serves_the_tutorial_ends_with_all_it_started_and_has_tomorrow_what_was_published(
    demo, tmp_path, sandbox_port
):
    address = address_of(demo)
    site = urlsplit(address)
    root = f"http://{site.netloc}/api/contents"
    names = {entry["name"] for entry in call(root, address)["content"]}
    assert {"tutorial.ipynb", "data"} <= names
    data = {entry["name"] for entry in call(f"{root}/data", address)["content"]}
    assert data == {"hubble.jpg", "hxdf", "m101.fits", "survey"}
    if Path("/proc/self/task").is_dir():  # elsewhere the system shows no command lines
        check_that_no_command_line_holds_a_token(demo, address, tmp_path)
    record = f"http://127.0.0.1:{sandbox_port}/handle/sandbox"
    with urllib.request.urlopen(record, timeout=30) as answer:
        yesterday = json.load(answer)
    demo.send_signal(signal.SIGINT)
    assert demo.wait(120) == 0  # long enough for a busy machine; a demo that hangs still fails
    assert not is_listening(site.port)

    today = start_demo(tmp_path, sandbox_port)
    try:
        address_of(today)
        with urllib.request.urlopen(record, timeout=30) as answer:
            assert json.load(answer) == yesterday
    finally:
        today.send_signal(signal.SIGINT)
        today.communicate(timeout=120)


@pytest.mark.skipif(not shutil.which("make"), reason="there is no make on this machine")
def test_make_names_its_commands():
    told = subprocess.run(["make", "help"], cwd=DEMO.parents[1], capture_output=True, text=True, check=True).stdout
    assert {"make demo", "make test", "make bench"} <= set(re.findall(r"make \w+", told))
