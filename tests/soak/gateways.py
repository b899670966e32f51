"""Publishing through real gateways: Debian's Varnish and nginx before an HTTP server that is slow, or is started again meanwhile.

Both answer 503 with Retry-After to requests that the server has carried out. As root, what is missing is installed with apt-get.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from adversary.program import draft_of
from adversary.scenario import Image
from debian_packages import install
from ports import free_port

from constellations_widgets import Constellations
from constellations_widgets.errors import ConstellationsError, UnclearError
from constellations_widgets.publishing import Journal, publish_all, publish_draft, publish_scene, settle_all

PROGRAMS = {"varnishd": "varnish", "nginx": "nginx-light"}
"""Debian's package of each program."""
PATIENCE = 90.0
"""Seconds in which everything unclear has to be settled."""

_VCL = """
vcl 4.1;
backend default {{ .host = "127.0.0.1"; .port = "{port}"; .first_byte_timeout = {seconds}s; }}
"""
NGINX_HEAD = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
"""
"""Beginning of a configuration of nginx whose files lie in one folder; the block http is left open."""
_NGINX = (
    "user root;"
    + NGINX_HEAD
    + """    server {{
        listen 127.0.0.1:{listen};
        location / {{
            proxy_pass http://127.0.0.1:{port};
            proxy_read_timeout {seconds}s;
            error_page 502 504 =503 /busy;
        }}
        location = /busy {{ internal; add_header Retry-After 2 always; return 503 "busy"; }}
    }}
}}
"""
)


@dataclass
class Outcome:
    """What came of it. All is well if `wrongs` is empty; `skipped` says why nothing was done."""

    skipped: str = ""
    writes: int = 0
    unclear: int = 0
    duplicates: int = 0
    lost: int = 0
    runs: list[str] = field(default_factory=list)
    wrongs: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        if self.skipped:
            return f"Gateways: skipped. {self.skipped}"
        figures = f"{self.writes} publications, {self.unclear} answered unclearly, {self.duplicates} duplicates, {self.lost} lost"
        return "\n".join([f"Gateways ({', '.join(self.runs)}): {figures}", *self.wrongs])


def set_up() -> str:
    """Install what is missing; return why it can't be done, or ""."""
    missing = [package for program, package in PROGRAMS.items() if not shutil.which(program)]
    return install(*missing) if missing else ""


def try_gateways(folder: Path) -> Outcome:
    """Publish through each gateway; `folder` is for files of all programs and the journals."""
    outcome = Outcome(skipped=set_up())
    if outcome.skipped:
        if os.environ.get("CI"):
            outcome.wrongs.append(f"The gateways could not be tried. {outcome.skipped}")
        return outcome
    for name, gateway, seconds, wait, restarts in (
        ("Varnish, first byte after 1 s", varnish, 1.5, 1, False),
        ("Varnish, server restarted", varnish, 0.5, 60, True),
        ("nginx, error_page =503", nginx, 1.5, 1, False),
        ("nginx, server restarted", nginx, 0.5, 60, True),
    ):
        place = folder / str(len(outcome.runs))
        place.mkdir()
        outcome.runs.append(name)
        _try(name, outcome, place, gateway, seconds, wait, restarts)
    return outcome


def _try(
    name: str, outcome: Outcome, folder: Path, gateway: Callable, seconds: float, wait: float, restarts: bool
) -> None:
    with ExitStack() as stack:
        backend = stack.enter_context(Server(folder / "records", seconds))
        url = stack.enter_context(gateway(folder, backend.port, wait))
        if restarts:
            stack.enter_context(backend.restarted_now_and_then())
        client = stack.enter_context(Constellations(url, "a-token"))
        journal = Journal(folder / "journal")
        drafts = [draft_of(Image(url=number, credits=number % 3)) for number in range(12)]
        for draft in drafts[:4]:
            _expecting_trouble(lambda draft=draft: publish_draft(draft, client, "me", probe=False, journal=journal))
        _expecting_trouble(lambda: publish_all(drafts, client, "me", probe=False, threads=4, journal=journal))
        stack.enter_context(backend.in_peace())
        outcome.unclear += len(journal.unsettled())
        _settle(client, journal)
        # What the user sees as unclear now is not there, and sent again.
        batch = publish_all(drafts, client, "me", probe=False, anyway=True, journal=journal)
        batch.resend_unclear()
        batch.wait()
        receipt = publish_scene_surely(batch.receipts[0], client, journal) if batch.receipts else None
        _settle(client, journal)
        outcome.writes += len(drafts) + 1
        if receipt is None:
            outcome.wrongs.append(f"{name}: the scene has no receipt")
        _compare(name, outcome, drafts, client, journal)


