"""Write drafts as a page of their own: the live preview with its files in one HTML file, which needs no kernel and no network."""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import json
import re
import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from ...checks.address import is_private_host
from ...errors import ConstellationsError, SourceError
from ...outputs.still import alt_text, center_text, still
from ...schema.credits import clean_credits
from ...schema.html_repr import html_text
from ...schema.placement import URL, is_tan, shown, text
from ...schema.tiles import PLACEHOLDERS, SERVER
from ...sources.large_picture import factor_of, size_of, smaller_picture
from ...sources.local import Entry, LocalImage
from ...state import PUBLIC, write_file
from ...text import one_line, readable
from ..base import built, require_draft
from ..protocol.preview import FitsPixels, PlacingStatus
from ..wwt.app import app_files
from .drawing import PRIVATE, Drawing, Reduced, draw, image_address
from .image_files import PIXELS, ImageFiles
from .snapping import IDLE

if TYPE_CHECKING:
    from ...draft import ImageDraft
    from ...publishing.published import PublishedImage

MOST_BYTES = 64 << 20
"""Size of the images' files up to which a page holds them as they are."""

Above = Literal["reduce", "link"]

_PAGE = string.Template(
    """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="$policy">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>$title</title>
<link rel="icon" href="data:,">
<style>$css</style>
</head>
<body>
<main>
$heading
$choices
<div id="cxw-preview">$fallback</div>
$sections
</main>
<footer>Drawn by <a href="https://worldwidetelescope.org/" rel="noopener noreferrer">WorldWide Telescope</a>, \
from this file alone$network.</footer>
$data
<script type="module">$script</script>
</body>
</html>
"""
)

# What a responder in a page can't do: see PlacementEditor.
_PLACING: PlacingStatus = {
    "refusal": "This page has no kernel: the image can be viewed here, and not changed.",
    "locked": True,
    "undo": "",
    "redo": "",
    "size": None,
    "pixel": None,
    "mirrored": None,
    "snap": IDLE,
}


def save_html(
    drafts: ImageDraft | PublishedImage | Iterable[ImageDraft | PublishedImage],
    path: str | Path,
    *,
    height: str = "65vh",
    problems: bool = False,
    max_bytes: int = MOST_BYTES,
    above: Above = "reduce",
) -> Path:
    """Write drafts as one HTML file with a live preview, which any browser opens, offline and without a kernel.

    The page shows the image on the sky with pan, zoom, opacity, grid and coordinates, and beside it title, credit line, license and
    alternative text. Files from this machine's disk are part of it; an image that has only a web address is loaded from there.
    The page holds no path or address of this machine, and no credentials.

    Parameters
    ----------
    drafts : ImageDraft, or an iterable of drafts
        What to show. Several share one view; the reader chooses among them.
    path : str or Path
        The file to write, atomically.
    height : str, default "65vh"
        Height of the view, a CSS length.
    problems : bool, default False
        Whether to list the problems that the checks find.
    max_bytes : int, default 64 MB
        Size of the images' files, together, up to which the page holds them as they are.
    above : {"reduce", "link"}, default "reduce"
        What to do with larger ones: embed a lower resolution, or load them from their public addresses, which takes a network.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ConstellationsError
        If a draft has no complete placement, or the preview can't be built.
    SourceError
        If an image can't be read, is too large, has no public address, or the file can't be written.

    Examples
    --------
    >>> cxw.save_html(draft, "m51.html")
    >>> cxw.save_html(drafts, "survey.html", problems=True)
    """
    chosen = list(drafts) if isinstance(drafts, Iterable) else [drafts]
    if not chosen:
        raise ConstellationsError("save_html needs at least one draft.")
    for draft in chosen:
        require_draft(save_html, draft)
    if above not in ("reduce", "link"):
        raise ConstellationsError(f'above= takes "reduce" or "link", not {shown(above)}')
    target = Path(path).expanduser()
    content = _page(chosen, height, problems, max_bytes, above).encode("utf-8", "replace")
    try:
        write_file(target, content, mode=PUBLIC)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SourceError(f"The page can't be written to {shown(str(target), 200)}: {reason}") from None
    return target


