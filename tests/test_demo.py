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
def demo(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, str(DEMO)],
        env=os.environ | {"CXW_DEMO_DIR": str(tmp_path), "HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    yield process
    process.kill()
    process.wait()


def address_of(process: subprocess.Popen[str]) -> str:
    for line in process.stdout:
        if found := re.search(r"http://\S+", line):
            return found[0]
    raise AssertionError("it printed no address")


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def call(url: str, address: str) -> dict:
    token = re.search(r"token=(\w+)", address)[1]
    with urllib.request.urlopen(
        urllib.request.Request(url, headers={"Authorization": f"token {token}"}), timeout=30
    ) as answer:
        return json.load(answer)


def test_it_serves_the_tutorial_with_its_data_and_ends_with_all_it_started(demo, tmp_path):
    address = address_of(demo)
    site = urlsplit(address)
    root = f"http://{site.netloc}/api/contents"
    names = {entry["name"] for entry in call(root, address)["content"]}
    assert {"tutorial.ipynb", "data"} <= names
    assert {entry["name"] for entry in call(f"{root}/data", address)["content"]} == {"hxdf", "m101.fits"}
    demo.send_signal(signal.SIGINT)
    assert demo.wait(30) == 0
    assert not is_listening(site.port)


@pytest.mark.skipif(not shutil.which("make"), reason="there is no make on this machine")
def test_make_names_its_commands():
    told = subprocess.run(["make", "help"], cwd=DEMO.parents[1], capture_output=True, text=True, check=True).stdout
    assert {"make demo", "make test", "make bench"} <= set(re.findall(r"make \w+", told))
