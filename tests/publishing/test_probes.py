"""What others will see at an image's addresses, asked of real servers on this machine."""

from __future__ import annotations

import functools
import gzip
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpcore
import pytest
from examples import TILED, UNTILED, body
from publishing.conftest import make_draft, picture

from constellations_widgets.api.web import WebProber, is_public
from constellations_widgets.draft import ImageDraft
from constellations_widgets.hosting import check_address
from constellations_widgets.publishing import plan, probes
from constellations_widgets.publishing.probes import Target, first_tile, look_at, size_of, targets
from constellations_widgets.schema.images import ImageSubmission
from constellations_widgets.schema.placement import THUMBNAIL, URL

OPEN = {"Access-Control-Allow-Origin": "*"}
PUBLIC_IP = "93.184.215.14"
FITS = b"SIMPLE  =                    T" + b" " * 2850


class WebServer:
    """Serves what a test puts into `pages`: path → (status, headers, content); counts what it is asked."""

    def __init__(self):
        self.pages: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: Counter[str] = Counter()
        self.headers: list[dict[str, str]] = []
        self.enough = threading.Event()
        web = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                web.asked[self.path] += 1
                web.headers.append({name.lower(): value for name, value in self.headers.items()})
                if self.path == "/silence":
                    web.enough.wait(30)
                status, headers, content = web.pages.get(self.path, (404, OPEN, b"no such page"))
                self.send_response(status)
                for name, value in {"Content-Length": str(len(content)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self.enough.set()
        self._server.shutdown()
        self._server.server_close()

    def put(self, path: str, content: bytes = b"", kind: str = "image/png", status: int = 200, **headers: str) -> str:
        """Put up a page that everybody may use; gives its address."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.pages[path] = (status, {"Content-Type": kind, **OPEN, **named}, content)
        return self.url + path

    def redirect(self, path: str, target: str, **headers: str) -> str:
        return self.put(path, status=302, Location=target, **headers)


class Internet(httpcore.SyncBackend):
    """A network on which the web server is reached at a public address. Notes what is connected to."""

    def __init__(self, port: int):
        self.port, self.connected = port, []

    def connect_tcp(self, host, port, timeout=None, **options):
        self.connected.append(host)
        if host != PUBLIC_IP:
            raise httpcore.ConnectError("the test's internet has one machine")
        return super().connect_tcp("127.0.0.1", self.port, timeout, **options)


NAMES = {
    "images.example.org": [PUBLIC_IP],
    "cdn.example.org": [PUBLIC_IP],
    "inside.example.org": ["10.0.0.7"],
    "both.example.org": [PUBLIC_IP, "192.168.1.1"],
}


def resolve(host: str, port: int) -> list[str]:
    """The test's own DNS; an IP address is its own."""
    if host[-1].isdigit() or ":" in host:
        return [host]
    if host not in NAMES:
        raise OSError(f"{host} is not known")
    return NAMES[host]


@pytest.fixture
def server():
    made = WebServer()
    yield made
    made.close()


@pytest.fixture
def internet(server, monkeypatch) -> Internet:
    """Looks go to the test's internet."""
    network = Internet(server.port)
    monkeypatch.setattr(probes, "WebProber", functools.partial(WebProber, resolve=resolve, network=network))
    return network


@pytest.fixture
def direct(monkeypatch):
    """Looks go to this machine, as they do for addresses that say so."""
    monkeypatch.setattr(probes, "WebProber", WebProber)


def said(url: str, **about) -> str:
    """What is said of one address, as one text."""
    target = Target(URL, "The image", url, **about)
    return " ".join(look_at([target], api_url="http://localhost:1")[target])


PNG = picture(256, 256, "PNG")

# What an address shows that is not as it should be, and words that say so.
FAULTY = {
    "nothing": ({"status": 404}, "the status 404"),
    "for those who sign in": ({"status": 401}, "is not public: its server wants to know who asks (status 401)"),
    "an error": ({"status": 500}, "the status 500"),
    "a page": ({"content": b"<!doctype html><p>Sign in", "kind": "text/html; charset=utf-8"}, "served as text/html"),
    "text that claims to be a picture": ({"content": b"<?xml version='1.0'?><svg/>"}, "no picture that browsers know"),
    "no content": ({"content": b""}, "no picture"),
    "FITS for a picture": ({"content": FITS, "kind": "image/fits"}, "is a FITS file"),
    "a picture as text": ({"content": PNG, "kind": "text/plain"}, "served as text/plain"),
    "no CORS": ({"content": PNG, "Access_Control_Allow_Origin": ""}, "Access-Control-Allow-Origin: *"),
    "CORS for others": ({"content": PNG, "Access_Control_Allow_Origin": "https://eso.org"}, "no CORS header"),
}


@pytest.mark.parametrize("page", FAULTY)
def test_what_others_would_not_see_is_said_with_the_field_and_what_to_do(direct, server, page):
    options, words = FAULTY[page]
    text = said(server.put("/m51.png", **options))
    assert text.startswith(f"{URL}: The image, {server.url}/m51.png, ") and words in text
    assert text.count(f"{URL}: ") == 1  # one thing is wrong


@pytest.mark.parametrize(
    ("content", "kind", "fits"),
    [
        (PNG, "image/png", False),
        (picture(4000, 3000), "image/jpeg", False),
        (PNG, "application/octet-stream", False),
        (FITS, "application/octet-stream", True),
        (FITS, "image/fits", True),
        (picture(40, 30, "WEBP"), "image/webp", False),
    ],
)
def test_nothing_is_said_of_what_is_as_it_should_be(direct, server, content, kind, fits):
    assert said(server.put("/m51", content, kind), fits=fits) == ""


def test_a_page_that_is_named_may_use_it(direct, server):
    origin = "https://worldwidetelescope.org"
    assert said(server.put("/m51", PNG, Access_Control_Allow_Origin=origin)) == ""
    assert server.headers[-1]["origin"] == origin


def test_a_picture_where_fits_belongs_is_said(direct, server):
    assert "no FITS file, as the file type says" in said(server.put("/m51.fits", PNG), fits=True)


def test_what_is_packed_without_being_asked_is_unpacked(direct, server):
    assert said(server.put("/m51", gzip.compress(PNG), Content_Encoding="gzip")) == ""
    bomb = gzip.compress(bytes(50_000_000))
    assert "no picture" in said(server.put("/bomb", bomb, Content_Encoding="gzip"))


@pytest.mark.parametrize(("kind", "wide", "high"), [("JPEG", 96, 45), ("PNG", 96, 45), ("GIF", 96, 45)])
def test_a_thumbnail_of_the_right_size_is_fine(direct, server, kind, wide, high):
    content = picture(wide, high, kind)
    assert size_of(content) == (wide, high)
    assert said(server.put("/thumb", content), size=(96, 45)) == ""


def test_a_thumbnail_of_another_size_is_told_with_its_size(direct, server):
    assert "is 200 by 100 pixels: lists show 96 by 45" in said(server.put("/t", picture(200, 100)), size=(96, 45))
    assert "size could not be read" in said(server.put("/w", picture(96, 45, "WEBP"), "image/webp"), size=(96, 45))


def test_a_copy_of_another_size_than_the_image_that_was_placed_is_reported(direct, client, box, server, tmp_path):
    (tmp_path / "m51.jpg").write_bytes(picture(120, 80))
    draft = ImageDraft.from_image(tmp_path / "m51.jpg", center=(202.47, 47.2), width=0.2, autosave=False)
    draft.update({name: value for name, value in make_draft().values.items() if not name.startswith("wwt.") and value})
    words = (
        "is 60 by 40 pixels, and an image of 120 by 80 was placed: WWT would draw it in another size, beside its place"
    )
    for name, size, is_reported in (("m51.jpg", (120, 80), False), ("web.jpg", (60, 40), True)):
        draft[URL] = server.put(f"/{name}", picture(*size))
        [step] = plan([draft], client, box.handle)
        assert any(words in reason for reason in step.reasons) is is_reported
        assert any(words in fault for fault in check_address(draft, private=True).faults) is is_reported
    assert (
        said(server.put("/a.webp", picture(60, 40, "WEBP"), "image/webp"), placed=(120, 80)) == ""
    )  # its size is not read


def test_the_size_of_a_jpeg_behind_a_long_comment_is_found(direct, server):
    jpeg = picture(96, 45)
    comments = b"\xff\xfe\xff\xff" + bytes(65533)
    assert said(server.put("/thumb", jpeg[:2] + comments * 3 + jpeg[2:]), size=(96, 45)) == ""


def test_no_more_is_read_than_is_needed(direct, server):
    with WebProber() as web:
        look = web.probe(server.put("/huge", bytes(20_000_000)), lambda content: False, private=True)
    assert 2**20 <= len(look.content) < 2**21


def test_a_server_that_is_silent_is_given_up_and_said_to_be_unknown(server, monkeypatch):
    monkeypatch.setattr(probes, "WebProber", functools.partial(WebProber, timeout=0.3))
    assert "could not be checked" in said(f"{server.url}/silence")
    assert "could not be checked" in said(server.redirect("/there", "/silence"))


def test_a_server_that_drips_is_given_up(monkeypatch):
    from api.broken_server import BrokenServer, dripping

    monkeypatch.setattr(probes, "WebProber", functools.partial(WebProber, timeout=0.5))
    with BrokenServer(dripping) as broken:
        assert "no response within 0.5 s" in said(broken.url)


def test_a_search_for_an_address_that_never_ends_is_given_up(monkeypatch):
    ended = threading.Event()
    slow = functools.partial(WebProber, timeout=0.3, resolve=lambda host, port: ended.wait(30) and [])
    monkeypatch.setattr(probes, "WebProber", slow)
    try:
        assert "could not be checked" in said("https://images.example.org/m51.png")
    finally:
        ended.set()


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/m51.png",
        "http://nowhere.example.org/m51.png",
        f"https://{'a' * 70}.example.org/",
    ],
)
def test_what_can_not_be_reached_is_said(internet, url):
    assert "can't be reached" in said(url)


