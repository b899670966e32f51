"""A plain page that shows widgets whose Python half is in this process: no Jupyter, and a policy of the page's own choice.

As VS Code does it, the widgets are in a frame that may have a strict policy; what they say goes by `postMessage` to the page
around it, and from there to their program: here to a server on loopback, in threads of its own.
"""

from __future__ import annotations

import base64
import contextlib
import json
import queue
import re
import threading
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from anywidget import AnyWidget
from playwright.sync_api import FrameLocator, Page

# What VS Code's setting notebook.experimental.enableCsp puts around the output of cells.
VSCODE_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' https: http: data:; font-src 'self' https:; connect-src https:; child-src https: data:"
)

OUTER = """<!doctype html><meta charset="utf-8"><title>A plain page</title><link rel="icon" href="data:,">
<style>html, body, iframe { margin: 0; border: 0; width: 100%; height: 100%; display: block }</style>
<iframe SANDBOX src="/widgets"></iframe>
<script type="module">
// A page that is busy drawing has little time for answers of a server: all that waits goes in one request, both ways.
let sent = Promise.resolve(), said = [];
const say = () => said.length && fetch("/page", { method: "POST", body: JSON.stringify(said.splice(0)) });
addEventListener("message", ({ data, source }) => {
  if (source !== frames[0]) return;
  said.push(data);
  sent = sent.then(say);
});
await new Promise((ready) => addEventListener("message", ready, { once: true }));
for (;;) {
  const messages = await (await fetch("/program")).arrayBuffer();
  for (let at = 0; at < messages.byteLength;) {
    const length = new DataView(messages).getUint32(at);
    const { lengths, ...head } = JSON.parse(new TextDecoder().decode(new Uint8Array(messages, at + 4, length)));
    at += 4 + length;
    const buffers = lengths.map((bytes) => messages.slice(at, (at += bytes)));
    frames[0].postMessage({ ...head, buffers }, "*", buffers);
  }
}
</script>"""

INNER = """<!doctype html><meta charset="utf-8"><title>Widgets</title><body></body><script type="module" src="/widgets.js"></script>"""

# A widget's model, as anywidget gives it to a module.
WIDGETS = """
class Model {
  constructor(number, state) { Object.assign(this, { number, state, changed: {}, listeners: new Map(), widget_manager: {} }); }
  get = (name) => this.state[name];
  set = (name, value) => { this.state[name] = this.changed[name] = value; this.tell(`change:${name}`); };
  save_changes = () => { this.say({ method: "update", state: this.changed, buffer_paths: [] }); this.changed = {}; };
  send = (content, _callbacks, buffers) => this.say({ method: "custom", content }, buffers);
  on = (name, listener) => void this.listeners.set(name, [...(this.listeners.get(name) ?? []), listener]);
  off = (name, listener) => void this.listeners.set(name, (this.listeners.get(name) ?? []).filter((it) => it !== listener));
  say(data, buffers = []) {
    const texts = buffers.map((it) => Array.from(new Uint8Array(it), (byte) => String.fromCharCode(byte)).join(""));
    parent.postMessage({ number: this.number, data, buffers: texts.map(btoa) }, "*");
  }
  tell(name, ...args) { for (const listener of this.listeners.get(name) ?? []) listener(...args); }
  take({ method, state, content }, buffers) {
    if (method === "custom") this.tell("msg:custom", content, buffers.map((it) => new DataView(it)));
    if (method !== "update") return;
    Object.assign(this.state, state);
    for (const name of Object.keys(state)) this.tell(`change:${name}`);
  }
}
const models = STATES.map((state, number) => new Model(number, state));
addEventListener("message", ({ source, data }) => {
  if (source === parent && "number" in data) models[data.number].take(data.data, data.buffers);
});
parent.postMessage(null, "*");
for (const [number, model] of models.entries()) {
  const sheet = document.createElement("link");
  Object.assign(sheet, { rel: "stylesheet", href: `/${number}.css` });
  document.head.append(sheet);
  let { default: widget } = await import(`/${number}.js`);
  if (typeof widget === "function") widget = await widget();
  await widget.initialize?.({ model });
  const el = document.createElement("div");
  document.body.append(el);
  await widget.render?.({ model, el });
}
"""


