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

DEMO = Path(__file__).parents[1] / "notebooks" / "demo.py"


@pytest.fixture
def sandbox_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


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


def test_it_serves_the_tutorial_with_its_data_and_ends_with_all_it_started(demo, tmp_path):
    address = address_of(demo)
    site = urlsplit(address)
    root = f"http://{site.netloc}/api/contents"
    names = {entry["name"] for entry in call(root, address)["content"]}
    assert {"tutorial.ipynb", "data"} <= names
    data = {entry["name"] for entry in call(f"{root}/data", address)["content"]}
    assert data == {"hubble.jpg", "hxdf", "m101.fits", "survey"}
    demo.send_signal(signal.SIGINT)
    assert demo.wait(120) == 0  # long enough for a busy machine; a demo that hangs still fails
    assert not is_listening(site.port)


def test_what_was_published_yesterday_is_at_the_same_address_today(demo, tmp_path, sandbox_port):
    address_of(demo)
    record = f"http://127.0.0.1:{sandbox_port}/handle/sandbox"
    with urllib.request.urlopen(record, timeout=30) as answer:
        yesterday = json.load(answer)
    demo.send_signal(signal.SIGINT)
    assert demo.wait(120) == 0
    today = start_demo(tmp_path, sandbox_port)
    try:
        address_of(today)
        with urllib.request.urlopen(record, timeout=30) as answer:
            assert json.load(answer) == yesterday
    finally:
        today.send_signal(signal.SIGINT)
        today.communicate(timeout=120)


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="this system shows no command lines in /proc")
def test_no_command_line_holds_a_token(demo, tmp_path):
    address = address_of(demo)
    call(f"http://{urlsplit(address).netloc}/api/kernels", address, b"{}")
    started = descendants(demo.pid)
    lines = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in started}
    assert (
        sum(b"ipykernel" in line for line in lines.values()) >= 1
        and sum(b"jupyterlab" in line for line in lines.values()) >= 1
    )
    environments = [Path(f"/proc/{pid}/environ").read_bytes().decode() for pid in started]
    told = json.loads(
        next(re.search(r"CXW_SANDBOX=([^\0]+)", text)[1] for text in environments if "CXW_SANDBOX=" in text)
    )
    secrets = [token_in(address), *(told[name] for name in ("_token", "_images_token", "_images_password"))]
    assert [secret for secret in secrets for line in lines.values() if secret.encode() in line] == []
    assert not any(token_in(address) in text for text in environments)
    assert {(tmp_path / name).stat().st_mode & 0o777 for name in ("token", "jupyter.log")} == {0o600}
    assert token_in(address) not in (tmp_path / "jupyter.log").read_text()


@pytest.mark.skipif(not shutil.which("make"), reason="there is no make on this machine")
def test_make_names_its_commands():
    told = subprocess.run(["make", "help"], cwd=DEMO.parents[1], capture_output=True, text=True, check=True).stdout
    assert {"make demo", "make test", "make bench"} <= set(re.findall(r"make \w+", told))