def test_a_host_that_never_answers_is_not_asked_for_each_of_a_thousand_images(internet):
    wanted = [Target(URL, "The image", f"http://nowhere.example.org/{number}.png") for number in range(200)]
    found = look_at(wanted, api_url="https://api.example.org")
    assert len(found) == 200 and all(len(faults) == 1 for faults in found.values())
    assert "not tried again" in " ".join(found[wanted[-1]])


def test_redirects_are_followed_to_the_picture(internet, server):
    server.put("/there.png", PNG)
    server.redirect("/on", "/there.png")
    server.redirect("/m51.png", "http://cdn.example.org/on")
    assert said("http://images.example.org/m51.png") == ""
    # A browser hides which page asks once one server has sent it to another.
    assert [headers["origin"] for headers in server.headers] == ["https://worldwidetelescope.org", "null", "null"]
    assert set(internet.connected) == {PUBLIC_IP}


def test_a_redirect_needs_the_cors_header_too(internet, server):
    server.put("/there.png", PNG)
    server.redirect("/m51.png", "/there.png", Access_Control_Allow_Origin="")
    assert "no CORS header" in said("http://images.example.org/m51.png")


def test_five_redirects_are_followed_and_no_more(internet, server):
    for number in range(9):
        server.redirect(f"/{number}", f"/{number + 1}")
    server.put("/9", PNG)
    assert said("http://images.example.org/4") == ""
    assert "more than 5 redirects" in said("http://images.example.org/3")
    server.redirect("/round", "/round")
    assert "more than 5 redirects" in said("http://images.example.org/round")


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://images.example.org/", "gopher:"])
def test_a_redirect_to_no_web_address_leads_nowhere(internet, server, target):
    server.redirect("/m51.png", target)
    assert "leads nowhere" in said("http://images.example.org/m51.png")


