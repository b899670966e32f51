"""Draw the image on the sky as a small PNG, and list its values: what shows where widgets can't run.

GitHub, nbviewer, nbconvert, PDF and a notebook that is opened without a kernel show these in place of the live preview.
"""

from __future__ import annotations

import base64
import html
import io
import itertools
import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..errors import ConstellationsError, needs_extra
from ..geometry.extent import guessed_size, view_of_image
from ..geometry.plane import TILE, Plane, padded, plane_of, width_factor_of
from ..schema.credits import clean_credits
from ..schema.html_repr import html_block, html_table, html_text
from ..schema.placement import is_tan, number, text
from ..schema.tiles import PLACEHOLDERS
from ..sources.drawing import drawn, eight_bits
from ..sources.hdus import chosen_image, open_fits
from ..sources.large_picture import size_of
from ..sources.quiet import quiet
from ..text import one_line, readable

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure
    from PIL import Image

    from ..draft import ImageDraft
    from ..publishing.published import PublishedImage
    from ..schema.sky_view import SkyView
    from ..sources.local import LocalImage

    Pixels = np.ndarray[Any, Any]

MOST_BYTES = 60_000
"""Maximum size of each representation, in bytes."""

_MOST_PNG = 30_000  # in base64 it is part of the HTML
_WIDTH, _HEIGHT = 480, 320  # pixels of the picture
_SIDE = 512  # pixels of the image from which the picture is drawn
_NUMBERED = {"{1}", "{2}", "{3}"}  # level, x and y of a tile
_MOST_PIXELS = 50_000_000  # of a file that is decoded for this; of a larger one the outline is drawn
_MARGIN = 1.15
_COLORS = (256, 96, 40, 16, 6)
_GROUND, _OUTLINE, _GRID, _LABEL = "#07070f", "#4aa3ff", (255, 255, 255, 90), (235, 235, 235, 255)
_STEPS = (30, 15, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 5e-4, 2e-4, 1e-4)  # degrees
_POLE = 88.0  # degrees; closer to it, meridians are too many to be read
_VIEW = "application/vnd.jupyter.widget-view+json"
_NOT_LIVE = (
    "Not live: run the cell. In a shared notebook whose cell someone else has run, trust the notebook instead "
    "(“Trust Notebook” in the command palette)."
)
"""JupyterLab shows widgets only to those who have run the cell, or trust the notebook."""
_LONGEST_TEXT = 500  # characters of a value in the HTML


