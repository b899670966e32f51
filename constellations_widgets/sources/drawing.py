"""Pictures that browsers draw, made of what they don't: FITS pixels, TIFF. They lie in the user's state directory."""

from __future__ import annotations

import hashlib
import io
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SourceError
from ..state import state_dir, write_file

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

_SAMPLE = 4 << 20  # pixels from which the stretch is made
_STRIP = 1 << 22  # pixels that are stretched at a time


def picture_of(pixels: np.ndarray[Any, Any], what: str, name: str) -> Path:
    """A PNG of the pixels of a FITS image, its path; `name` is that of the file, without extension. Raises SourceError."""
    return save(drawn(pixels, what), what, name)


def save(picture: Image.Image, what: str, name: str) -> Path:
    """Write a picture to the state directory as a PNG; its path. Raises SourceError where that can't be."""
    stream = io.BytesIO()
    picture.save(stream, "png")
    try:
        target = state_dir("pictures") / f"{name}.png"
        write_file(target, stream.getvalue())
    except OSError as error:
        raise SourceError(
            f"The picture of {what} can't be written to the state directory ({error}): set CXW_STATE_DIR to another"
        ) from None
    return target


def drawn(pixels: np.ndarray[Any, Any], what: str) -> Image.Image:
    """Grey and alpha of FITS pixels, rows from top to bottom: an asinh stretch between the 1 and 99.7 percentiles."""
    import numpy as np
    from astropy.visualization import AsinhStretch
    from PIL import Image

    height, width = pixels.shape
    step = max(1, round((pixels.size / _SAMPLE) ** 0.5))
    sample = np.asarray(pixels[::step, ::step], dtype=float)
    finite = sample[np.isfinite(sample)]
    if not finite.size:
        raise SourceError(f"{what} has no finite pixel: there is nothing to draw")
    low, high = np.percentile(finite, [1, 99.7])
    stretch = AsinhStretch(0.1)
    result = np.empty((height, width, 2), "uint8")
    rows = max(1, _STRIP // width)
    for top in range(0, height, rows):  # in strips: the file may be larger than the memory
        values = np.asarray(pixels[top : top + rows], dtype=float)
        known = np.isfinite(values)
        with np.errstate(over="ignore"):  # infinite pixels, and ranges too small for a double, end at 0 and 1
            scaled = np.clip((np.nan_to_num(values, nan=low) - low) / ((high - low) or 1.0), 0, 1)
        strip = slice(height - top - len(values), height - top)
        result[strip, :, 0] = (stretch(scaled) * 255).round().astype("uint8")[::-1]
        result[strip, :, 1] = np.where(known, 255, 0)[::-1]
    return Image.fromarray(result, "LA")


def as_png(path: Path, what: str) -> Path:
    """A PNG of 8 bits a channel with the pixels of a picture that browsers don't draw. Raises what Pillow does, and SourceError."""
    from PIL import Image

    with Image.open(path) as image:
        if image.mode.startswith(("I", "F")):  # 16 or 32 bits of grey
            plain = _grey(image, what)
        else:
            plain = image.convert("RGBA" if image.has_transparency_data else "RGB")
    return save(
        plain, what, f"{path.name.split('.')[0]}-{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]}"
    )


def _grey(image: Image.Image, what: str) -> Image.Image:
    """The picture from its darkest to its brightest value, in strips: as floats it may be larger than the memory."""
    import numpy as np
    from PIL import Image

    width, height = image.size
    rows = max(1, _STRIP // width)
    strips = [(0, top, width, min(top + rows, height)) for top in range(0, height, rows)]
    low, high = math.inf, -math.inf
    for strip in strips:
        values = np.asarray(image.crop(strip), dtype=float)
        known = values[np.isfinite(values)]
        if known.size:
            low, high = min(low, known.min()), max(high, known.max())
    if low > high:
        raise SourceError(f"{what} has no finite pixel: there is nothing to draw")
    grey = Image.new("L", image.size)
    for strip in strips:
        values = np.asarray(image.crop(strip), dtype=float)
        scaled = np.clip((np.where(np.isfinite(values), values, low) - low) / ((high - low) or 1.0), 0, 1)
        grey.paste(Image.fromarray((scaled * 255).round().astype("uint8")), strip[:2])
    return grey