PRIVATE = [
    "http://127.0.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[fe80::1]/",
    "http://0.0.0.0/",
    "http://100.64.0.1/",
    "https://192.168.1.1/",
    "http://inside.example.org/",
    "http://both.example.org/",
    "//10.1.2.3/",
]


@pytest.mark.parametrize("target", PRIVATE)
def test_no_redirect_leads_into_a_private_network(internet, server, target):
    server.redirect("/m51.png", target)
    assert "leads into a private network" in said("http://images.example.org/m51.png")
    assert internet.connected == [PUBLIC_IP] and server.asked.total() == 1


def test_a_public_name_with_a_private_address_is_not_asked(internet):
    assert "leads into a private network (inside.example.org)" in said("http://inside.example.org/m51.png")
    assert internet.connected == []


@pytest.mark.parametrize(
    ("api_url", "url", "is_asked"),
    [
        ("https://api.worldwidetelescope.org", "{home}/m51.png", False),
        ("https://api.worldwidetelescope.org", "http://192.168.1.1/m51.png", False),
        ("https://api.worldwidetelescope.org", "http://169.254.169.254/latest/meta-data/", False),
        ("http://localhost:7001", "http://169.254.169.254/latest/meta-data/", False),
        ("http://10.0.0.5", "http://[fe80::1]/m51.png", False),
        ("http://10.0.0.5", "http://[fd00:ec2::254]/latest/meta-data/", False),
        ("http://10.0.0.5", "http://100.100.100.200/latest/meta-data/", False),
        ("http://10.0.0.5", "http://192.0.0.192/latest/", False),
        ("https://api.worldwidetelescope.org", "http://168.63.129.16/machine/", False),
        ("http://10.0.0.5", "http://[::ffff:169.254.169.254]/m51.png", False),
        ("http://localhost:7001", "{home}/m51.png", True),
        ("http://10.0.0.5", "{home}/m51.png", True),
    ],
)
def test_a_private_address_is_asked_only_for_an_api_in_a_private_network(direct, server, api_url, url, is_asked):
    target = Target(URL, "The image", url.format(home=server.put("/m51.png", PNG).removesuffix("/m51.png")))
    (faults,) = look_at([target], api_url=api_url).values()
    assert bool(server.asked) == is_asked
    assert is_asked or "leads into a private network" in " ".join(faults)