@contextlib.contextmanager
def bare_page(page: Page, *widgets: AnyWidget, policy: str = "", sandbox: str | None = None) -> Iterator[FrameLocator]:
    """Show widgets, one below the other.

    Parameters
    ----------
    page : Page
        Of the browser.
    *widgets : AnyWidget
        Their Python half stays in this process. They are told what the page says in threads of the server.
    policy : str, default ""
        The Content-Security-Policy of the frame that they are in.
    sandbox : str, optional
        What the sandbox of that frame allows; by default it has none.

    Yields
    ------
    FrameLocator
        That frame.
    """
    server = _Server(widgets, policy, sandbox)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()  # seconds to its end, at most
    try:
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        yield page.frame_locator("iframe").first
        page.goto("about:blank")
    finally:
        server.to_page.put(b"")
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, widgets: tuple[AnyWidget, ...], policy: str, sandbox: str | None):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.widgets, self.policy = widgets, policy
        self.outer = OUTER.replace("SANDBOX", "" if sandbox is None else f'sandbox="{sandbox}"')
        self.to_page: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        for number, widget in enumerate(widgets):
            widget._send = lambda data, buffers=None, number=number: self._send(number, data, buffers or [])

    def _send(self, number: int, data: dict[str, Any], buffers: list[Any]) -> None:
        contents = [bytes(buffer) for buffer in buffers]
        head = {"number": number, "data": data, "lengths": [len(content) for content in contents]}
        text = json.dumps(head).encode()
        self.to_page.put(b"".join([len(text).to_bytes(4, "big"), text, *contents]))

    def take(self, message: dict[str, Any] | None) -> None:
        """What the page has said to a widget; None when it is ready to hear."""
        if message is not None:
            buffers = [memoryview(base64.b64decode(text)) for text in message["buffers"]]
            self.widgets[message["number"]]._handle_msg({"content": {"data": message["data"]}, "buffers": buffers})

    def find(self, path: str) -> tuple[str, str] | None:
        """Type and text of a file."""
        if path == "/":
            return "text/html", self.outer
        if path == "/widgets":
            return "text/html", INNER
        if path == "/widgets.js":
            # An ESM's own state has no place among the traits.
            states = [{k: v for k, v in it.get_state().items() if not k.startswith("_")} for it in self.widgets]
            return "text/javascript", WIDGETS.replace("STATES", json.dumps(states, default=str), 1)
        match = re.fullmatch(r"/(\d+)\.(js|css)", path)
        if match is None:
            return None
        widget = self.widgets[int(match[1])]
        return ("text/javascript", str(widget._esm)) if match[2] == "js" else ("text/css", str(widget._css))


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/program":
            self._answer("application/octet-stream", self._next())
            return
        found = self.server.find(self.path)
        if found is None:
            self.send_error(HTTPStatus.NOT_FOUND)
        else:
            self._answer(f"{found[0]}; charset=utf-8", found[1].encode())

    def do_POST(self) -> None:
        for message in json.loads(self.rfile.read(int(self.headers["Content-Length"]))):
            self.server.take(message)
        self._answer("text/plain", b"")

    def _next(self) -> bytes:
        """All that waits for the page; nothing if nothing comes for a while."""
        messages = []
        with contextlib.suppress(queue.Empty):
            messages.append(self.server.to_page.get(timeout=20))
            while True:
                messages.append(self.server.to_page.get_nowait())
        return b"".join(messages)

    def _answer(self, kind: str, content: bytes) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Access-Control-Allow-Origin", "*")  # a sandboxed frame has no origin
        if self.path == "/widgets" and self.server.policy:
            self.send_header("Content-Security-Policy", self.server.policy)
        with contextlib.suppress(ConnectionError):  # the page is gone
            self.end_headers()
            self.wfile.write(content)

    def log_message(self, *_args: Any) -> None:
        pass
