"""Read pictures of any size with libvips, as they are drawn: sRGB with 8 bits a channel, a part at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import SourceError
from ..geometry.engine import levels_of, padded
from ..geometry.plane import TILE
from ..interface import in_terms
from .drawing import color_profile, finite_range, is_deep_gray, open_header, plain_mode, png_gray, stretched

INSTALL = 'pip install "constellations_widgets[tiling]"'

_ROWS = 256  # rows of a picture that are read at a time for its range of values
_EXTRA_SAMPLES = 338  # TIFF's tag: 1 is alpha by which the colors are multiplied
_NUMPY = {
    "uchar": "u1", "char": "i1", "ushort": "u2", "short": "i2", "uint": "u4", "int": "i4", "float": "f4", "double": "f8",
}  # fmt: skip

Step = Callable[[float], None]


def png() -> str:
    """Return how PNG tiles are asked for, in the terms of the interface in use."""
    return in_terms('file_type=".png"', "--file-type .png")


def is_available() -> bool:
    """Return whether libvips can be used."""
    try:
        import pyvips  # noqa: F401
    except (ImportError, OSError):  # OSError: the package is installed, but not the library that it loads
        return False
    return True


def can_read(path: Path) -> bool:
    """Return whether libvips is installed and reads this kind of picture correctly."""
    if not is_available():
        return False
    import pyvips

    try:
        with open_header(path) as header:
            # libvips takes the channels of a TIFF that is YCbCr without JPEG for red, green and blue.
            return header.mode != "YCbCr" and bool(pyvips.Image.new_from_file(str(path), revalidate=True).width)
    except (pyvips.Error, OSError, SyntaxError, ValueError):
        return False


@dataclass(frozen=True)
class VipsPicture:
    """A picture file, and how its pixels become those of tiles: sRGB with 8 bits a channel. `inspect` makes it.

    Attributes
    ----------
    path : Path
        The file.
    size : (int, int)
        Width and height in pixels.
    file_type : {".png", ".jpg"}
        File type of the tiles.
    upside_down : bool
        Whether the tiles hold the rows in reverse order, for a mirrored image.
    mode, drawn_mode : str
        Pillow's mode of the file, and the one with 8 bits a channel in which it is drawn.
    has_profile : bool
        Whether the file's ICC profile is applied.
    premultiplied : bool
        Whether the file's colors are multiplied by their alpha.
    cuts : (float, float) or None
        The values drawn black and white, for gray of more than 8 bits that is not a PNG.
    """

    path: Path
    size: tuple[int, int]
    file_type: str
    upside_down: bool
    mode: str
    drawn_mode: str
    has_profile: bool
    premultiplied: bool
    cuts: tuple[float, float] | None

    @classmethod
    def inspect(cls, header: Any, path: Path, file_type: str, *, upside_down: bool, step: Step) -> VipsPicture:
        """Return the picture at `path`; gray of more than 8 bits is read through for its range of values.

        Parameters
        ----------
        header : PIL.Image.Image
            The file as Pillow opens it; its pixels are not read.
        path, file_type, upside_down
            As the attributes.
        step : callable
            Called while the picture is read; the error that it raises ends the work.

        Raises
        ------
        SourceError
            If the file is damaged, its colors have no conversion to sRGB, or JPEG can't hold its tiles.
        """
        drawn_mode = plain_mode(header, path.name)
        if file_type == ".jpg" and ("A" in drawn_mode or set(header.size) != {padded(levels_of(header.size))[0]}):
            raise SourceError(
                f"{path.name} can't have JPEG tiles: it is transparent in places, or does not fill the square of 256 · 2ⁿ "
                f"pixels that is cut, and JPEG would show black there. Use {png()}"
            )
        cuts = None
        if is_deep_gray(header.mode) and header.format != "PNG":
            with vips_errors(path):
                cuts = finite_range(_strips(path, step), path.name)
        return cls(
            path,
            header.size,
            file_type,
            upside_down,
            header.mode,
            drawn_mode,
            color_profile(header) is not None,
            header.format == "TIFF" and 1 in header.tag_v2.get(_EXTRA_SAMPLES, ()),
            cuts,
        )

    @property
    def levels(self) -> int:
        """Number of the deepest level."""
        return levels_of(self.size)

    @property
    def corner(self) -> tuple[int, int]:
        """Column and row of the picture's upper left pixel among those of all tiles, as toasty places it."""
        side = padded(self.levels)[0]
        return (side - self.size[0]) // 2, (side - self.size[1]) // 2

    def crop(self, left: int, top: int, width: int, height: int, folder: Path) -> Any:
        """Return a part of the picture as it is drawn: sRGB of 8 bits, with alpha unless the tiles are JPEG.

        Its rows can be read once, from the top. If they are reversed, they are written to `folder` first: libvips
        would take memory, or space in the system's temporary folder.
        """
        picture = _to_8_bits(_open(self.path), self)
        if not self.upside_down:
            return picture.crop(left, top, width, height)
        import pyvips

        rows = folder / "rows.tif"
        part = picture.crop(left, self.size[1] - top - height, width, height)
        part.tiffsave(str(rows), tile=True, tile_width=TILE, tile_height=TILE, bigtiff=True, compression="none")
        return pyvips.Image.new_from_file(str(rows), revalidate=True).flipver()


