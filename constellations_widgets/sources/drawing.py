"""Convert FITS pixels and TIFF to pictures that browsers draw, stored in the user's state directory."""

from __future__ import annotations

import hashlib
import io
import itertools
import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SourceError
from ..state import state_dir, state_remedy, write_file
from ..text import stem_of

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

    from .local import LocalImage

THUMBNAIL_SIZE = (96, 45)
"""Width and height in pixels that WWT shows in its lists."""
_SAMPLE = 4 << 20  # most pixels used to compute the stretch
_STRIP = 1 << 22  # most pixels stretched at a time
_COLOR_CHANNELS = {"L": "L", "LA": "L", "CMYK": "CMYK"}  # of Pillow's modes; all others are converted to RGB first
_LONGEST_NAME = 60  # characters, each of up to 4 of the 255 bytes that a name may have
_SAME_COLOR = 2  # counts by which a profile may move colors and is still sRGB


def picture_of(pixels: np.ndarray[Any, Any], what: str, name: str) -> Path:
    """Draw the pixels of a FITS image as a PNG; return its path. `name` is the file's, without extension.

    Raises
    ------
    SourceError
        If the image cannot be drawn or written.
    """
    return save(drawn(pixels, what), what, name)


def save(picture: Image.Image, what: str, name: str) -> Path:
    """Write a picture to the state directory as a PNG; return its path.

    Raises
    ------
    SourceError
        If it cannot be written.
    """
    stream = io.BytesIO()
    picture.save(stream, "png")
    return store(stream.getvalue(), what, f"{name}.png")


def store(content: bytes, what: str, name: str) -> Path:
    """Write the file of a picture to the state directory; return its path.

    Raises
    ------
    SourceError
        If it cannot be written.
    """
    try:
        target = state_dir("pictures") / name
        write_file(target, content)
    except OSError as error:
        raise SourceError(
            f"The picture of {what} can't be written ({error.strerror or error}): {state_remedy(error)}"
        ) from None
    return target


