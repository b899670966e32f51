"""A server of files with ranges, on this machine, which fails as real ones do; and a small file that looks like an index file."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TypeVar

import numpy as np
from astropy.io import fits

from constellations_widgets.solving.downloads import IndexDownload, RemoteIndex
from constellations_widgets.solving.indexes import Tile

Server = TypeVar("Server", bound=ThreadingHTTPServer)


def index_bytes(folder: Path, tile: Tile | None = None, seed: int = 0) -> bytes:
    """Return the bytes of a FITS file with the header of an index file and 200 kB of other data."""
    header = fits.Header({"INDEXID": 5204, "NSTARS": 12, "SCALE_L": 0.0023, "SCALE_U": 0.0032})
    header["HEALPIX"], header["HPNSIDE"] = (tile.number, tile.nside) if tile else (-1, 0)
    data = np.random.default_rng(seed).integers(0, 255, 200_000, dtype=np.uint8)
    table = fits.BinTableHDU.from_columns([fits.Column("quads", "B", array=data)])
    path = folder / f"made{seed}.fits"
    fits.HDUList([fits.PrimaryHDU(header=header), table]).writeto(path)
    return path.read_bytes()


class IndexServer(ThreadingHTTPServer):
    """Serves `files`; `answers` replaces what is sent, and `ranges` are the Range headers that were received."""

    daemon_threads = True

    def __init__(self, files: dict[str, bytes]):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files, self.ranges, self.sent = files, list[str](), 0
        self.most = 1 << 30
        """Bytes after which each connection is cut."""
        self.with_ranges = True
        self.statuses: list[int] = []
        """Statuses of the next responses, instead of 200 and 206."""
        self.on_part: Callable[[int], None] = lambda sent: None
        """Called with the bytes that were sent, every 16 kB."""
        self.lock = threading.Lock()

    def remote(self, name: str, tile: Tile | None = None, size: int | None = None) -> RemoteIndex:
        """Return how a client knows a file."""
        return RemoteIndex(f"http://127.0.0.1:{self.server_port}/{name}", size or len(self.files[name]), tile)

    def download(self, folder: Path, *names: str) -> IndexDownload:
        """Return the download of files, by default of all."""
        remotes = tuple(self.remote(name) for name in names or self.files)
        return IndexDownload(remotes, folder, "pictures of a test")


class _Handler(BaseHTTPRequestHandler):
    server: IndexServer

    def do_GET(self) -> None:
        server = self.server
        asked = self.headers.get("Range", "")
        server.ranges.append(asked)
        content = server.files.get(self.path.lstrip("/"))
        if content is None or server.statuses:
            self.send_error(server.statuses.pop(0) if server.statuses else 404)
            return
        match = re.fullmatch(r"bytes=(\d+)-", asked) if server.with_ranges else None
        start = int(match[1]) if match else 0
        if start >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if match else 200)
        if match:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        end = min(len(content), start + server.most)
        for at in range(start, end, 1 << 14):
            part = content[at : min(end, at + (1 << 14))]
            self.wfile.write(part)
            with server.lock:
                server.sent += len(part)
            server.on_part(server.sent)
        self.close_connection = True

    def log_message(self, *_args: object) -> None:
        """Print nothing."""


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    """Serve in a thread until the end of the block."""
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def index_server(files: dict[str, bytes]) -> Iterator[IndexServer]:
    """Serve files until the end of the block."""
    with serving(IndexServer(files)) as server:
        yield server
