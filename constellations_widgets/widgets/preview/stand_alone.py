"""Write drafts as a page of their own: the live preview with its files in one HTML file, which needs no kernel and no network."""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import json
import re
import string
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ...checks.address import is_private_host
from ...errors import ConstellationsError
from ...outputs.exports import write_output
from ...outputs.still import alt_text, center_text, still
from ...schema.credits import clean_credits
from ...schema.fields import fields
from ...schema.html_repr import html_text
from ...schema.placement import shown, text
from ...state import user_path
from ...text import about, one_line, readable
from ..base import built, require_draft
from ..wwt.app import app_files
from .page_images import MOST_BYTES, Above, fit, page_image

if TYPE_CHECKING:
    from ...checks import Problem
    from ...draft import ImageDraft
    from ...publishing.published import PublishedImage

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
    target = user_path(path)
    content = _page(chosen, height, problems, max_bytes, above).encode("utf-8", "replace")
    write_output(target, content, "page")
    return target


def page_of(draft: ImageDraft | PublishedImage, height: str) -> str:
    """Return the page of one draft as HTML, with its files reduced to the default size.

    Parameters and errors are those of `save_html`.
    """
    return _page([draft], height, False, MOST_BYTES, "reduce")


def _page(
    drafts: Sequence[ImageDraft | PublishedImage], height: str, problems: bool, max_bytes: int, above: Above
) -> str:
    images = [page_image(draft, number) for number, draft in enumerate(drafts)]
    fit(images, max_bytes, above)
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
        {"title": readable(image.draft.name), "state": image.state(), "fits": image.stretch()} for image in images
    ]
    content = {
        "height": height,
        "images": shown_images,
        "app": [(name, embed(file, compress=not name.endswith(".jpg"))) for name, file in app],
        "files": {path: embed(file) for image in images for path, file in image.contents()},
    }
    data.insert(0, f'<script type="application/json" id="cxw-content">{_json(content)}</script>')
    linked = [source for image in images for source in image.sources()]
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
        f"<li>{html.escape(problem.severity)} {html.escape(problem.code)}: {html_text(_sentence(problem))}</li>"
        for problem in draft.problems
    )
    return f"<h2>Problems</h2><ul>{items}</ul>" if items else "<p>No problems found.</p>"


def _sentence(problem: Problem) -> str:
    """Return a problem as a sentence about its field."""
    spec = fields().get(problem.field)
    return about(spec.title if spec else "The image", without_addresses(problem.message))


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
