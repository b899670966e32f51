"""What one publication of a batch takes, journal and all, beside the official client and beside bare sockets.

All three publish what is decided already to the same `yes_server.py`, one after the other within each round. Before the
clock runs they have signed in and have their connections, ours and the official client by publishing. The journal lies
in `build/`, since a temporary folder may not be on a disk. The official client has an environment of its own, which
`official_python` makes, and signs in at a sandbox.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue
from urllib.parse import urlsplit

from benchmarks.measure import Figure, seconds
from examples import TILED
from official_python import official_python

from constellations_widgets import Constellations, ImageDraft
from constellations_widgets.publishing import Batch, Journal, plan
from constellations_widgets.sandbox import Sandbox
from constellations_widgets.schema.records import Handle
from constellations_widgets.sources.reading import ParsedImage

ROOT = Path(__file__).parents[2]
BROWSER = "import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=30).read()"
HANDLE, THREADS, COUNT, ROUNDS, EARLIER = "sandbox", 32, 300, 9, 5000
LIMITS = {0: 0.6, 50: 1 / 14}
"""Of the ratio to the official client, by the server's delay in ms."""


def figures() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(dir=_build()) as folder:
        for delay, limit in LIMITS.items():
            yield from _with_delay(delay, limit, Path(folder))
        drafts, client, journal = _drafts(1000), _NoNetwork("http://127.0.0.1:1"), Journal(Path(folder) / "plan")
        for body in _bodies(EARLIER):
            journal.published(journal.claim(client.api_url, HANDLE, "", body).key, "0" * 24, "/image/1")
        taken = seconds(lambda: plan(drafts, client, HANDLE, journal=journal, probe=False))
        what = f"a plan for 1,000 drafts, beyond the network, after {EARLIER:,} publications"
        yield Figure(what, "ms", 1000 * taken, at_most=1000)


def _with_delay(delay: int, limit: float, folder: Path) -> Iterator[Figure]:
    with _yes_server(delay / 1000) as api_url, Sandbox() as box, Constellations(api_url, box.token()) as client:
        ways: dict[str, Callable[[], float]] = {
            "ours": lambda: _ours(client, Journal(folder / "journal"), COUNT),
            "sockets": lambda: _sockets(api_url, box.token(), COUNT),
            "official": lambda: _official(api_url, box, folder, COUNT // 5),
        }
        rounds = [{name: way() for name, way in ways.items()} for _ in range(ROUNDS)]
    each = {name: 1000 * statistics.median(taken[name] for taken in rounds) for name in ways}
    what = f"a publication, server delay {delay} ms"
    yield Figure(f"{what}; peer: official client", "ms", each["ours"], each["official"], at_most=limit)
    yield Figure(f"{what}; peer: bare sockets", "ms", each["ours"], each["sockets"])


@contextlib.contextmanager
def _yes_server(delay: float) -> Iterator[str]:
    command = [sys.executable, str(Path(__file__).with_name("yes_server.py")), str(delay)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield f"http://127.0.0.1:{server.stdout.readline().strip()}"
        finally:
            server.terminate()


def _drafts(count: int) -> list[ImageDraft]:
    """Drafts that no other round has."""
    turn = uuid.uuid4().hex
    urls = (f"https://example.org/{turn}/{number}/{{1}}/{{3}}/{{3}}_{{2}}.png" for number in range(count))
    return [ImageDraft(ParsedImage(TILED | {"storage.legacy_url_template": url}), autosave=False) for url in urls]


def _bodies(count: int) -> list[bytes]:
    return [draft.submission().to_json() for draft in _drafts(count)]


def _ours(client: Constellations, journal: Journal, count: int) -> float:
    _batch(client, journal, THREADS)
    return _batch(client, journal, count)


def _batch(client: Constellations, journal: Journal, count: int) -> float:
    """Seconds of one publication."""
    steps = plan(_drafts(count), _NoNetwork(client.api_url), HANDLE, journal=journal, probe=False)
    batch = Batch(steps, client, threads=THREADS, anyway=True, journal=journal)

    def publish() -> None:
        batch.start()
        batch.wait()

    taken = seconds(publish)
    assert batch.counts == {"published": count}, batch
    return taken / count


def _sockets(api_url: str, token: str, count: int) -> float:
    """The limit: connections that are kept open, the same bodies, and nothing else."""
    place = urlsplit(api_url).netloc
    head = f"POST /handle/{HANDLE}/image HTTP/1.1\r\nHost: {place}\r\nAuthorization: Bearer {token}\r\n"
    head += "Content-Type: application/json\r\nContent-Length: "
    requests: SimpleQueue[bytes | None] = SimpleQueue()
    for body in _bodies(count):
        requests.put(f"{head}{len(body)}\r\n\r\n".encode() + body)
    published: list[str] = []

    connections = [http.client.HTTPConnection(place) for _ in range(THREADS)]
    [connection.connect() for connection in connections]

    def work(connection: http.client.HTTPConnection) -> None:
        while (request := requests.get()) is not None:
            connection.sock.sendall(request)
            answer = http.client.HTTPResponse(connection.sock)
            answer.begin()
            published.append(json.loads(answer.read())["id"])

    threads = [threading.Thread(target=work, args=[connection]) for connection in connections]
    for _ in threads:
        requests.put(None)

    def publish() -> None:
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]

    taken = seconds(publish)
    [connection.close() for connection in connections]
    assert len(published) == count
    return taken / count


def _official(api_url: str, box: Sandbox, folder: Path, count: int) -> float:
    """Seconds of one publication, in a process of its own; it signs in before the clock runs."""
    environment = {
        "HOME": str(folder),
        "PATH": os.environ.get("PATH", ""),
        "NUXT_PUBLIC_API_URL": api_url,
        "NUXT_PUBLIC_KEYCLOAK_URL": box.keycloak_url,
        "BROWSER": f"{shlex.join([sys.executable, '-c', BROWSER])} %s &",
    }
    command = [str(official_python()), str(Path(__file__).with_name("official_publishing.py")), HANDLE]
    said = subprocess.run(
        command, input=b"\n".join(_bodies(count + 1)), env=environment, capture_output=True, check=True
    )
    return float(said.stdout.splitlines()[-1]) / count


class _NoNetwork(Constellations):
    """Answers at once that nothing is there."""

    def __init__(self, api_url: str):
        super().__init__(api_url, "token")

    def handle(self, handle: str) -> Handle:
        return Handle(handle=handle)

    def may_add_images(self, handle: str) -> bool:
        return True

    def find_images(self, url: str) -> list:
        return []


def _build() -> Path:
    folder = ROOT / "build"
    folder.mkdir(exist_ok=True)
    return folder
