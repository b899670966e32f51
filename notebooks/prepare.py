"""Makes what tutorial and guides read: the Hubble eXtreme Deep Field as a tile tree, a picture and parts of it with a table that
describes them, and the FITS image of M 101 that comes with pywwt.

Run by `make demo` and `make docs`, and by the tests; what is there already is left as it is.
"""

from __future__ import annotations

import csv
import importlib.util
import math
import os
import shutil
from pathlib import Path

HERE = Path(__file__).parent
PICTURE = HERE / "hubble_deep_field.jpg"

# The file's own AVM belongs to another crop. These figures are the published center and width of the picture: 2.3 by 2.0 arcminutes.
CENTER_RA, CENTER_DEC = 53.1625, -27.7914  # degrees, ICRS
WIDTH = 2.3 / 60  # degrees

# ESA/Hubble (esahubble.org/images/heic1214a) releases it under CC BY 4.0, on condition that this credit is given in full.
CREDITS = (
    "NASA, ESA, G. Illingworth, D. Magee, and P. Oesch (University of California, Santa Cruz), "
    "R. Bouwens (Leiden University), and the HUDF09 Team"
)


def data(folder: Path) -> None:
    """Everything that tutorial and guides read, in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    tile(folder / "hxdf")
    shutil.copyfile(PICTURE, folder / "hubble.jpg")
    survey(folder / "survey")
    fits = folder / "m101.fits"
    if not fits.exists():
        pywwt = importlib.util.find_spec("pywwt")  # without importing it, which takes seconds
        shutil.copyfile(Path(pywwt.submodule_search_locations[0]) / "tests" / "data" / "m101_swiftx.fits", fits)


def survey(folder: Path) -> None:
    """Three parts of the picture, and a table that places and describes them."""
    from PIL import Image

    folder.mkdir(exist_ok=True)
    with Image.open(PICTURE) as whole, (folder / "metadata.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["file", "title", "alt text", "copyright", "license", "ra", "dec", "width [arcmin]"])
        scale, side = WIDTH / whole.width, whole.width // 4
        for number, (x, y) in enumerate([(1, 1), (2, 1), (2, 2)], 1):
            name = f"part-{number}.jpg"
            whole.crop((x * side, y * side, (x + 1) * side, (y + 1) * side)).save(folder / name)
            east, north = whole.width / 2 - (x + 0.5) * side, whole.height / 2 - (y + 0.5) * side
            place = [CENTER_RA + east * scale / math.cos(math.radians(CENTER_DEC)), CENTER_DEC + north * scale]
            texts = [f"Deep field, part {number}", "Galaxies on a black sky.", "Copyright 2012 NASA, ESA", "CC BY 4.0"]
            table.writerow([name, *texts, *(f"{angle:.6f}" for angle in place), f"{side * scale * 60:.4f}"])


def tile(out: Path) -> Path:
    """A tile tree with its `index_rel.wtml` and thumbnail in `out`; gives the WTML's path."""
    wtml = out / "index_rel.wtml"
    if wtml.exists():
        return wtml
    from astropy.wcs import WCS
    from toasty.builder import Builder
    from toasty.image import ImageLoader
    from toasty.pyramid import PyramidIO

    image = ImageLoader().load_path(str(PICTURE))
    scale = WIDTH / image.width
    wcs = WCS(naxis=2)  # of the picture as toasty reads it, rows from top to bottom
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = CENTER_RA, CENTER_DEC
    wcs.wcs.crpix = (image.width + 1) / 2, (image.height + 1) / 2
    wcs.wcs.cdelt = -scale, -scale

    unfinished = out.with_name(f".{out.name}-{os.getpid()}")
    shutil.rmtree(unfinished, ignore_errors=True)
    builder = Builder(PyramidIO(str(unfinished), default_format="png"))
    builder.tile_base_as_study(image)
    builder.apply_wcs_info(wcs, image.width, image.height)
    builder.make_thumbnail_from_other(image)
    builder.cascade(parallel=1)
    builder.set_name("Hubble eXtreme Deep Field")
    builder.imgset.credits = CREDITS
    builder.write_index_rel_wtml()
    shutil.rmtree(out, ignore_errors=True)
    unfinished.rename(out)
    return wtml