def embedded_html(draft: ImageDraft | PublishedImage, height: str) -> str:
    """Return the page of a draft as a frame that can stand in another page, such as a converted notebook.

    Parameters and errors are those of `save_html`. The frame needs its parent's origin: a browser isolates the engine's frame from
    one without, and the page makes its frame as high as itself. The page's policy forbids all scripts but its own.
    """
    page = _page([draft], height, False, MOST_BYTES, "reduce")
    return (
        f'<iframe title="{html.escape(alt_text(draft))}" srcdoc="{html.escape(page)}" loading="lazy" '
        'sandbox="allow-scripts allow-same-origin allow-popups allow-downloads" allowfullscreen '
        f'style="width: 100%; height: calc({height} + 12em); border: 0"></iframe>'
    )


@dataclass
class _Image:
    """An image of the page, and the files of it that the page holds."""

    draft: ImageDraft | PublishedImage
    number: int
    values: dict[str, Any]
    files: ImageFiles | None = None
    entries: list[Entry] = field(default_factory=list)
    """Tiles on disk; empty for a single file."""
    factor: int = 1
    """By which a single picture is reduced."""
    single: bytes = b""
    pixels: bytes = b""

    @property
    def local(self) -> LocalImage | None:
        return self.draft.local if self.files is not None else None

    @property
    def size(self) -> int:
        return sum(entry.about.st_size for entry in self.entries) + len(self.single) + len(self.pixels)

    @property
    def deepest(self) -> int:
        return max((entry.level for entry in self.entries), default=0)

    def reduce(self) -> bool:
        """Drop the deepest level of tiles, or halve the resolution of a picture; return whether that was possible."""
        if self.entries:
            if (self.deepest <= 1 and is_tan(self.values)) or self.deepest == 0:
                return False
            self.entries = [entry for entry in self.entries if entry.level < self.deepest]
            if is_tan(self.values):
                self.values["wwt.tile_levels"] = self.deepest
            return True
        if self.pixels and self.single:  # the picture is enough
            self.pixels = b""
            return True
        local = self.local
        if local is None or not self.single or min(size_of(local)) < 4 * self.factor:
            return False
        self.factor *= 2
        self.single = _smaller(local, self.factor)
        return True

    def contents(self) -> Iterator[tuple[str, bytes]]:
        """Yield path and content of each file, as the page requests them."""
        if self.files is not None:
            for entry in self.entries:
                yield f"image{self.number}/{entry.relative}", self.files.read(entry.relative)
        if self.single:
            yield f"image{self.number}/{self._single_name}", self.single
        if self.pixels:
            yield f"image{self.number}/{PIXELS}", self.pixels

    @property
    def _single_name(self) -> str:
        """Name of a single file in the page, which does not disclose the name on disk; the engine needs its suffix."""
        return "picture" + re.sub(r"[^.\w]", "", Path(self.draft.local.template).suffix if self.draft.local else "")

    def drawing(self) -> Drawing:
        """Return how the page draws the image.

        Raises
        ------
        ConstellationsError
            If values are missing or can't be drawn.
        """
        local = self.local
        own = f"{PRIVATE}/image{self.number}/"
        address: tuple[str, str | None]
        address = image_address(None, self.values.get(URL))
        size = self.draft.local.size if self.draft.local is not None else None
        picture = pixels = None
        if local is not None and self.files is not None:
            address = own + (local.template if local.tiled else self._single_name), None
            if self.factor > 1:
                picture = Reduced(address[0], self.factor, size_of(local))
            pixels = self.files.reduced_pixels(own + PIXELS) if self.pixels else None
        drawing, _ = draw(
            self.values,
            address,
            self.number + 1,
            size=size,
            picture=picture,
            pixels=pixels,
            only_pixels=not self.single and not self.entries,
        )
        if drawing["waiting"]:
            fields = "; ".join(f"{name} {why}" for name, why in drawing["waiting"])
            raise ConstellationsError(f"“{self.draft.name}” can't be shown in a page: {fields}.")
        return drawing


def _image(draft: ImageDraft | PublishedImage, number: int) -> _Image:
    """Return the image of a draft with all of its files."""
    local, values = draft.local, dict(draft.values)
    if local is None:
        _require_public(draft)
        return _Image(draft, number, values)
    files = ImageFiles(local)
    if fault := files.state(fresh=True)["fault"]:
        raise SourceError(fault)
    image = _Image(draft, number, values, files)
    if local.tiled:
        image.entries = sorted(local.entries(), key=lambda entry: (entry.level, entry.relative))
        return image
    try:
        if files.picture:
            image.factor = factor_of(size_of(local))
            image.single = _smaller(local, image.factor)
        if files.fits is not None:
            image.pixels = files.read_pixels(PIXELS)
    except OSError as error:
        raise SourceError(f"The image of “{draft.name}” can't be read: {error.strerror or error}") from None
    return image