def test_who_gives_a_private_address_is_taken_at_his_word_also_by_redirect(direct, server):
    server.put("/there.png", PNG)
    assert said(server.redirect("/m51.png", f"http://localhost:{server.port}/there.png")) == ""


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True), ("2606:4700::1111", True), ("172.16.0.1", False), ("224.0.0.1", False), ("::", False),
        ("64:ff9b::10.0.0.1", False), ("168.63.129.16", False), ("64:ff9b::8.8.8.8", True), ("2002:7f00:1::", False), ("fd00::1", False),
    ],
)  # fmt: skip
def test_which_addresses_are_public(address, public):
    assert is_public(address) == public


def test_no_cookie_and_no_password_is_sent(internet, server):
    server.put("/there.png", PNG)
    server.redirect("/m51.png", "http://me:secret@images.example.org/there.png", Set_Cookie="a=b")
    assert said("http://images.example.org/m51.png") == ""
    assert len(server.headers) == 2
    assert not any({"cookie", "authorization", "referer"} & headers.keys() for headers in server.headers)


def submission(changes=None, base=TILED) -> ImageSubmission:
    return ImageSubmission.model_validate(body(changes, base))


@pytest.mark.parametrize(
    ("changes", "first"),
    [
        ({URL: "https://a.org/{1}/{3}/{3}_{2}.png"}, "https://a.org/0/0/0_0.png"),
        ({URL: "https://a.org/{L}/{Y}/{X}.png"}, "https://a.org/0/0/0.png"),
        ({URL: "https://a.org/{Q}.png"}, "https://a.org/0.png"),
        ({URL: "https://t{S}.a.org/{Q}.png", "wwt.quad_tree_map": "0123"}, "https://t0.a.org/.png"),
        (
            {URL: "https://t{S}.a.org/{Q}.png", "wwt.quad_tree_map": "2301", "wwt.projection": "Equirectangular"},
            "https://t2.a.org/2.png",
        ),
        ({URL: "https://a{S}.org/{L}/{X}/{Y}.png"}, "https://r0.org/0/0/0.png"),
    ],
)
def test_the_first_tile_is_the_one_that_wwt_asks_for(changes, first):
    assert first_tile(submission(changes)) == first


def test_what_is_looked_at_for_an_image():
    tile, thumbnail = targets(submission())
    assert (tile.what, tile.field, tile.url) == ("The first tile", URL, "https://example.org/m51/0/0/0_0.png")
    assert (thumbnail.field, thumbnail.size) == (THUMBNAIL, (96, 45))
    (image,) = targets(submission({THUMBNAIL: "", "wwt.file_type": ".fits"}, UNTILED))
    assert (image.what, image.fits, image.url) == ("The image", True, "https://example.org/m51.jpg")


# The plan


def hosted(server: WebServer, name: str, **changes):
    return make_draft(
        **{URL: f"{server.url}/{name}/{{1}}/{{3}}/{{3}}_{{2}}.png", THUMBNAIL: f"{server.url}/thumb.jpg", **changes}
    )


def test_a_plan_says_what_others_would_miss_and_blocks_nothing(direct, client, box, server):
    server.put("/a/0/0/0_0.png", PNG)
    server.put("/thumb.jpg", picture(200, 100))
    good, missing = plan([hosted(server, "a"), hosted(server, "b")], client, box.handle)
    assert (good.decision, missing.decision) == ("decide", "decide")
    assert not any("irst tile" in reason for reason in good.reasons)
    assert any("The first tile" in reason and "status 404" in reason for reason in missing.reasons)
    for step in (good, missing):
        assert any(reason.startswith(THUMBNAIL) and "200 by 100" in reason for reason in step.reasons)
    assert server.asked == {"/a/0/0/0_0.png": 1, "/b/0/0/0_0.png": 1, "/thumb.jpg": 1}


def test_nothing_is_asked_for_what_is_not_published_anyway(direct, client, box, server):
    there = hosted(server, "there")
    client.add_image(box.handle, there.submission())
    wrong = hosted(server, "wrong", **{"permissions.license": "Creative"})
    assert [step.decision for step in plan([there, wrong], client, box.handle)] == ["skip", "blocked"]
    plan(hosted(server, "c"), client, "nobody")
    plan(hosted(server, "d"), client, box.handle, probe=False)
    assert server.asked == {}
