"""pywwt's menus for the sky: the background, the foreground, and how much of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipywidgets import Dropdown, FloatSlider, HBox
from traitlets import link

if TYPE_CHECKING:
    from .api import PreviewWWT

_PLACES = ("background", "foreground")


class SkyMenus:
    """Two menus and a slider that show and set what `wwt` shows. pywwt's own know no collection that is loaded after them."""

    def __init__(self, wwt: PreviewWWT):
        self._wwt = wwt
        opacity = FloatSlider(value=wwt.foreground_opacity, min=0, max=1, readout=False)
        menus = {name: Dropdown(options=wwt.available_layers, value=getattr(wwt, name)) for name in _PLACES}
        self._controls = {**menus, "foreground_opacity": opacity}
        self.box = HBox([menus["background"], opacity, menus["foreground"]])
        self._links = self._linked()

    def list_anew(self) -> None:
        """Offer what is available now."""
        for held in self._links:
            held.unlink()
        for name in _PLACES:
            self._controls[name].options = self._wwt.available_layers
            self._controls[name].value = getattr(self._wwt, name)
        self._links = self._linked()

    def _linked(self) -> list[link]:
        return [link((self._wwt, name), (control, "value")) for name, control in self._controls.items()]
