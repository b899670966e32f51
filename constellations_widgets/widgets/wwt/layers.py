"""pywwt's layers where no cell may wait for the page, and with today's matplotlib."""

from __future__ import annotations

import os
import uuid
from base64 import b64encode
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import numpy as np
from astropy import units as u
from astropy.coordinates import Angle, SkyCoord
from astropy.io import fits
from astropy.table import Table
from matplotlib import colormaps
from matplotlib.colors import Colormap
from pywwt.layers import VALID_COLORMAPS, ImageLayer, LayerManager, TableLayer, csv_table_win_newline
from toasty import TilingMethod
from traitlets import observe, validate

_TILED_FROM = 20_000_000  # bytes; as pywwt has it

# Frames that WWT's engine does not have → astropy's. Their positions are sent as two further columns, of names that no table has.
_CONVERTED = {"Ecliptic": "barycentricmeanecliptic", "Galactic": "galactic"}
_RA, _DEC = f"ra-{uuid.uuid4()}", f"dec-{uuid.uuid4()}"

# As the engine spells pywwt's "pushpin"; it ignores that, and draws the marker that was there before.
_PUSHPIN = "pushPin"


class PreviewTableLayer(TableLayer):
    """A table of points.

    Three things differ from pywwt's own class. Colormaps may be named (pywwt looks names up by a function that matplotlib 3.11 no
    longer has). A longitude without a unit is in degrees (the engine would take right ascensions below 24 for hours). And positions
    in ecliptic and galactic coordinates are converted: the engine has no such frames, and would draw nothing.
    """

    @validate("cmap")
    def _check_cmap(self, proposal: dict[str, Any]) -> Colormap:
        return _colormap(proposal["value"])

    @validate("coord_type")
    def _check_coord_type(self, proposal: dict[str, Any]) -> str:
        if proposal["value"] == "rectangular" and self._convert_from is not None:
            raise ValueError(f"rectangular coordinates can't be in frame {self.frame!r}: convert them to frame 'Sky'")
        return super()._check_coord_type(proposal)

    @property
    def _convert_from(self) -> str | None:
        """The name of astropy's frame that positions are converted from."""
        return _CONVERTED.get(self.frame)

    @property
    def _sky_positions(self) -> SkyCoord | None:
        """The positions of the rows, if they are converted and it is known which columns hold them."""
        names = (self.lon_att, self.lat_att)
        if self._convert_from is None or not set(names) <= set(self._get_table().colnames):
            return None
        units = (self.lon_unit or u.deg, u.deg)
        lon, lat = (_angles(self._get_table()[name], unit) for name, unit in zip(names, units, strict=True))
        return SkyCoord(lon, lat, frame=self._convert_from).icrs

    @property
    def _sent_table(self) -> Table:
        positions = self._sky_positions
        if positions is None:
            return self._get_table()
        sent = self._get_table().copy(copy_data=False)
        sent[_RA], sent[_DEC] = positions.ra.deg, positions.dec.deg
        return sent

    @property
    def _table_b64(self) -> str:
        csv = csv_table_win_newline(self._sent_table)
        return b64encode(csv.encode("ascii", errors="replace")).decode("ascii")

    def _initialize_layer(self) -> None:
        frame = self.frame if self._convert_from is None else "Sky"
        self.parent._send_msg(event="table_layer_create", id=self.id, table=self._table_b64, frame=frame)

    @observe("lon_att")
    def _on_lon_att_change(self, *value: Any) -> None:
        super()._on_lon_att_change(*value)
        if self.notify_changes and self.lon_att and self.lon_unit is None:  # type: ignore[has-type]
            self.lon_unit = u.deg

    def _on_trait_change(self, changed: dict[str, Any]) -> None:
        name = changed["name"]
        if self._convert_from is not None and name in ("lon_att", "lat_att", "lon_unit"):
            if self._sky_positions is not None and self.notify_changes:
                self.parent._send_msg(event="table_layer_update", id=self.id, table=self._table_b64)
                for setting, value in (("lngColumn", _RA), ("latColumn", _DEC), ("raUnits", "degrees")):
                    self.parent._send_msg(event="table_layer_set", id=self.id, setting=setting, value=value)
        elif name == "marker_type" and changed["new"] == "pushpin":
            super()._on_trait_change({**changed, "new": _PUSHPIN})
        else:
            super()._on_trait_change(changed)

    def _serialize_state(self) -> dict[str, Any]:
        state = super()._serialize_state()
        if self._sky_positions is not None:
            state["frame"] = "Sky"
            state["settings"] |= {"lngColumn": _RA, "latColumn": _DEC, "raUnits": "degrees"}
        return state

    def _save_data_for_serialization(self, dir: str) -> None:
        path = Path(dir) / f"{self.id}.csv"
        path.write_bytes(csv_table_win_newline(self._sent_table).encode("ascii", errors="replace"))


