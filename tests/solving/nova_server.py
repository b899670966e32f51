"""A server with the API of nova.astrometry.net, which solves with this package's own engine.

Follows astrometry.net's ``net/api.py`` and ``net/process_submissions.py``: errors have status 200; JSON is sent as text/plain;
a submission has no job until it is taken from the queue, then a job that solves; files lie outside of /api.
"""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import numpy as np
from astropy.io import fits
from solving.index_server import serving

from constellations_widgets import SolveError
from constellations_widgets.solving.detection import DetectedStars
from constellations_widgets.solving.engine import solve_stars
from constellations_widgets.solving.solution import Solution

KEY = "xyzzy-secret-key-of-nova"
SESSION = "session-secret-of-nova"


class NovaServer(ThreadingHTTPServer):
    """Holds what was submitted; `queue` is how many answers say that there is no job yet."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.submitted: dict[str, object] = {}
        self.size = 0
        self.queue = 1
        self.broken = 0
        """How many requests are answered with 502 from now on."""
        self.asked: list[str] = []
        self.reached = threading.Event()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def solution(self) -> Solution:
        given = self.submitted
        x, y = np.array(given["x"]) - 0.5, given["image_height"] - np.array(given["y"]) + 0.5
        stars = DetectedStars((given["image_width"], given["image_height"]), x, y, np.linspace(1000, 10, len(x)))
        hints = {}
        if "center_ra" in given:
            hints["near"] = [given["center_ra"], given["center_dec"], given["radius"]]
        if "scale_lower" in given:
            assert (given["scale_units"], given["scale_type"]) == ("degwidth", "ul")
            hints["widths"] = [given["scale_lower"], given["scale_upper"]]
        return solve_stars(stars, hints, lambda _part, _text: None)


class _Handler(BaseHTTPRequestHandler):
    server: NovaServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append(self.path)
        given = json.loads(parse_qs(body.decode())["request-json"][0])
        if self.path == "/api/login":
            if given.get("apikey") != KEY:
                self._json({"status": "error", "errormessage": "bad apikey"})
                return
            self._json({"status": "success", "message": "authenticated user: me@example.org", "session": SESSION})
        elif self.path == "/api/upload":
            if given.pop("session") != SESSION:
                self._json({"status": "error", "errormessage": f'no session with key "{SESSION}"'})
                return
            self.server.submitted, self.server.size = given, len(body)
            self._json({"status": "success", "subid": 17, "hash": "6024b45a16bfb5af7a73735cbabdf2b462c11214"})
        else:
            self.send_error(404)

    def do_GET(self) -> None:
        server = self.server
        server.asked.append(self.path)
        server.reached.set()
        if server.broken:
            server.broken -= 1
            self.send_error(502)
        elif self.path == "/api/submissions/17":
            waiting = server.queue > 0
            server.queue -= 1
            started = "None" if waiting else "2026-11-30 09:00:00.000000"
            self._json(
                {"user": 1, "processing_started": started, "processing_finished": started, "user_images": [] if waiting else [3],
                 "images": [], "jobs": [] if waiting else [None] if server.queue == -1 else [23], "job_calibrations": []}
            )  # fmt: skip
        elif self.path == "/api/jobs/23":
            try:
                server.solution()
            except SolveError:
                self._json({"status": "failure"})
            else:
                self._json({"status": "solving" if server.asked.count(self.path) == 1 else "success"})
        elif self.path == "/wcs_file/23":
            header = server.solution().plane.cards()
            self._send(fits.Header(list(header.items())).tostring().encode(), "application/fits")
        elif self.path == "/corr_file/23":
            stars = server.solution().stars
            columns = [
                fits.Column(name, "D", array=np.array([getattr(star, field) for star in stars]))
                for name, field in (("index_ra", "ra"), ("index_dec", "dec"))
            ]
            file = io.BytesIO()
            fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns(columns)]).writeto(file)
            self._send(file.getvalue(), "application/fits")
        else:
            self.send_error(404)

    def _json(self, content: dict[str, object]) -> None:
        self._send(json.dumps(content).encode(), "text/plain")

    def _send(self, content: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_args: object) -> None:
        """Print nothing."""


@contextmanager
def nova_server() -> Iterator[NovaServer]:
    """Run the server until the end of the block."""
    with serving(NovaServer()) as server:
        yield server
