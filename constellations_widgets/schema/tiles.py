"""Addresses of tiles: the placeholders of a URL template, and what WWT's engine substitutes for them.

Three kinds of tile addresses are known (`Tile.get_URL` and `HealpixTile` of the engine):

* ``{1}``, ``{2}``, ``{3}``: level, x and y; or ``{L}``, ``{X}``, ``{Y}``;
* ``{Q}``: the tile's name in a quad tree, written with the digits of the quad tree map, and ``{S}`` or ``{S:0}`` to ``{S:3}``: its last
  digit, for servers that are numbered (the number is that of the root tile, whose name is empty). A map of the Earth (Mercator) with
  a quad tree map may have server and name as ``{0}`` and ``{1}``;
* HiPS (projection ``Healpix``): ``Norder{0}/Dir{1}/Npix{2}``, to which the engine appends the extension.
"""

from __future__ import annotations

import re

PLACEHOLDERS = re.compile(r"\{[^{}]*\}")
SERVER = re.compile(r"\{S(?::([0-3]))?\}")
HIPS_EXTENSIONS = (".png", ".jpg", ".tsv", ".fits")
"""What the engine may append to the address of a HiPS tile."""

_APPENDED = re.compile(r"(\{2\})\.(?:png|jpe?g|tsv|fits?)(?=$|[?#])", re.IGNORECASE)
_HIPS = {"{0}", "{1}", "{2}"}
_SETS = ({"{1}", "{2}", "{3}"}, {"{0}", "{1}", "{2}", "{3}"}, {"{L}", "{X}", "{Y}"}, {"{Q}"})
_EARTH_SETS = ({"{1}"}, {"{0}", "{1}"})


def has_tiles(url: str) -> bool:
    """Return whether `url` is a template of tile addresses rather than the address of one file."""
    return bool(PLACEHOLDERS.search(url))


def uses_quad_tree(url: str, projection: str) -> bool:
    """Return whether the engine needs a quad tree map for this template."""
    return "{Q}" in url or bool(SERVER.search(url)) or (projection == "Mercator" and "{1}" in url)


def is_known_template(url: str, projection: str, quad_tree_map: str = "") -> bool:
    """Return whether WWT's engine can substitute all placeholders of `url`."""
    found = set(PLACEHOLDERS.findall(url))
    if projection == "Healpix":
        return found == _HIPS
    numbered = {name for name in found if SERVER.fullmatch(name)}
    earth = _EARTH_SETS if projection == "Mercator" and quad_tree_map else ()
    return found - numbered in (*_SETS, *earth)


def is_hips(url: str) -> bool:
    """Return whether `url` is a template of HiPS tiles."""
    return set(PLACEHOLDERS.findall(url)) == _HIPS


def without_extension(url: str) -> str:
    """Return a HiPS template without the extension that the engine appends by itself."""
    return _APPENDED.sub(r"\1", url)


def hips_extension(file_type: str) -> str:
    """Return the extension that the engine appends to HiPS addresses: the first known one of the given types."""
    named = file_type.lower()
    for names, extension in ((("png",), ".png"), (("jpeg", "jpg"), ".jpg"), (("tsv",), ".tsv"), (("fits",), ".fits")):
        if any(name in named for name in names):
            return extension
    return ".jpg"


def root_tile(url: str, projection: str, file_type: str = "", quad_tree_map: str = "") -> str:
    """Return the address at which the engine expects the tile of the whole image; `url` itself if it is not tiled."""
    if projection == "Healpix":
        address = PLACEHOLDERS.sub("0", without_extension(url))
        end = re.search(r"$|[?#]", address)
        at = end.start() if end else len(address)
        return address[:at] + hips_extension(file_type) + address[at:] if has_tiles(url) else url
    # Without a map the engine names every tile "0"; with one, the root tile's name is empty except in Equirectangular.
    quad = "0"
    if quad_tree_map:
        quad = quad_tree_map[0] if projection == "Equirectangular" else ""
    if "{1}" in url:
        earth = projection == "Mercator" and quad_tree_map
        names = {"{1}": quad} if earth else {}
    else:
        url = re.sub(r"[ah](?=\{S\}|\{S:)", "r", url)  # the engine does so, for old addresses of Bing
        servers = [found for found in SERVER.findall(url) if found]
        names = {"{Q}": quad} | {found[0]: quad or (servers or ["0"])[-1] for found in SERVER.finditer(url)}
    return re.sub(r"\{(?:[0-3LXYQ]|S(?::[0-3])?)\}", lambda found: names.get(found[0], "0"), url)