def still(draft: ImageDraft | PublishedImage) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return data and metadata of a mimebundle: ``image/png`` if the image can be drawn, and ``text/html``. Raises nothing."""
    alt = alt_text(draft)
    try:
        png, reason = still_png(draft), ""
    except (ImportError, ConstellationsError, OSError, ValueError, ArithmeticError) as error:
        png, reason = b"", one_line(f"There is no picture: {getattr(error, 'strerror', None) or error}")
    encoded = base64.b64encode(png).decode("ascii")
    data: dict[str, Any] = {"text/html": _html(draft, alt, encoded, reason)}
    if png:
        data["image/png"] = encoded
    return data, {"image/png": {"alt": alt}} if png else {}


def with_still(bundle: Any, draft: ImageDraft | PublishedImage | None) -> Any:
    """Return a widget's mimebundle with the data of `still`, for viewers that can't show widgets."""
    if not bundle or draft is None:
        return bundle
    data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
    more, about = still(draft)
    if _VIEW in data:
        more["text/html"] += html_block(f"<p>{_NOT_LIVE}</p>")
    return {**data, **more}, {**metadata, **about}


def alt_text(draft: ImageDraft | PublishedImage) -> str:
    """Return a text alternative of the picture: that of the draft, or one that says what is shown."""
    values = draft.values
    own = one_line(readable(text(values, "alt_text")), _LONGEST_TEXT)
    return (
        own
        or f"“{one_line(readable(draft.name), 200)}” on the sky{f', at {center_text(values)}' if center_text(values) else ''}."
    )


def still_png(draft: ImageDraft | PublishedImage) -> bytes:
    """Return the image on the sky, north up with a grid, as a PNG.

    Pillow draws it: matplotlib would take longer to import than the live preview takes to start. `wcs_figure` is for papers.

    Raises
    ------
    SourceError
        If the placement is incomplete, not on a plane, or the image can't be read.
    """
    from PIL import Image, ImageDraw

    pixels, plane, size, view = _placed(draft)
    sky = Plane(view.ra, view.dec, _WIDTH / 2, _HEIGHT / 2, _scale(view), 0.0)
    picture = Image.new("RGBA", (_WIDTH, _HEIGHT), _GROUND)
    if pixels is not None:
        columns, rows = _grid_of_pixels()
        picture.alpha_composite(
            Image.fromarray(_resampled(pixels, size, plane, *sky.sky(columns + 0.5, rows + 0.5))[::-1])
        )
    picture = picture.convert("RGB")
    brush = ImageDraw.Draw(picture, "RGBA")  # what is translucent lets the image through
    _draw_grid(brush, sky)
    corners = [sky.pixel(*plane.sky(x, y)) for x, y in _corners(size)]
    brush.line([(x, _HEIGHT - y) for x, y in corners], fill=_OUTLINE, width=2)
    return _compressed(picture)


def wcs_figure(draft: ImageDraft | PublishedImage) -> Figure:
    """Return the image on the sky as a matplotlib figure with one `astropy.visualization.wcsaxes.WCSAxes`, north up.

    Raises the errors of `still_png`, and ConstellationsError if matplotlib is not installed.
    """
    from astropy.wcs import WCS

    with needs_extra("wwt", "A figure", otherwise="pip install matplotlib"):
        from matplotlib.figure import Figure

    pixels, plane, size, view = _placed(draft)
    sky = WCS(Plane(view.ra, view.dec, _WIDTH / 2, _HEIGHT / 2, _scale(view), 0.0).cards())
    figure = Figure(figsize=(6.4, 4.8), layout="constrained")
    with quiet():
        axes = figure.add_subplot(projection=sky)
        if pixels is not None:
            columns, rows = _grid_of_pixels()
            axes.imshow(_resampled(pixels, size, plane, *sky.wcs_pix2world(columns, rows, 0)), origin="lower")
        corners = [plane.sky(x, y) for x, y in _corners(size)]
        axes.plot(*zip(*corners, strict=True), transform=axes.get_transform("icrs"), color=_OUTLINE, linewidth=1)
        axes.set(
            facecolor=_GROUND,
            xlim=(-0.5, _WIDTH - 0.5),
            ylim=(-0.5, _HEIGHT - 0.5),
            title=one_line(draft.name, 80).replace("$", r"\$"),
        )
        axes.coords.grid(color="white", alpha=0.35, linewidth=0.6)
        for axis, label in zip(axes.coords, ("RA (ICRS)", "Dec (ICRS)"), strict=True):
            axis.set_axislabel(label)
    return figure


def _placed(draft: ImageDraft | PublishedImage) -> tuple[Pixels | None, Plane, tuple[float, float], SkyView]:
    """Return the image's pixels in low resolution, its plane, its size in pixels of that plane, and a view that contains it."""
    values, local = draft.values, draft.local
    pixels, size = _pixels(local, values) if local is not None else (None, None)
    size = size or (local.size if local is not None and not local.tiled else None)
    if size is None and is_tan(values):
        size = padded(int(number(values, "wwt.tile_levels") or 0), width_factor_of(values))
    plane = plane_of(values, size)  # first: it raises if the placement is incomplete
    width, height = size or guessed_size(values)
    fields = {path.removeprefix("wwt."): value for path, value in values.items() if path.startswith("wwt.")}
    return pixels, plane, (width, height), view_of_image(fields, (int(width), int(height)))


