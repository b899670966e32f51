"""Run as a program: an HTTP server that keeps what it is sent in a file, and is slow to say so. It needs no token.

`python tests/soak/backend.py PORT FILE SECONDS`: a write is on disk at once, and answered after so many seconds. Started again with
the same file, it has the same records. It is the simulator's server model (`adversary/world.py`) on a real socket.
"""

from __future__ import annotations

import http.server
import json
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from adversary.scenario import Scenario
from adversary.world import Request, World


class Backend:
    """The records, and the file that keeps the writes of which they were made."""

    def __init__(self, file: Path, seconds: float):
        self.seconds = seconds
        self._world = World(Scenario(), later=lambda *_: None)
        self._lock = threading.Lock()
        for line in file.read_text().splitlines() if file.exists() else ():
            self._world.serve(_request(*json.loads(line)))
        self._file = file.open("a")

    def serve(self, method: str, path: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """Do what is asked for; return status, headers and content."""
        request = _request(method, path, body.decode())
        with self._lock:
            self._world.now = time.time()
            if request.kind == "write":
                self._file.write(json.dumps([method, path, body.decode()]) + "\n")
                self._file.flush()
            _, status, headers, content = self._world.serve(request)
        if request.kind == "write":
            time.sleep(self.seconds)
        return status, headers, content


def _request(method: str, path: str, body: str) -> Request:
    return Request(0, 0, method, path, body.encode(), 0.0)


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers as Node does: connections are kept for 5 s."""

    protocol_version = "HTTP/1.1"
    timeout = 5
    backend: Backend

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, headers, content = self.backend.serve(self.command, self.path, body)
        self.send_response_only(status)
        headers |= {"Content-Length": str(len(content)), "Keep-Alive": "timeout=5"}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PATCH = _serve  # noqa: N815  (names of http.server)

    def log_message(self, *_: object) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    """A server that many connect to at once, some of whom go away."""

    request_queue_size = 128

    def handle_error(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    Handler.backend = Backend(Path(sys.argv[2]), float(sys.argv[3]))
    Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