def publish_scene_surely(image, client: Constellations, journal: Journal):
    """Make a scene; return its receipt, found later if the outcome was unclear."""
    _expecting_trouble(lambda: publish_scene(image, client, journal=journal))
    _settle(client, journal)
    return next((it.receipt for it in journal.attempts() if it.kind == "scene" and it.receipt), None)


def _expecting_trouble(act: Callable[[], object]) -> None:
    try:
        act()
    except ConstellationsError as error:
        if not isinstance(error, UnclearError):
            print(f"  {type(error).__name__}: {str(error)[:160]}", flush=True)


def _settle(client: Constellations, journal: Journal) -> None:
    end = time.monotonic() + 5
    while journal.unsettled() and time.monotonic() < end:
        _expecting_trouble(lambda: settle_all(client, journal))
        time.sleep(0.5)


def _compare(name: str, outcome: Outcome, drafts: list, client: Constellations, journal: Journal) -> None:
    """Compare the journal with the server's records."""
    published = {it.url: it.image_id for it in journal.attempts() if it.state == "published" and it.kind == "image"}
    for draft in drafts:
        url = draft.storage.legacy_url_template
        ids = [image.id for image in client.find_images(url)]
        outcome.duplicates += max(0, len(ids) - 1)
        outcome.lost += not ids
        if ids != [published.get(url)]:
            outcome.wrongs.append(f"{name}: the server has {ids} of {url}, the journal {published.get(url)}")
    scenes = [scene.id for scene in client.handle_scenes("me")]
    known = [it.image_id for it in journal.attempts() if it.kind == "scene" and it.state == "published"]
    outcome.duplicates += max(0, len(scenes) - 1)
    if scenes != known:
        outcome.wrongs.append(f"{name}: the server has the scenes {scenes}, the journal {known}")
    if open_ones := [it for it in journal.attempts() if it.state in ("sending", "unclear")]:
        outcome.wrongs.append(f"{name}: left open: {open_ones}")


class Server:
    """`backend.py` in a process of its own, which can be killed and started again."""

    def __init__(self, file: Path, seconds: float):
        self.port, self._file, self._seconds = free_port(), file, seconds
        self._ends = threading.Event()
        self._process: subprocess.Popen | None = None

    def __enter__(self) -> Server:
        program = [sys.executable, str(Path(__file__).with_name("backend.py"))]
        self._process = subprocess.Popen([*program, str(self.port), str(self._file), str(self._seconds)])
        wait_for(self.port)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    @contextmanager
    def restarted_now_and_then(self) -> Iterator[None]:
        """Kill it and start it again, every second and a half, while requests are under way."""

        def restart() -> None:
            while not self._ends.wait(1.5):
                self.__exit__()
                self.__enter__()

        thread = threading.Thread(target=restart)
        thread.start()
        try:
            yield
        finally:
            self._ends.set()
            thread.join()

    @contextmanager
    def in_peace(self) -> Iterator[None]:
        """Let it run, and answer at once, from here on."""
        self._ends.set()
        time.sleep(2)
        self._seconds = 0.0
        self.__exit__()
        self.__enter__()
        yield


@contextmanager
def varnish(folder: Path, port: int, seconds: float) -> Iterator[str]:
    """Run Varnish with its built-in rules; yield its address."""
    listen, rules = free_port(), folder / "default.vcl"
    rules.write_text(_VCL.format(port=port, seconds=seconds))
    options = [
        "-F",
        "-j",
        "none",
        "-a",
        f"127.0.0.1:{listen}",
        "-f",
        str(rules),
        "-n",
        str(folder / "varnish"),
        "-s",
        "malloc,16m",
    ]
    with _program(["varnishd", *options], listen):
        yield f"http://127.0.0.1:{listen}"


@contextmanager
def nginx(folder: Path, port: int, seconds: float) -> Iterator[str]:
    """Run nginx, which makes 503 of a timeout; yield its address."""
    listen, rules = free_port(), folder / "nginx.conf"
    rules.write_text(_NGINX.format(folder=folder, listen=listen, port=port, seconds=seconds))
    with _program(["nginx", "-p", str(folder), "-c", str(rules)], listen):
        yield f"http://127.0.0.1:{listen}"


@contextmanager
def _program(command: list[str], port: int) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        yield
    finally:
        process.terminate()
        process.wait(30)


def wait_for(port: int) -> None:
    """Return when something listens on a port. Raises TimeoutError."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise TimeoutError(f"nothing listens on port {port}")
