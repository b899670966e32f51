"""The peer of the preview's figures: pywwt's research app and a tile tree, from a static server, in a plain page."""

from __future__ import annotations

import functools
import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Page

from constellations_widgets.widgets.wwt.app import RESEARCH_APP

# What a page of one's own would do with the app: wait until it listens, load the WTML, show the image, notice when it is there:
# in two frames one after the other, since the tile that was waited for may ask for others. It can do so several times over.
DRIVER = """(() => {
    const { wtml, name, camera, runs = 0, pause = 0 } = JSON.parse(new URLSearchParams(location.search).get('bench'));
    window.alert = () => {}; // the engine's own, when it misses a file
    const say = (message) => window.postMessage(message, location.origin);
    const find = () => {
        const stores = document.querySelector('#app').__vue_app__.config.globalProperties.$pinia._s.values();
        const control = [...stores].find((store) => store.$wwt?.inst).$wwt.inst.ctl;
        let require;
        window.webpackChunk_wwtelescope_research_app.push([['bench' + Math.random()], {}, (given) => (require = given)]);
        const id = Object.keys(require.m).find((id) => {
            const source = Function.prototype.toString.call(require.m[id]);
            return source.length > 500000 && source.includes('TileCache');
        });
        window.control = control;
        window.tiles = require(id).TileCache;
    };
    const drawn = () => {
        const image = window.control.renderContext.get_foregroundImageset();
        if (image?.get_name() !== name || window.tiles.get_queueCount() > 0) return false;
        return Object.values(window.tiles._tiles).some((tile) => tile.dataset === image && !tile.parent && tile.readyToRender);
    };
    let before = false;
    const look = () => {
        const now = drawn();
        if (now && before) finish();
        else requestAnimationFrame(look);
        before = now;
    };
    const finish = () => {
        window.drawnAt = Date.now();
        window.measured = [...JSON.parse(sessionStorage.taken ?? '[]'), window.drawnAt - Number(sessionStorage.start)];
        sessionStorage.taken = JSON.stringify(window.measured);
        if (window.measured.length < runs) setTimeout(() => { sessionStorage.start = Date.now(); location.reload(); }, pause);
        else if (runs) document.title = 'measured';
    };
    const begin = () => {
        const ping = setInterval(() => say({ type: 'wwt_ping_pong', threadId: 'b', sessionId: 'b' }), 50);
        window.addEventListener('message', ({ data }) => {
            if (data.type === 'wwt_ping_pong' && data.sessionId === 'b' && !window.control) {
                if (data.answered) return;
                try { find(); } catch { return; }
                clearInterval(ping);
                say({ event: 'modify_settings', target: 'app', settings: [['hideAllChrome', true]] });
                say({ event: 'load_image_collection', url: wtml, threadId: 'b' });
            } else if (data.event === 'load_image_collection_completed') {
                say({ event: 'set_foreground_by_name', name });
                say({ event: 'set_foreground_opacity', value: 100 });
                say({ event: 'center_on_coordinates', ...camera, instant: true });
                look();
            }
        });
    };
    if (location.pathname === '/index.html') addEventListener('DOMContentLoaded', begin);
    else setTimeout(() => { sessionStorage.start = Date.now(); location.href = '/index.html' + location.search; }, 2500);
})()"""

FRAMES = """(milliseconds) => new Promise((done) => {
    const times = [];
    const render = window.control.renderOneFrame;
    window.control.renderOneFrame = function () {
        times.push(performance.now());
        return render.apply(this, arguments);
    };
    setTimeout(() => {
        window.control.renderOneFrame = render;
        done((times.at(-1) - times[0]) / (times.length - 1));
    }, milliseconds);
})"""


class PlainApp:
    """The research app, served from its folder; the data beside it, under ``/data``."""

    def __init__(self, address: str):
        self.address = address

    def open(self, page: Page, name: str, camera: dict[str, float]) -> None:
        """Open the app in `page` and wait until the image called `name` is drawn."""
        page.goto(self._page("index.html", wtml=self._wtml, name=name, camera=camera))
        page.wait_for_function("window.drawnAt", timeout=60_000)

    def measure(self, page: Page, name: str, camera: dict[str, float], runs: int, pause: int) -> None:
        """Have a page open the app, and again, `runs` times; the milliseconds to the image will be in `window.measured`."""
        bench = {"wtml": self._wtml, "name": name, "camera": camera, "runs": runs, "pause": pause}
        page.goto(self._page("start.html", **bench))

    def milliseconds_a_frame(self, page: Page, over: float = 4.0) -> float:
        """Mean time from one frame of the engine to the next, as it draws for ever."""
        return page.evaluate(FRAMES, over * 1000)

    @property
    def _wtml(self) -> str:
        return f"{self.address}/data/index.wtml"

    def _page(self, file: str, **bench: Any) -> str:
        return f"{self.address}/{file}?origin={quote(self.address, safe='')}&bench={quote(json.dumps(bench))}"


class _Files(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, *args: Any, data: Path, **kwargs: Any):
        self._data = data
        super().__init__(*args, directory=str(RESEARCH_APP), **kwargs)

    def do_GET(self) -> None:
        """The app's own page with our script in it, a page with nothing but that, or a file."""
        name = self.path.partition("?")[0]
        if name not in ("/index.html", "/start.html"):
            super().do_GET()
            return
        page = (RESEARCH_APP / "index.html").read_text() if name == "/index.html" else "<head>"
        content = page.replace("<head>", f"<head><script>{DRIVER}</script>", 1).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def translate_path(self, path: str) -> str:
        plain = path.partition("?")[0]
        return (
            str(self._data / plain.removeprefix("/data/"))
            if plain.startswith("/data/")
            else super().translate_path(path)
        )

    def log_message(self, *_args: Any) -> None:
        pass


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_args: Any) -> None:
        """A page was closed while its files came."""


@contextmanager
def plain_app(data: Path) -> Iterator[PlainApp]:
    """Serve the app and the folder `data` on loopback while the block runs."""
    server = _Server(("127.0.0.1", 0), functools.partial(_Files, data=data))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield PlainApp(f"http://localhost:{server.server_port}")
    finally:
        server.shutdown()
        server.server_close()
