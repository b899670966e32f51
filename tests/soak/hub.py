"""A panel on a JupyterHub as sites run it: configurable-http-proxy, and nginx with TLS and policies before it, which cuts connections.

The browser knows the hub's name only, so the sandbox is reached through jupyter-server-proxy. nginx ends a kernel's connection that is idle
for some seconds; it is stopped while someone types, once with the hub's proxy, and again while an image is being published.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import traceback
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import npm_packages
import pytest
import python_packages
from browser.chromium import find_chromium, flags_of_another_machine
from browser.form_steps import field as field_of
from browser.lab import PATIENCE, SCREENSHOTS, Lab, LabServer, Notebook, pixels
from browser.marked_image import make_image, make_wcs
from browser.on_sky import UNTILED, worst_error
from browser.test_hub import HOST, PANEL, PREVIEW, SIGN_IN
from playwright.sync_api import Locator, Page, expect, sync_playwright
from ports import free_port

from . import gateways

IDLE = 8
"""Seconds after which nginx ends a kernel's connection on which nothing comes."""
USER, PASSWORD = "ada", "hub-of-the-soak"
_POLICY = (
    "script-src 'self' 'unsafe-eval' blob:; frame-ancestors 'self'; connect-src 'self'; img-src 'self' blob: data:"
)
_NGINX = (
    gateways.NGINX_HEAD
    + """    map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}
    map $uri $policy {{ default ""; ~^/at/user/ "{policy}"; }}  # the hub's own pages have inline scripts
    server {{
        listen 127.0.0.1:{listen} ssl;
        ssl_certificate {folder}/hub.crt;
        ssl_certificate_key {folder}/hub.key;
        client_max_body_size 0;
        proxy_http_version 1.1;
        proxy_set_header Host $http_host;
        proxy_set_header X-Forwarded-Proto https;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $connection_upgrade;
        proxy_read_timeout 300s;
        proxy_hide_header Content-Security-Policy;
        add_header Content-Security-Policy $policy always;
        location / {{ proxy_pass http://127.0.0.1:{port}; }}
        location ~ /channels$ {{ proxy_pass http://127.0.0.1:{port}; proxy_read_timeout {idle}s; }}
    }}
}}
"""
)
_CONFIG = """
c.JupyterHub.bind_url = "http://127.0.0.1:{port}/at/"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub_port}"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api_port}"
c.ConfigurableHTTPProxy.command = {proxy!r}
c.ConfigurableHTTPProxy.pid_file = {folder!r} + "/proxy.pid"
c.ConfigurableHTTPProxy.check_running_interval = 1
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = {password!r}
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = {home!r}
c.Spawner.environment = {environment!r}
c.Spawner.cmd = {command!r}
c.Spawner.args = {arguments!r}
c.Spawner.default_url = "/lab"
c.Spawner.notebook_dir = {root!r}
c.Spawner.start_timeout = c.Spawner.http_timeout = 240
c.JupyterHub.cookie_secret_file = {folder!r} + "/cookie_secret"
c.JupyterHub.db_url = "sqlite:///" + {folder!r} + "/hub.sqlite"
"""


@dataclass
class Outcome:
    """What came of it. All is well if `wrongs` is empty; `skipped` says why nothing was done."""

    skipped: str = ""
    figures: dict[str, str] = field(default_factory=dict)
    wrongs: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        figures = ", ".join(f"{name} {value}" for name, value in self.figures.items())
        return "\n".join([f"Hub: {f'skipped. {self.skipped}' if self.skipped else figures}", *self.wrongs])