def drawn(pixels: np.ndarray[Any, Any], what: str) -> Image.Image:
    """Return FITS pixels as gray with alpha, or as colors, rows from top to bottom: asinh stretch, percentiles 1 to 99.7.

    Colors share one stretch, so that hues stay; see also `is_stretched`. What has no finite value is transparent.

    Parameters
    ----------
    pixels : array
        Of the shape (height, width), or (height, width, 3) for red, green and blue; rows from the bottom.
    what : str
        Names the image in errors.

    Raises
    ------
    SourceError
        If no pixel is finite.
    """
    import numpy as np
    from PIL import Image

    channels = pixels[..., np.newaxis] if pixels.ndim == 2 else pixels
    height, width, count = channels.shape
    stretch = _asinh_stretch(channels, what) if is_stretched(pixels) else np.asarray
    result = np.empty((height, width, count + 1), "uint8")
    rows = max(1, _STRIP // (width * count))
    for top in range(0, height, rows):  # in strips, since the file may not fit in memory
        values = channels[top : top + rows]
        strip = slice(height - top - len(values), height - top)
        result[strip, :, :-1] = stretch(values)[::-1]
        result[strip, :, -1] = np.where(np.isfinite(values).any(axis=2), 255, 0)[::-1]
    if count == 1:
        return Image.fromarray(result, "LA")
    return Image.fromarray(result if (result[..., -1] == 0).any() else np.ascontiguousarray(result[..., :-1]))


def is_stretched(pixels: np.ndarray[Any, Any]) -> bool:
    """Return whether `drawn` stretches pixels: all but colors of 8 bits, which are a picture already."""
    return pixels.ndim == 2 or pixels.dtype != "uint8"


def _asinh_stretch(channels: np.ndarray[Any, Any], what: str) -> Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]]:
    """Return the function that stretches pixels to 0 to 255, by the percentiles of all channels together."""
    import numpy as np
    from astropy.visualization import AsinhStretch

    step = max(1, round((channels.size / _SAMPLE) ** 0.5))
    sample = np.asarray(channels[::step, ::step], dtype=float)
    finite = sample[np.isfinite(sample)]
    if not finite.size:
        raise SourceError(f"{what} has no finite pixel: there is nothing to draw")
    low, high = np.percentile(finite, [1, 99.7])
    asinh = AsinhStretch(0.1)

    def stretch(part: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        with np.errstate(over="ignore"):  # infinite pixels, and ranges too small for a double, end at 0 and 1
            known = np.nan_to_num(np.asarray(part, dtype=float), nan=low)
            scaled = np.clip((known - low) / ((high - low) or 1.0), 0, 1)
        return np.asarray((asinh(scaled) * 255).round(), dtype="uint8")

    return stretch


def whole_picture(local: LocalImage) -> Image.Image:
    """Return a picture of a whole image: its file, or the opaque part of its top tile; FITS as drawn.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If its content cannot be decoded.
    SourceError
        If it is no picture that can be drawn.
    """
    from PIL import Image

    path = local.where(local.top)
    if local.fits:
        from .hdus import chosen_image, open_fits

        with open_fits(path) as hdus:
            picture = drawn(chosen_image(hdus, path.name).pixels, path.name)
    else:
        with Image.open(path) as image:
            image.draft("RGB", (1024, 1024))  # a JPEG is decoded at the size that is needed
            picture = eight_bits(image, path.name)
    if local.tiled and picture.has_transparency_data and (box := picture.convert("RGBA").getchannel("A").getbbox()):
        picture = picture.crop(box)
    return picture


def thumbnail(picture: Image.Image) -> Image.Image:
    """Return a picture cropped and scaled to the 96 x 45 pixels of WWT's thumbnails, on black."""
    from PIL import Image, ImageOps

    small = ImageOps.fit(picture.convert("RGBA"), THUMBNAIL_SIZE)
    return Image.alpha_composite(Image.new("RGBA", small.size, "black"), small).convert("RGB")


def as_png(path: Path, what: str) -> Path:
    """Write the pixels of a picture that browsers don't draw as a PNG with 8 bits per channel; return its path.

    Raises
    ------
    SourceError
        If it cannot be converted or written.
    """
    from PIL import Image

    with Image.open(path) as image:
        drawn_image = eight_bits(image, what)
    return save(drawn_image, what, picture_name(path.name, str(path.resolve())))


def picture_name(file: str, key: str) -> str:
    """Return the name, without extension, under which the picture of a file is saved; `key` tells it from others of that name."""
    return f"{stem_of(file)[:_LONGEST_NAME]}-{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def eight_bits(image: Image.Image, what: str) -> Image.Image:
    """Return a picture with 8 bits per channel in sRGB, in the mode L, LA, RGB or RGBA, as a browser draws it.

    Gray with more bits is scaled by its largest possible value for a PNG, as browsers do; other kinds of picture,
    which browsers don't draw, are stretched from their darkest to their brightest value. Colors are converted by the
    picture's ICC profile.

    Raises
    ------
    SourceError
        If it has no finite pixel, or colors that have no plain conversion; `what` names it.
    """
    from PIL import Image

    if is_deep_gray(image.mode):
        if image.format != "PNG":
            return _stretched(image, what)
        import numpy as np

        values = np.asarray(image)
        plain = Image.fromarray(png_gray(values))
        if isinstance(hidden := image.info.get("transparency"), int):
            plain.putalpha(Image.fromarray(np.where(values == hidden, 0, 255).astype("uint8")))
        return _to_srgb(plain, color_profile(image))
    mode = plain_mode(image, what)
    profile = color_profile(image)
    if profile is not None and image.mode == "CMYK":
        return _to_srgb(image, profile)
    plain = image.copy() if image.mode == mode else image.convert(mode)
    return _to_srgb(plain, profile)


def open_header(path: Path) -> Image.Image:
    """Open a picture of any size with Pillow, to read nothing but its header."""
    from PIL import Image

    try:
        return Image.open(path)
    except Image.DecompressionBombError:
        with path.open("rb") as file:
            start = file.read(16)
        Image.init()
        for kind in ("PNG", "JPEG", "TIFF"):
            factory, accepts = Image.OPEN[kind]
            if accepts is None or accepts(start) is True:
                # What Image.open calls before it counts the pixels.
                return factory(str(path), str(path))  # type: ignore[arg-type]  # it takes names as well
        raise


def is_deep_gray(mode: str) -> bool:
    """Return whether pictures of one of Pillow's modes have one channel of more than 8 bits."""
    return mode.startswith(("I", "F"))


def plain_mode(image: Image.Image, what: str) -> str:
    """Return the mode (L, LA, RGB or RGBA) that holds a picture with 8 bits per channel.

    Raises
    ------
    SourceError
        If its colors have no plain conversion; `what` names it.
    """
    from PIL import Image

    if is_deep_gray(image.mode):
        return "LA" if image.format == "PNG" and isinstance(image.info.get("transparency"), int) else "L"
    if image.mode in ("L", "LA", "RGB", "RGBA") and "transparency" not in image.info:
        return image.mode
    try:
        Image.new(image.mode, (1, 1)).convert("RGB")
    except ValueError:
        raise SourceError(f"{what} has {image.mode} colors, which can't be drawn: save it with RGB colors") from None
    return "RGBA" if image.has_transparency_data else "L" if image.mode in ("1", "L") else "RGB"


def png_gray(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Scale the gray of a PNG with 16 bits to 8 bits."""
    import numpy as np

    return np.asarray(np.clip(values, 0, 65535) // 257, dtype="uint8")


def finite_range(strips: Iterable[np.ndarray[Any, Any]], what: str) -> tuple[float, float]:
    """Return the smallest and the largest finite value of all strips of an image.

    Raises
    ------
    SourceError
        If no value is finite; `what` names the image.
    """
    import numpy as np

    low, high = math.inf, -math.inf
    for strip in strips:
        known = strip[np.isfinite(strip)]
        if known.size:
            low, high = min(low, float(known.min())), max(high, float(known.max()))
    if low > high:
        raise SourceError(f"{what} has no finite pixel: there is nothing to draw")
    return low, high


def stretched(values: np.ndarray[Any, Any], low: float, high: float) -> np.ndarray[Any, Any]:
    """Scale values to 0 for `low` and below, 255 for `high` and above; 0 if they are not finite."""
    import numpy as np

    values = np.asarray(values, dtype=float)
    scaled = np.clip((np.where(np.isfinite(values), values, low) - low) / ((high - low) or 1.0), 0, 1)
    return np.asarray((scaled * 255).round(), dtype="uint8")


def color_profile(image: Image.Image) -> bytes | None:
    """Return the ICC profile by which a picture is converted to sRGB; None if its numbers are sRGB already.

    A profile that cannot be used is ignored, as browsers do: a damaged one, or one for other channels. So is one that
    moves no color by more than `_SAME_COLOR` counts: the conversion would add nothing but rounding.
    """
    import numpy as np
    from PIL import Image, ImageChops, ImageCms

    profile = image.info.get("icc_profile")
    if not profile or image.mode == "1" or (is_deep_gray(image.mode) and image.format != "PNG"):
        return None
    channels = "L" if is_deep_gray(image.mode) else _COLOR_CHANNELS.get(image.mode, "RGB")
    bands = len(Image.new(channels, (1, 1)).getbands())
    levels = range(0, 256, 51)
    grid = bytes(itertools.chain.from_iterable(itertools.product(levels, repeat=bands)))
    sample = Image.frombytes(channels, (len(levels) ** bands, 1), grid)
    try:
        converted = _convert(sample, profile)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None
    if channels == "CMYK":
        return bytes(profile)
    furthest = np.asarray(ImageChops.difference(sample.convert("RGB"), converted)).max()
    return bytes(profile) if furthest > _SAME_COLOR else None


def _to_srgb(plain: Image.Image, profile: bytes | None) -> Image.Image:
    plain.info.pop("icc_profile", None)  # the pixels that are returned are sRGB
    if profile is None:
        return plain
    if plain.mode not in ("LA", "RGBA"):
        return _convert(plain, profile)
    converted = _convert(plain.convert(plain.mode[:-1]), profile)
    converted.putalpha(plain.getchannel("A"))
    return converted


def _convert(image: Image.Image, profile: bytes) -> Image.Image:
    from PIL import ImageCms

    transform = ImageCms.buildTransform(io.BytesIO(profile), ImageCms.createProfile("sRGB"), image.mode, "RGB")
    converted = transform.apply(image)
    converted.info.pop("icc_profile", None)
    return converted


def _stretched(image: Image.Image, what: str) -> Image.Image:
    """Return the picture stretched from darkest to brightest, in strips: as floats it may not fit in memory."""
    import numpy as np
    from PIL import Image

    width, height = image.size
    rows = max(1, _STRIP // width)
    strips = [(0, top, width, min(top + rows, height)) for top in range(0, height, rows)]
    low, high = finite_range((np.asarray(image.crop(strip), dtype=float) for strip in strips), what)
    gray = Image.new("L", image.size)
    for strip in strips:
        gray.paste(Image.fromarray(stretched(np.asarray(image.crop(strip)), low, high)), strip[:2])
    return gray
