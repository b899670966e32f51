"""pywwt's layers where no cell may wait for the page, and with today's matplotlib."""

from __future__ import annotations

import os
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from astropy.io import fits
from matplotlib import colormaps
from matplotlib.colors import Colormap
from pywwt.layers import VALID_COLORMAPS, ImageLayer, LayerManager, TableLayer
from toasty import TilingMethod
from traitlets import validate

_TILED_FROM = 20_000_000  # bytes; as pywwt has it


class PreviewTableLayer(TableLayer):
    """A table whose colours may be named. (pywwt looks names up by a function that matplotlib 3.11 no longer has.)"""

    @validate("cmap")
    def _check_cmap(self, proposal: dict[str, Any]) -> Colormap:
        return _colormap(proposal["value"])


class PreviewImageLayer(ImageLayer):
    """An image whose colours may be named, with the sliders of pywwt's own widget."""

    _controls: Any = None

    @validate("cmap")
    def _check_cmap(self, proposal: dict[str, Any]) -> Colormap:
        found = _colormap(proposal["value"])
        if found.name not in VALID_COLORMAPS:
            raise ValueError(f"WWT draws images in {', '.join(VALID_COLORMAPS)}, not in {found.name!r}")
        return found

    @property
    def controls(self) -> Any:
        """Sliders and menus for how the image is drawn: an ipywidget."""
        from pywwt.jupyter import JupyterImageLayer  # it makes a widget of its own as it is imported

        return JupyterImageLayer.controls.fget(self)

    def _vrange_slider_updated(self, change: dict[str, Any]) -> None:
        self.vmin, self.vmax = change["new"]


class PreviewLayers(LayerManager):
    """pywwt's layers of one preview."""

    def add_image_layer(
        self,
        image: Any = None,
        hdu_index: Any = None,
        wcs_key: Any = " ",
        verbose: bool = True,
        name: str | None = None,
        tiling_method: TilingMethod = TilingMethod.AUTO_DETECT,
        **kwargs: Any,
    ) -> ImageLayer:
        """Add an image: a FITS file, several, an HDU, or an array with its WCS. See pywwt's `LayerManager.add_image_layer`.

        Large and several images are cut into tiles by toasty first, in this thread.
        """
        if isinstance(image, tuple):
            array, wcs = image
            image = fits.PrimaryHDU(array, wcs.to_header())
        if isinstance(image, (fits.HDUList, fits.ImageHDU, fits.PrimaryHDU)):
            image = self._write_image_for_toasty(image, hdu_index=hdu_index)
        files = [os.fspath(image)] if isinstance(image, (str, os.PathLike)) else [os.fspath(file) for file in image]
        large = len(files) > 1 or Path(files[0]).stat().st_size > _TILED_FROM
        automatic = tiling_method == TilingMethod.AUTO_DETECT
        if wcs_key == " " and (tiling_method == TilingMethod.UNTILED or automatic and not large):
            return self._create_and_add_image_layer(image=files[0], hdu_index=hdu_index, name=name, **kwargs)
        # pywwt would hand these to toasty, too, which refuses them.
        properties = {key: kwargs.pop(key) for key in PreviewImageLayer.class_trait_names() if key in kwargs}
        tiled = self._tile_and_serve(
            fits_list=files,
            hdu_index=hdu_index,
            wcs_key=wcs_key,
            cli_progress=verbose,
            display_name=name,
            tiling_method=tiling_method,
            **kwargs,
        )
        layer = _finish(tiled)
        for property, value in properties.items():
            setattr(layer, property, value)
        return layer

    def add_table_layer(self, table: Any = None, frame: str = "Sky", **kwargs: Any) -> TableLayer:
        """Add the rows of an astropy table as points. See pywwt's `LayerManager.add_table_layer`."""
        if table is None:
            raise ValueError("add_table_layer needs a table")
        layer = PreviewTableLayer(self._parent, table=table, frame=frame, **kwargs)
        self._add_layer(layer)
        return layer

    def remove(self, layer: Any) -> None:
        """The same as `remove_layer`, by the name that pywwt's documentation gives it."""
        self.remove_layer(layer)


def _colormap(value: str | Colormap) -> Colormap:
    if isinstance(value, Colormap):
        return value
    if value not in colormaps:
        raise ValueError(f"{value!r} is not the name of a matplotlib colormap")
    return colormaps[value]


def _finish(work: Coroutine[Any, Any, ImageLayer]) -> ImageLayer:
    """The result of a coroutine of pywwt that never waits; pywwt runs it on a loop within the loop."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    work.close()
    raise RuntimeError("this version of pywwt waits while it tiles an image; versions up to 0.26 do not")