def _scale(view: SkyView) -> float:
    """Return the degrees per pixel at which a view fits into the picture."""
    return _MARGIN * view.height * max(1 / _HEIGHT, view.aspect / _WIDTH)


def _corners(size: tuple[float, float]) -> list[tuple[float, float]]:
    width, height = size
    return [(0, 0), (width, 0), (width, height), (0, height), (0, 0)]


def _grid_of_pixels() -> tuple[Pixels, Pixels]:
    """Return columns and rows of all pixels of the picture, rows from the bottom."""
    import numpy as np

    rows, columns = np.mgrid[0:_HEIGHT, 0:_WIDTH]
    return columns, rows


def _draw_grid(brush: Any, sky: Plane) -> None:
    """Draw parallels and meridians, each with its degrees where it meets the left or lower edge.

    Without numpy, which takes 10 MB of a kernel's memory: nothing else needs it for an image that is not on this machine.
    """
    half = sky.scale * math.hypot(_WIDTH, _HEIGHT) / 2
    step = next((step for step in _STEPS if step * 4 <= sky.scale * _HEIGHT), _STEPS[-1])
    across = min(180.0, half / max(math.cos(math.radians(min(abs(sky.dec) + half, 90))), 1e-6))
    meridian = next((each for each in _STEPS if each * 4 <= 2 * across), step)
    along = [step_ / 60 - 1 for step_ in range(121)]

    def line(positions: Iterable[tuple[float, float]], label: str, edge: int) -> None:
        pixels = (sky.pixel(ra, min(max(dec, -90.0), 90.0)) for ra, dec in positions)
        points = [(x, _HEIGHT - y) for x, y in pixels if math.isfinite(x) and math.isfinite(y)]
        seen = [at for at in points if 0 <= at[0] <= _WIDTH and 0 <= at[1] <= _HEIGHT]
        if len(seen) < 2:
            return
        brush.line(points, fill=_GRID, width=1)
        at = min(seen, key=lambda at: at[0] if edge == 0 else -at[1])
        if (at[0] if edge == 0 else _HEIGHT - at[1]) < _WIDTH / 4:
            brush.text((at[0] + 3, at[1] - 13), label, fill=_LABEL)

    for number_ in range(math.ceil((sky.dec - half) / step), math.floor((sky.dec + half) / step) + 1):
        if abs(dec := number_ * step) <= 90:
            line(((sky.ra + across * part, dec) for part in along), _degrees(dec, step, signed=True), 0)
    if abs(sky.dec) + half < _POLE:
        for number_ in range(math.ceil((sky.ra - across) / meridian), math.floor((sky.ra + across) / meridian) + 1):
            ra = number_ * meridian
            line(((ra, sky.dec + half * part) for part in along), _degrees(ra % 360, meridian), 1)


def _degrees(angle: float, step: float, *, signed: bool = False) -> str:
    digits = max(0, math.ceil(-math.log10(step) - 1e-9))
    return f"{angle:{'+' if signed else ''}.{digits}f}°"


def _resampled(pixels: Pixels, size: tuple[float, float], plane: Plane, ra: Pixels, dec: Pixels) -> Pixels:
    """Return the nearest pixel of the image at each position, or a transparent one."""
    import numpy as np

    with np.errstate(all="ignore"):
        x, y = plane.pixel(ra, dec)
        across, down = x / size[0] * pixels.shape[1], (1 - y / size[1]) * pixels.shape[0]
        inside = (across >= 0) & (across < pixels.shape[1]) & (down >= 0) & (down < pixels.shape[0])
    result = np.zeros((*ra.shape, 4), np.uint8)
    result[inside] = pixels[down[inside].astype(int), across[inside].astype(int)]
    return result


