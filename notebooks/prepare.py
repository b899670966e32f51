"""Makes what the tutorial shows: the Hubble eXtreme Deep Field as a tile tree, and the FITS image of M 101 that comes with pywwt.

Run by `make demo`, and by the tests; what is there already is left as it is.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

HERE = Path(__file__).parent
PICTURE = HERE / "hubble_deep_field.jpg"

# The file's own AVM belongs to another crop. These figures are the published centre and width of the picture: 2.3 by 2.0 arcminutes.
CENTER_RA, CENTER_DEC = 53.1625, -27.7914  # degrees, ICRS
WIDTH = 2.3 / 60  # degrees

# ESA/Hubble (esahubble.org/images/heic1214a) releases it under CC BY 4.0, on condition that this credit is given in full.
CREDITS = (
    "NASA, ESA, G. Illingworth, D. Magee, and P. Oesch (University of California, Santa Cruz), "
    "R. Bouwens (Leiden University), and the HUDF09 Team"
)


def data(folder: Path) -> None:
    """Everything that the tutorial reads, in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    tile(folder / "hxdf")
    fits = folder / "m101.fits"
    if not fits.exists():
        pywwt = importlib.util.find_spec("pywwt")  # without importing it, which takes seconds
        shutil.copyfile(Path(pywwt.submodule_search_locations[0]) / "tests" / "data" / "m101_swiftx.fits", fits)


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