def _smaller(local: LocalImage, factor: int) -> bytes:
    return smaller_picture(local, factor) if factor > 1 else local.read(local.template)


def _fit(images: Sequence[_Image], max_bytes: int, above: Above) -> None:
    """Reduce the images, or have them loaded from their addresses, until their files have `max_bytes` together."""
    left = list(images)
    while sum(image.size for image in images) > max_bytes:
        if not left:
            raise SourceError(
                f"The smallest version of the images has {sum(image.size for image in images):,} bytes, more than max_bytes={max_bytes:,}."
            )
        largest = max(left, key=lambda image: image.size)
        if above == "link":
            _require_public(largest.draft)
            largest.files, largest.entries, largest.single, largest.pixels = None, [], b"", b""
            left.remove(largest)
        elif not largest.reduce():
            left.remove(largest)


def _require_public(draft: ImageDraft | PublishedImage) -> None:
    """Raise a SourceError if the image has no address from which everybody can load it."""
    address, reason = image_address(None, draft.values.get(URL))
    host = urlsplit(PLACEHOLDERS.sub("0", text(draft.values, URL))).hostname or "" if address else ""
    if not address or is_private_host(host):
        why = reason or (f"{shown(host)} can be reached only from your network" if address else "is missing")
        raise SourceError(f"“{draft.name}” can't be loaded from its public address. Image address: {why}.")


def _page(
    drafts: Sequence[ImageDraft | PublishedImage], height: str, problems: bool, max_bytes: int, above: Above
) -> str:
    images = [_image(draft, number) for number, draft in enumerate(drafts)]
    _fit(images, max_bytes, above)
    data: list[str] = []

    def embed(content: bytes, *, compress: bool = False) -> str:
        name = f"cxw-file-{len(data)}"
        packed = gzip.compress(content, 9, mtime=0) if compress else content
        kind = ' class="cxw-gzip"' if compress else ""
        data.append(f'<script type="text/plain" id="{name}"{kind}>{base64.b64encode(packed).decode("ascii")}</script>')
        return name

    app = [(name, content if name != "surveys.json" else b"[]") for name, content in app_files()]
    script = built("stand_alone.js")
    if "</script" in script or "<!--" in script:
        raise ConstellationsError(
            "The front end of stand-alone pages can't be part of a page: build it with “make js”."
        )
    shown_images = [
        {"title": readable(image.draft.name), "state": _state(image), "fits": _stretch(image)} for image in images
    ]
    content = {
        "height": height,
        "images": shown_images,
        "app": [(name, embed(file, compress=not name.endswith(".jpg"))) for name, file in app],
        "files": {path: embed(file) for image in images for path, file in image.contents()},
    }
    data.insert(0, f'<script type="application/json" id="cxw-content">{_json(content)}</script>')
    linked = [source for image in images if image.files is None for source in _sources(text(image.values, URL))]
    codes = [script.encode(), *(file for name, file in app if name in ("libraries", "app"))]
    titles = [one_line(readable(draft.name), 120) for draft in drafts]
    return _PAGE.substitute(
        policy=html.escape(_policy(codes, list(dict.fromkeys(linked)))),
        title=html.escape(titles[0] if len(titles) == 1 else f"{len(titles)} images on the sky"),
        css=built("stand_alone.css").replace("</", "<\\/"),
        heading=f"<h1>{html_text(titles[0]) if len(titles) == 1 else f'{len(titles)} images on the sky'}</h1>",
        choices=_choices(titles),
        fallback=_fallback(drafts[0]),
        sections="\n".join(
            _section(draft, title, len(titles) > 1, problems) for draft, title in zip(drafts, titles, strict=True)
        ),
        network=" and the image's own address" if linked else "",
        data="\n".join(data),
        script=script,
    )


