"""Addresses of tiles: what the engine writes in the place of each placeholder."""

from __future__ import annotations

import pytest
from examples import tiled

from constellations_widgets import ImageDraft
from constellations_widgets.publishing.probes import targets
from constellations_widgets.schema.placement import URL
from constellations_widgets.schema.tiles import hips_extension, is_known_template, root_tile, without_extension
from constellations_widgets.sources.reading import ParsedImage

HIPS = "https://example.org/survey/Norder{0}/Dir{1}/Npix{2}"


@pytest.mark.parametrize(
    ("url", "projection", "quad_tree_map", "found"),
    [
        ("https://e.org/{1}/{3}/{3}_{2}.png", "Tan", "", "https://e.org/0/0/0_0.png"),
        ("https://e.org/{L}/{X}/{Y}.png", "Toast", "", "https://e.org/0/0/0.png"),
        ("https://r{S}.e.org/{Q}.png", "Toast", "0123", "https://r0.e.org/.png"),
        ("https://r{S:2}.e.org/wts1{Q}?g=1", "Toast", "0123", "https://r2.e.org/wts1?g=1"),
        ("https://r{S:2}.e.org/{Q}.png", "Toast", "", "https://r0.e.org/0.png"),
        ("https://r{S:3}.e.org/{Q}.png", "Equirectangular", "4567", "https://r4.e.org/4.png"),
        ("https://a{S:1}.e.org/{Q}.png", "Toast", "0123", "https://r1.e.org/.png"),
        ("https://t{0}.e.org/{1}.jpg", "Mercator", "0123", "https://t0.e.org/.jpg"),
        (HIPS, "Healpix", "", "https://example.org/survey/Norder0/Dir0/Npix0.png"),
        (HIPS + "?key=1", "Healpix", "", "https://example.org/survey/Norder0/Dir0/Npix0.png?key=1"),
        ("https://e.org/m51.png", "SkyImage", "", "https://e.org/m51.png"),
    ],
)
def test_the_root_tile_is_where_the_engine_looks_for_it(url, projection, quad_tree_map, found):
    assert root_tile(url, projection, "png jpeg fits", quad_tree_map) == found


@pytest.mark.parametrize(
    ("file_type", "extension"),
    [
        ("png jpeg fits", ".png"),
        ("jpeg fits", ".jpg"),
        ("jpg", ".jpg"),
        (".fits", ".fits"),
        ("tsv", ".tsv"),
        ("", ".jpg"),
    ],
)
def test_of_the_types_of_a_hips_the_engine_takes_pictures_first(file_type, extension):
    assert hips_extension(file_type) == extension


def test_only_the_extension_of_a_hips_is_taken_off():
    assert without_extension(HIPS + ".fits") == without_extension(HIPS) == HIPS
    assert without_extension(HIPS + ".png?a=.png") == HIPS + "?a=.png"


@pytest.mark.parametrize("projection", ["Tan", "Toast", "Mercator"])
def test_a_hips_is_one_in_its_own_projection_only(projection):
    assert is_known_template(HIPS, "Healpix") and not is_known_template(HIPS, projection)


def test_a_hips_can_be_published_and_its_first_tile_is_looked_at():
    values = {
        "wwt.projection": "Healpix",
        "wwt.base_degrees_per_tile": 180.0,
        "wwt.file_type": "png jpeg fits",
        URL: HIPS,
    }
    draft = ImageDraft(ParsedImage(tiled(values)), autosave=False)
    assert [problem for problem in draft.problems if problem.severity != "info"] == []
    [tile, _] = targets(draft.submission())
    assert tile.url.endswith("/Norder0/Dir0/Npix0.png") and not tile.fits