def _pixels(local: LocalImage, values: Mapping[str, Any]) -> tuple[Pixels | None, tuple[int, int] | None]:
    """Return RGBA pixels of the whole image in low resolution, rows from the top, and the size of the image they stand for."""
    import numpy as np
    from PIL import Image

    if local.hips or (local.tiled and not is_tan(values)):
        return None, None
    if local.tiled:
        level = 1 if set(PLACEHOLDERS.findall(local.template)) == _NUMBERED else 0
        width, height = (side // TILE for side in padded(level, width_factor_of(values)))
        whole = Image.new("RGBA", (TILE * width, TILE * height))
        for x, y in itertools.product(range(width), range(height)):
            name = local.tile(level, x, y) if level else local.second_root if x else local.top
            if name == local.top or local.where(name).exists():  # the others are holes in the pyramid
                whole.paste(_open(local, name), (TILE * x, TILE * y))
        return np.asarray(whole), None
    if local.fits:
        with open_fits(local.guarded(local.top)) as hdus:
            chosen = chosen_image(hdus, local.where(local.top).name, local.hdu)
            height, width = chosen.plane_shape
            step = max(1, max(height, width) // _SIDE)
            picture = drawn(chosen.pixels[::step, ::step], local.where(local.top).name)
        return np.asarray(picture.convert("RGBA")), (width, height)
    size = size_of(local)
    if size[0] * size[1] > _MOST_PIXELS:
        return None, size
    return np.asarray(_open(local, local.top)), size


def _open(local: LocalImage, name: str) -> Any:
    """Return a picture of the image's files in low resolution."""
    from PIL import Image

    what = local.where(name).name
    if local.fits:
        with local.open(name) as file, open_fits(io.BytesIO(file.read())) as hdus:
            return drawn(chosen_image(hdus, what).pixels, what).convert("RGBA")
    with quiet(), local.open(name) as file, Image.open(file) as image:
        image.draft("RGB", (2 * _SIDE, 2 * _SIDE))
        picture = eight_bits(image, what)
        picture.thumbnail((_SIDE, _SIDE))
        return picture.convert("RGBA")


def _compressed(picture: Image.Image) -> bytes:
    """Return a picture as a PNG of limited size: with fewer colors, and smaller if that is not enough."""
    while True:
        for colors in _COLORS:
            stream = io.BytesIO()
            picture.quantize(colors).save(stream, "png", optimize=True)
            if len(stream.getvalue()) <= _MOST_PNG:
                return stream.getvalue()
        picture = picture.resize((picture.width * 3 // 4, picture.height * 3 // 4))


def _html(draft: ImageDraft | PublishedImage, alt: str, encoded: str, reason: str) -> str:
    values = draft.values
    credit = text(values, "permissions.credits")
    rows = [
        ("Name", html_text(one_line(draft.name, 200))),
        ("Title", _limited(values, "note")),
        ("Center", html_text(center_text(values))),
        ("Rotation", _number(values, "wwt.rotation", "°")),
        ("Projection", _limited(values, "wwt.projection")),
        (
            "Credit line",
            clean_credits(credit) if len(credit) <= 2 * _LONGEST_TEXT else html_text(credit[:_LONGEST_TEXT]),
        ),
        ("Copyright", _limited(values, "permissions.copyright")),
        ("License", _limited(values, "permissions.license")),
        ("Alt text", _limited(values, "alt_text")),
    ]
    picture = (
        f'<img src="data:image/png;base64,{encoded}" alt="{html.escape(alt)}" style="max-width:100%">'
        if encoded
        else f"<p>{html_text(reason)}</p>"
    )
    return html_block(
        picture, html_table([], [(name, value) for name, value in rows if value not in ("", html_text(""))])
    )


def _limited(values: Mapping[str, Any], path: str) -> str:
    return html_text(text(values, path)[:_LONGEST_TEXT])


def _number(values: Mapping[str, Any], path: str, unit: str) -> str:
    value = number(values, path)
    return "" if value is None else f"{value:.6g}{unit}"


def center_text(values: Mapping[str, Any]) -> str:
    """Return the projection center as text; "" if it is incomplete."""
    ra, dec = number(values, "wwt.center_x"), number(values, "wwt.center_y")
    return f"RA {ra:.5f}°, Dec {dec:+.5f}°" if ra is not None and dec is not None else ""