def _strips(path: Path, step: Step) -> Iterator[Any]:
    """Yield the values of the first channel of a picture, some rows at a time."""
    import numpy as np
    import pyvips

    picture = _open(path)[0]
    region = pyvips.Region.new(picture)
    for top in range(0, picture.height, _ROWS):
        step(0.0)
        rows = region.fetch(0, top, picture.width, min(_ROWS, picture.height - top))
        yield np.frombuffer(rows, dtype=_NUMPY[picture.format])


def _open(path: Path) -> Any:
    """Open a picture, whose rows can be read once, from the top; raise pyvips' error if a row is damaged."""
    import pyvips

    loader = pyvips.Image.new_from_file(str(path)).get("vips-loader")
    options = {"unlimited": True} if "unlimited" in pyvips.Introspect.get(loader).optional_input else {}
    return pyvips.Image.new_from_file(str(path), access="sequential", fail_on="error", revalidate=True, **options)


def _to_8_bits(pixels: Any, picture: VipsPicture) -> Any:
    """Convert pixels as `drawing.eight_bits` does, and add an alpha channel unless the tiles are JPEG."""
    pixels = _scaled(pixels, picture)
    if picture.premultiplied:
        pixels = pixels.unpremultiply().rint().cast("uchar")
    if picture.has_profile:
        pixels = pixels.icc_transform("srgb", embedded=True, intent="perceptual", depth=8)
    elif picture.mode == "LAB":
        pixels = pixels.colourspace("srgb")
    elif picture.mode == "CMYK":
        pixels = ((255 - pixels[:3]) * (255 - pixels[3]) / 255).rint().cast("uchar")
    alpha = pixels[pixels.bands - 1] if "A" in picture.drawn_mode and pixels.bands in (2, 4) else 255
    colors = pixels[:3] if pixels.bands >= 3 else pixels[0].bandjoin([pixels[0], pixels[0]])
    return (colors if picture.file_type == ".jpg" else colors.bandjoin(alpha)).copy(interpretation="srgb")


def _scaled(pixels: Any, picture: VipsPicture) -> Any:
    import numpy as np
    import pyvips

    if picture.cuts is None:
        if pixels.format != "ushort":
            return pixels
        # Of colors with 16 bits Pillow takes the high byte.
        values = np.arange(1 << 16)
        table = png_gray(values) if is_deep_gray(picture.mode) else (values >> 8).astype("uint8")
    elif pixels.format == "ushort":
        table = stretched(np.arange(1 << 16), *picture.cuts)
    else:
        low, high = picture.cuts
        values = pixels.cast("double")
        finite = (values - values) == 0
        return ((finite.ifthenelse(values, low) - low) * (255 / ((high - low) or 1.0))).rint().cast("uchar")
    return pixels.maplut(pyvips.Image.new_from_array(table.reshape(1, -1)))


@contextlib.contextmanager
def vips_errors(path: Path) -> Iterator[None]:
    """Context that turns errors of libvips into a SourceError."""
    import pyvips

    try:
        yield
    except pyvips.Error as error:
        reason = " ".join(str(error).split())[:300]
        raise SourceError(f"{path.name} can't be cut into tiles: {reason}") from None