class Hub(LabServer):
    """JupyterHub with configurable-http-proxy; its one user's server is a JupyterLab with jupyter-server-proxy."""

    def __init__(self, folder: Path, listen: int):
        self.listen = listen
        self._packages = python_packages.environment(
            python_packages.installed("jupyterhub-6", python_packages.HUB),
            python_packages.installed("jupyter-server-proxy-4", python_packages.SERVER_PROXY),
        )
        node, packages = npm_packages.installed("configurable-http-proxy@5.3.0", "JupyterHub's proxy")
        program = packages / "node_modules" / "configurable-http-proxy" / "bin" / "configurable-http-proxy"
        self._proxy = [node, str(program)]
        super().__init__(folder, self._packages, host=HOST, base_url=f"/at/user/{USER}/")

    def address(self, path: str) -> str:
        """Return the address of one of the user's pages, as the browser knows it."""
        return f"https://{HOST}:{self.listen}{self.base_url}{path}"

    @property
    def login(self) -> str:
        """Address of the hub's own page, where people sign in."""
        return f"https://{HOST}:{self.listen}/at/hub/login"

    def kill_proxy(self) -> None:
        """Kill configurable-http-proxy, which the hub starts again."""
        with suppress(FileNotFoundError, ProcessLookupError):
            os.kill(int((self.folder / "proxy.pid").read_text()), signal.SIGKILL)

    def stop(self) -> None:
        """Stop the hub, the user's server and the proxy."""
        super().stop()
        self.kill_proxy()  # while it stops, the hub may find that its proxy has ended, and start it again

    def _command(self) -> list[str]:
        options = ("LabApp.expose_app_in_browser=True", "ServerApp.jpserver_extensions=pywwt=False")
        config = self.folder / "jupyterhub_config.py"
        config.write_text(
            _CONFIG.format(
                port=self.port,
                hub_port=free_port(),
                api_port=free_port(),
                proxy=self._proxy,
                password=PASSWORD,
                home=str(self.folder / "home"),
                environment=self.environment() | self._packages,
                command=[sys.executable, "-m", "jupyterhub.singleuser"],
                arguments=["--allow-root", *(f"--{option}" for option in options)],
                root=str(self.root),
                folder=str(self.folder),
            )
        )
        return [sys.executable, "-m", "jupyterhub", "-f", str(config)]

    def _api(self, path: str, method: str = "GET") -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/at/hub/health", timeout=30):
            return None