def _state(image: _Image) -> Mapping[str, Any]:
    drawing = image.drawing()
    local = image.local
    files = None
    if local is not None:
        key = hashlib.sha256(json.dumps([image.number, drawing["wtml"]]).encode()).hexdigest()[:32]
        files = {"key": key, "whole": False, "fault": None, "note": ""}
    return {"revision": 1, **drawing, "files": files, "placing": _PLACING}


def _stretch(image: _Image) -> FitsPixels | None:
    fits = image.files is not None and image.local is not None and (image.pixels or image.local.fits)
    return {**image.files.stretch(), "note": ""} if fits and image.files is not None else None


def _json(content: Any) -> str:
    """Return data as JSON that can stand in a script element."""
    return json.dumps(content, allow_nan=False).replace("<", "\\u003c")


def _policy(codes: Iterable[bytes], sources: Sequence[str]) -> str:
    """Return a Content-Security-Policy that allows these scripts and no others, and no request but to `sources`.

    The engine's frame inherits it. WWT and the preview set styles from scripts.
    """
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(code).digest()).decode('ascii')}'" for code in codes)
    more = "".join(f" {source}" for source in sources)
    connect = f"; connect-src{more}" if more else ""
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:{more}{connect}; "
        "base-uri 'none'; form-action 'none'"
    )


def _sources(template: str) -> list[str]:
    """Return the origins from which an image is loaded."""
    servers = {SERVER.sub(str(number), template) for number in range(4)}
    parts = [urlsplit(PLACEHOLDERS.sub("0", address)) for address in sorted(servers)]
    return [f"{part.scheme}://{part.netloc}" for part in parts if re.fullmatch(r"[\w.\-:\[\]]+", part.netloc)]


def _fallback(draft: ImageDraft | PublishedImage) -> str:
    """Return a picture of the image, for browsers that run no script."""
    data, _ = still(draft)
    png = data.get("image/png", "")
    return f'<img src="data:image/png;base64,{png}" alt="{html.escape(alt_text(draft))}">' if png else ""


def _choices(titles: Sequence[str]) -> str:
    if len(titles) == 1:
        return ""
    buttons = "".join(
        f'<button type="button" data-cxw-show="{number}">{html_text(title)}</button>'
        for number, title in enumerate(titles)
    )
    return f'<nav aria-label="Images">{buttons}</nav>'


def _section(draft: ImageDraft | PublishedImage, title: str, several: bool, problems: bool) -> str:
    """Return the description of an image as HTML. All text is escaped; of the credit line's markup only links and the like are kept."""
    values = draft.values
    rows = [
        ("Title", html_text(text(values, "note"))),
        ("Credit line", clean_credits(text(values, "permissions.credits"))),
        ("Copyright", html_text(text(values, "permissions.copyright"))),
        ("License", html_text(text(values, "permissions.license"))),
        ("Alt text", html_text(text(values, "alt_text"))),
        ("Center", center_text(values)),
    ]
    terms = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows if value not in ("", html_text("")))
    heading = f"<h2>{html_text(title)}</h2>" if several else ""
    found = _problems(draft) if problems else ""
    return f"<section data-cxw-image>{heading}<dl>{terms}</dl>{found}</section>"


def _problems(draft: ImageDraft | PublishedImage) -> str:
    items = "".join(
        f"<li>{html.escape(problem.severity)} {html.escape(problem.code)}"
        f"{f' ({html.escape(problem.field)})' if problem.field else ''}: {html_text(without_addresses(problem.message))}</li>"
        for problem in draft.problems
    )
    return f"<h2>Problems</h2><ul>{items}</ul>" if items else "<p>No problems found.</p>"


def without_addresses(message: str) -> str:
    """Return a message without paths of this machine (their last part stays) and without addresses that only it can reach."""

    def public(match: re.Match[str]) -> str:
        try:
            host = urlsplit(match[0]).hostname or ""
        except ValueError:
            host = ""
        return "(a private address)" if not host or is_private_host(host) else re.sub(r"[?#].*", "", match[0])

    parts = re.split(r"(https?://[^\s“”\"'<>]+)", message)
    for at, part in enumerate(parts):
        if at % 2:
            parts[at] = re.sub(r".+", public, part)
        else:
            parts[at] = re.sub(r"(?<![\w.])(?:~|[A-Za-z]:)?[\\/](?:[^\s\\/:;,“”\"']+[\\/])+", "", part)
    return "".join(parts)