class PreviewImageLayer(ImageLayer):
    """An image whose colors may be named, with the sliders of pywwt's own widget."""

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
            image = fits.PrimaryHDU(_plain_array(array), wcs.to_header())
        if isinstance(image, fits.HDUList):
            image = fits.HDUList([_plain_hdu(hdu) for hdu in image])
        elif isinstance(image, (fits.ImageHDU, fits.PrimaryHDU)):
            image = _plain_hdu(image)
        if isinstance(image, (fits.HDUList, fits.ImageHDU, fits.PrimaryHDU)):
            image = self._write_image_for_toasty(image, hdu_index=hdu_index)
        files = [os.fspath(image)] if isinstance(image, (str, os.PathLike)) else [os.fspath(file) for file in image]
        large = len(files) > 1 or Path(files[0]).stat().st_size > _TILED_FROM
        automatic = tiling_method == TilingMethod.AUTO_DETECT
        if wcs_key == " " and (tiling_method == TilingMethod.UNTILED or (automatic and not large)):
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
        """Remove a layer, as `remove_layer` does; pywwt's documentation uses this name."""
        self.remove_layer(layer)


def _plain_array(array: Any) -> np.ndarray:
    """Return pixels as FITS and pywwt's cache take them: one block of memory, NaN where a mask is, no unit, a type that FITS has."""
    if isinstance(array, np.ma.MaskedArray):
        array = np.ma.filled(array.astype(np.promote_types(array.dtype, np.float32)), np.nan)
    plain = np.ascontiguousarray(getattr(array, "value", array))
    if plain.dtype == bool:
        return plain.astype(np.uint8)
    return plain.astype(np.float32) if plain.dtype == np.float16 else plain


def _plain_hdu(hdu: Any) -> Any:
    """Return `hdu` itself, or one like it whose pixels are one block of memory."""
    data = hdu.data if isinstance(hdu, (fits.PrimaryHDU, fits.ImageHDU)) else None
    return hdu if data is None or data.flags.c_contiguous else type(hdu)(_plain_array(data), hdu.header)


def _angles(column: Any, unit: u.UnitBase) -> Angle:
    """Return a column of angles; its own unit comes before `unit`, and what is masked is NaN."""
    values: Any = np.ma.filled(np.ma.asarray(getattr(column, "value", column), dtype=float), np.nan)
    unit = getattr(column, "unit", None) or unit
    return Angle(values, u.hourangle if unit == u.hour else unit)


def _colormap(value: str | Colormap) -> Colormap:
    if isinstance(value, Colormap):
        return value
    if value not in colormaps:
        raise ValueError(f"{value!r} is not the name of a matplotlib colormap")
    return colormaps[value]


def _finish(work: Coroutine[Any, Any, ImageLayer]) -> ImageLayer:
    """Run a coroutine of pywwt that never waits; return its result. pywwt runs it on a loop within the loop."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    work.close()
    raise RuntimeError("this version of pywwt waits while it tiles an image; versions up to 0.26 do not")