class Nginx:
    """nginx with TLS before a port, which can be stopped and started again."""

    def __init__(self, folder: Path, listen: int, port: int):
        self._listen, self._folder = listen, folder
        key, certificate = folder / "hub.key", folder / "hub.crt"
        subject = ["-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}"]
        options = f"-x509 -newkey rsa:2048 -nodes -days 2 -keyout {key} -out {certificate}".split()
        subprocess.run(["openssl", "req", *options, *subject], check=True, capture_output=True)
        rules = _NGINX.format(folder=folder, listen=listen, port=port, idle=IDLE, policy=_POLICY)
        (folder / "nginx.conf").write_text(("user root;" if os.geteuid() == 0 else "") + rules)
        self.start()

    def start(self) -> None:
        command = ["nginx", "-p", str(self._folder), "-c", str(self._folder / "nginx.conf")]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        gateways.wait_for(self._listen)

    def stop(self) -> None:
        """Cut all connections."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(30)


def try_hub(folder: Path) -> Outcome:
    """Sign in, edit and publish on a hub whose connections break; `folder` is for files of all programs."""
    missing = [
        name for name, found in (("Chromium", find_chromium()), ("openssl", shutil.which("openssl"))) if not found
    ]
    outcome = Outcome(skipped=gateways.set_up() or (f"Install {' and '.join(missing)} first." if missing else ""))
    try:
        if not outcome.skipped:
            _run(outcome, folder)
    except (pytest.skip.Exception, pytest.fail.Exception) as reason:  # of what npm and pip could not install
        outcome.skipped = str(reason)
    except Exception:  # noqa: BLE001  (the other parts of the soak go on)
        outcome.wrongs.append(f"The hub: {traceback.format_exc()[-3000:]}")
    if outcome.skipped and os.environ.get("CI"):
        outcome.wrongs.append(f"The hub could not be tried. {outcome.skipped}")
    if left := _processes_of(folder):
        outcome.wrongs.append(f"The hub left processes behind: {left}")
    return outcome


def _run(outcome: Outcome, folder: Path) -> None:
    (folder / "nginx").mkdir()
    (folder / "hub").mkdir()
    listen = free_port()
    with ExitStack() as stack:
        hub = Hub(folder / "hub", listen)
        stack.callback(hub.stop)
        make_image(hub.root / "marked.png")
        nginx = Nginx(folder / "nginx", listen, hub.port)
        stack.callback(nginx.stop)
        page = stack.enter_context(_page())
        try:
            _use(outcome, hub, nginx, page)
        except Exception:
            pixels(page, save="hub-soak")
            outcome.wrongs += [f"The page: {SCREENSHOTS / 'hub-soak.png'}", hub.log.read_text()[-2000:]]
            raise


@contextmanager
def _page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        flags = flags_of_another_machine(HOST)
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=flags)
        context = browser.new_context(viewport={"width": 1000, "height": 800}, ignore_https_errors=True)
        context.set_default_timeout(1000 * PATIENCE)
        expect.set_options(timeout=1000 * PATIENCE)
        yield context.new_page()
        browser.close()


def _use(outcome: Outcome, hub: Hub, nginx: Nginx, page: Page) -> None:
    lab = Lab(hub, page)
    clock = _Clock(outcome.figures)
    dialog = page.get_by_role(
        "dialog", name=re.compile("^Server unavailable")
    )  # JupyterLab's own, while nothing leads to the hub
    page.add_locator_handler(dialog, lambda it: it.get_by_role("button", name="Dismiss").click())
    name = hub.write_notebook([SIGN_IN, PANEL.format(values=UNTILED), PREVIEW])
    page.goto(hub.login)
    page.get_by_label("Username").fill(USER)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/lab**")
    clock("signed in at the hub after")
    page.goto(lab.address(name))
    notebook = Notebook(lab, name)
    notebook.run_all()
    _sign_in(notebook.output(0))
    preview = notebook.output(2).locator(".cxw-preview")
    preview.scroll_into_view_if_needed()
    expect(preview).to_have_attribute("data-cxw-preview-state", "shown")
    error = worst_error(preview, make_wcs())
    if error >= 1:
        outcome.wrongs.append(f"The hub: the image is {error:.1f} px from its place")
    clock("shown after")
    outcome.figures["image within"] = f"{error:.2f} px"

    panel = notebook.output(1).locator(".cxw-panel")
    expect(panel.locator(".cxw-preview")).to_have_attribute("data-cxw-preview-state", "shown")
    # The panel was there before the sign-in, and learns of it.
    _edit_between_cuts(outcome, clock, notebook, hub, nginx)
    _publish_in_a_cut(outcome, clock, notebook, nginx)
    pixels(page, save="hub-soak")
    outside = {urlsplit(url).netloc for url in lab.outside_requests} - {f"{HOST}:{hub.listen}"}
    if outside:
        outcome.wrongs.append(f"The hub: the page asked {sorted(outside)}")


def _sign_in(output: Locator) -> None:
    output.get_by_role("button", name="Sign in", exact=True).click()
    link = output.get_by_role("link", name="Open the sign-in page")
    expect(link).to_have_attribute("href", re.compile("/proxy/"))
    with output.page.expect_popup() as opened:
        link.click()
    opened.value.get_by_role("button", name="Allow").click()
    expect(output.get_by_text("You may add images as")).to_be_visible()
    opened.value.close()


def _edit_between_cuts(outcome: Outcome, clock: _Clock, notebook: Notebook, hub: Hub, nginx: Nginx) -> None:
    """Edit after an idle time, and while nothing leads to the hub; the draft must get each edit."""
    title = field_of(notebook.output(1).locator(".cxw-panel"), "Title (public)")
    notebook.page.wait_for_timeout(1000 * (IDLE + 4))
    clock()
    _edit(outcome, notebook, title, "Typed after an idle connection was cut")
    clock("an edit after an idle time is taken within")
    for number, what in enumerate(("nginx was stopped", "nginx was stopped again", "the hub's proxy was killed too")):
        nginx.stop()
        if "proxy" in what:
            hub.kill_proxy()
        title.fill(f"Typed during cut {number}")
        notebook.page.wait_for_timeout(2000)
        nginx.start()
        clock()
        if number == 0:  # of the others, the next edit comes first
            _wait_taken(outcome, notebook, f"Typed during cut {number}")
        _edit(outcome, notebook, title, f"Typed after cut {number}")
        clock(f"after {what}, an edit is taken within")


def _publish_in_a_cut(outcome: Outcome, clock: _Clock, notebook: Notebook, nginx: Nginx) -> None:
    """Cut the connections while an image is being published; exactly one must be there, and its receipt be shown."""
    page, panel = notebook.page, notebook.output(1).locator(".cxw-panel")
    panel.get_by_role("button", name="Review and publish").click()
    panel.get_by_role("checkbox", name="I have checked").check()
    slow = f"'delay', path='/handle/*/image', method='POST', seconds={IDLE}"
    notebook.execute(f"box.faults.next({slow})")
    panel.get_by_role("button", name="Publish anyway").click()
    expect(panel.locator(".cxw-publisher")).not_to_have_attribute("data-phase", "review")  # the kernel has it
    nginx.stop()
    page.wait_for_timeout(2000)
    nginx.start()
    clock()
    receipt = panel.get_by_role("status", name="Receipt")
    expect(receipt).to_be_visible()
    clock("after a cut while publishing, the receipt is shown within")
    notebook.wait_idle()
    ids = notebook.evaluate("[it.id for page in box.client().handle_images(box.handle) for it in page]")
    shown = receipt.locator("code").first.inner_text()
    outcome.figures["published"] = f"{len(ids)} image"
    if notebook.evaluate("len(box.faults.log)") != 1:
        outcome.wrongs.append("The hub: no request to publish was under way during the cut")
    if ids != [shown]:
        outcome.wrongs.append(f"The hub: the receipt is of {shown}, the server has {ids}")
    with page.expect_popup() as opened:
        receipt.get_by_role("link", name="Record").click()
    expect(opened.value.locator("body")).to_contain_text(shown)


def _edit(outcome: Outcome, notebook: Notebook, title: Locator, text: str) -> None:
    """Type a title, and wait until the draft has it."""
    title.fill(text)
    _wait_taken(outcome, notebook, text)


def _wait_taken(outcome: Outcome, notebook: Notebook, text: str) -> None:
    """Wait until the draft has the title that was typed."""
    deadline = time.monotonic() + 120
    found = ""
    while found != text and time.monotonic() < deadline:
        notebook.wait_idle()
        found = notebook.evaluate("draft.note")
        notebook.page.wait_for_timeout(200)
    if found != text:
        outcome.wrongs.append(f"The hub: {text!r} was typed, and the draft has {found!r}")


def _processes_of(folder: Path) -> list[str]:
    """Return the command lines of processes that were started for a hub in this folder: it is in their environment or arguments."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            if bytes(folder) in command + (process / "environ").read_bytes():
                found.append(command.replace(b"\0", b" ").decode(errors="replace").strip())
        except OSError:  # it has ended, or is another user's
            continue
    return found


class _Clock:
    """Seconds since it was last read, noted by a name."""

    def __init__(self, figures: dict[str, str]):
        self._figures, self._since = figures, time.monotonic()

    def __call__(self, name: str = "") -> None:
        now = time.monotonic()
        if name:
            self._figures[name] = f"{now - self._since:.1f} s"
            print(f"  {name} {now - self._since:.1f} s", flush=True)
        self._since = now
