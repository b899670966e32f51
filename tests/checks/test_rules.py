"""Every rule by its code: drafts that it finds fault with, and drafts that look alike and are right."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from examples import TILED, UNTILED, tiled, untiled
from hypothesis import given
from hypothesis import strategies as st

import constellations_widgets.checks as checks
from constellations_widgets.checks import ERROR, IMAGE_FILE, IMAGE_SIZE, RULES, Fix, Problem, run
from constellations_widgets.checks.pages import page_address
from constellations_widgets.schema.fields import fields, nest
from constellations_widgets.schema.images import ImageSubmission

URL, THUMBNAIL = "storage.legacy_url_template", "wwt.thumbnail_url"
COPYRIGHT, CREDITS, LICENSE = "permissions.copyright", "permissions.credits", "permissions.license"
SCALE, LEVELS, TYPE = "wwt.base_degrees_per_tile", "wwt.tile_levels", "wwt.file_type"
HIPS = "https://example.org/survey/Norder{0}/Dir{1}/Npix{2}"
NEXT_YEAR = date.today().year + 1

# Code: what it finds fault with, and what is near it and right.
CASES: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]]]] = {
    "CXW101": (
        [*(tiled({path: None}) for path in fields() if fields()[path].required), tiled({COPYRIGHT: " "}), tiled({URL: ""})],
        [tiled({"wwt.rotation": 0}), tiled({"wwt.bottoms_up": False}), tiled({CREDITS: None, "alt_text": None}), tiled({"note": ""})],
    ),
    "CXW102": (
        [
            tiled({"wwt.rotation": "12.5"}),
            tiled({LEVELS: "4"}),
            tiled({LEVELS: "4.0"}),
            tiled({"wwt.rotation": "−12.5"}),
            tiled({"wwt.rotation": "north up"}),
            tiled({"wwt.rotation": True}),
            tiled({"wwt.rotation": [12.5]}),
            tiled({"wwt.center_x": "13:29:52.7"}),
            tiled({"wwt.center_y": "+47° 11′ 43″"}),
            tiled({"wwt.center_y": "99"}),
        ],
        [tiled({"wwt.rotation": 12}), tiled({LEVELS: 4.0}), tiled({"wwt.rotation": float("nan")})],
    ),
    "CXW103": (
        [tiled({"wwt.rotation": value}) for value in (float("nan"), float("inf"), -float("inf"), 10**400)],
        [tiled({"wwt.rotation": 1e300}), tiled({"wwt.rotation": "nan"})],
    ),
    "CXW104": ([tiled({LEVELS: 4.4}), tiled({"wwt.width_factor": 1.5})], [tiled({LEVELS: 4.0}), tiled({"wwt.rotation": 4.4})]),
    "CXW105": (
        [untiled({"wwt.bottoms_up": value}) for value in (0, 1, "true", "False", "maybe", [])],
        [untiled({"wwt.bottoms_up": value}) for value in (True, False)],
    ),
    "CXW106": ([tiled({"note": 51}), tiled({COPYRIGHT: 2020.5}), tiled({"alt_text": ["a"]}), tiled({URL: Path("a.png")})], [tiled({"note": "51"})]),
    "CXW107": ([tiled({"note": "M\x0051"}), tiled({CREDITS: "a\x0bb"}), tiled({"note": "\ud800"})], [tiled({"note": "M 51\n\t– 😀"})]),
    "CXW108": (
        [tiled({"note": "x" * 501}), tiled({"note": "😀" * 251}), tiled({"alt_text": "x" * 5001})],
        [tiled({"note": "x" * 500}), tiled({"note": "😀" * 250}), tiled({"alt_text": "é" * 5000})],
    ),
    "CXW109": (
        [
            tiled({"wwt.center_x": -157.53}),
            tiled({"wwt.center_x": 562.47}),
            tiled({"wwt.center_y": 90.001}),
            tiled({SCALE: 0}),
            tiled({SCALE: -0.5}),
            tiled({LEVELS: 31}),
            tiled({"wwt.width_factor": 4}),
        ],
        [tiled({"wwt.center_x": 360}), tiled({"wwt.center_y": -90}), tiled({"wwt.offset_x": -1.5})],
    ),
    "CXW110": ([tiled({COPYRIGHT: "x" * 102_400}), tiled({COPYRIGHT: "日" * 34_000})], [tiled({COPYRIGHT: "x" * 50_000})]),
    "CXW201": (
        [tiled({"wwt.projection": name}) for name in ("Tangent", "TAN", "tan ", "Gnomonic", "SIN", "x" * 1000)],
        [tiled({"wwt.projection": name}) for name in ("Tan", "Toast", "Healpix")],
    ),
    "CXW202": ([tiled({"wwt.bottoms_up": True})], [untiled({"wwt.bottoms_up": True})]),
    "CXW203": ([tiled({LEVELS: 0})], [tiled({LEVELS: 1}), untiled({LEVELS: 0})]),
    "CXW204": ([untiled({LEVELS: 3})], [untiled({LEVELS: 0}), untiled({LEVELS: float("nan")})]),
    "CXW205": ([tiled({"wwt.quad_tree_map": "0123"})], [tiled({"wwt.quad_tree_map": "0123", URL: "https://example.org/{Q}.png"})]),
    "CXW206": (
        [
            tiled({"wwt.projection": "Mercator", SCALE: 180}),
            tiled({"wwt.projection": "Equirectangular", SCALE: 720}),
            tiled({SCALE: 180}),
        ],
        [
            tiled({"wwt.projection": "Mercator", SCALE: 360}),
            tiled({"wwt.projection": "Equirectangular", SCALE: 180}),
            tiled({SCALE: 179}),
            tiled({"wwt.projection": "Toast", SCALE: 180}),
            untiled({SCALE: 180}),
        ],
    ),
    "CXW207": (
        [tiled({URL: "https://example.org/{Q}.png"}), tiled({URL: "https://r{S:1}.example.org/{1}/{2}/{3}.png"})],
        [
            tiled({URL: "https://r{S:1}.example.org/{Q}.png", "wwt.quad_tree_map": "0123"}),
            tiled({URL: "https://r{S:1}.example.org/{L}/{X}/{Y}.png"}),
        ],
    ),
    "CXW219": (
        [
            tiled({SCALE: 0.2, "wwt.offset_x": 3.0}),
            untiled({"wwt.offset_x": -28800.5}),
            untiled({"wwt.offset_x": 28800.5, IMAGE_SIZE: (360, 260)}),
            untiled({"wwt.offset_x": 28800.5}),  # no file is as wide as that
        ],
        [
            tiled({SCALE: 0.2, "wwt.offset_x": 0.3}),
            untiled({"wwt.offset_x": 8000.0}),  # it may be twice as wide
            untiled({"wwt.offset_x": -500}),
            tiled({SCALE: 100, "wwt.offset_x": 1}),
        ],
    ),
    "CXW220": (
        [
            untiled({"wwt.offset_x": -1500}),
            untiled({"wwt.offset_x": 5000.0, SCALE: 0.001}),
            untiled({"wwt.offset_x": 28800.5, "wwt.offset_y": 130.0, SCALE: 1e-5}),
        ],
        [
            untiled({"wwt.offset_x": 5000.0, SCALE: 0.001, IMAGE_SIZE: (10_000, 500)}),
            untiled({"wwt.offset_x": 28800.5}),
            untiled(),
            tiled(),
        ],
    ),
    "CXW221": (
        [tiled({"wwt.projection": name}) for name in ("Spherical", "Plotted")],
        [tiled({"wwt.projection": name}) for name in ("Tan", "Toast", "Equirectangular", "Mercator", "Healpix")],
    ),
    "CXW211": ([tiled({"wwt.width_factor": 1})], [tiled(), untiled({"wwt.width_factor": 1})]),
    "CXW212": (
        [tiled({"wwt.offset_x": 512}), tiled({"wwt.offset_x": -1024.5, "wwt.offset_y": 800}), tiled({"wwt.offset_y": 6.0})],
        [tiled({"wwt.offset_x": 0.7}), tiled({"wwt.offset_x": -2.5}), untiled({"wwt.offset_x": 5120})],  # a cutout of a mosaic
    ),
    "CXW213": (
        [untiled({"wwt.offset_x": 0, "wwt.offset_y": 0}), untiled({"wwt.offset_x": 0.01, "wwt.offset_y": -0.02})],
        [untiled({"wwt.offset_x": 0}), untiled({"wwt.offset_x": -300.5, "wwt.offset_y": 0.5}), tiled({"wwt.offset_x": 0, "wwt.offset_y": 0})],
    ),
    "CXW214": (
        [untiled({SCALE: 2.5}), untiled({SCALE: 0.2, IMAGE_SIZE: (3000, 900)}), tiled({SCALE: 200}), tiled({SCALE: 1.4e-5}), tiled({SCALE: 1e-4})],
        [untiled({SCALE: 1e-9}), untiled({SCALE: 0.1}), untiled({SCALE: 0.1, IMAGE_SIZE: (1300, 900)}), tiled({SCALE: 120}), tiled({SCALE: 0.0072, LEVELS: 3})],
    ),
    "CXW215": ([tiled({"wwt.rotation": 372.5}), tiled({"wwt.rotation": -1000})], [tiled({"wwt.rotation": turn}) for turn in (-180, 0, 359.9, 360)]),
    "CXW216": (
        [tiled({TYPE: ".jpg"}), untiled({TYPE: ".png"}), tiled({TYPE: ".png", URL: "https://example.org/{1}/{3}/{3}_{2}.tiff"})],
        [
            untiled({TYPE: ".jpeg"}),
            untiled({TYPE: ".JPG"}),
            tiled({TYPE: "png"}),
            tiled({TYPE: "jpg fits"}),
            tiled({TYPE: ".fits", URL: "https://example.org/{1}/{3}/{3}_{2}.fits?v=1.2"}),
            tiled({TYPE: ".png", URL: "https://example.org/tiles.php?q={1},{2},{3}"}),
            tiled({TYPE: ".png", URL: "https://example.org/v1.5/{1}/{2}/{3}"}),
        ],
    ),
    "CXW217": (
        [tiled({TYPE: value}) for value in ("png", "", " ", ".PNG", ".fit", "FITS", ".tif")],
        [
            *(tiled({TYPE: value}) for value in (".png", ".jpg", ".fits", "png jpeg fits", ".txt")),
            *(tiled({TYPE: value, "wwt.projection": "Healpix"}) for value in ("png", "fits", "jpeg", "png jpeg")),
        ],
    ),
    "CXW218": (
        [untiled({"wwt.center_x": 0, "wwt.center_y": 0}), tiled({"wwt.center_x": 0.0, "wwt.center_y": -0.0})],
        [untiled({"wwt.center_x": 0}), tiled({"wwt.center_y": 0}), tiled({"wwt.center_x": 0, "wwt.center_y": 0, "wwt.projection": "Toast"})],
    ),
    "CXW301": ([tiled({URL: "{1}/{3}/{3}_{2}.png"}), untiled({URL: "file:///m51.jpg"})], [tiled(), untiled()]),
    "CXW302": ([tiled({URL: "https://example.org/m51.png"}), tiled({URL: "https://example.org/%7B1%7D/%7B3%7D_%7B2%7D.png"})], [tiled()]),
    "CXW303": ([untiled({URL: "https://example.org/{1}/{3}/{3}_{2}.png"})], [untiled()]),
    "CXW304": (
        [
            tiled({URL: "https://example.org/{1}/{x}.png"}),
            tiled({URL: "https://example.org/{1}/{3_{2}"}),
            tiled({URL: "https://example.org/{S:4}/{Q}.png"}),
            tiled({URL: HIPS}),
            tiled({"wwt.projection": "Healpix"}),
            tiled({"wwt.projection": "Healpix", URL: "https://example.org/survey"}),
            tiled({"wwt.projection": "Healpix", URL: HIPS + ".fits"}),
            tiled({"wwt.projection": "Healpix", URL: "https://example.org/{0}/{1}/{2}"}),
            tiled({URL: "https://ecn.t{0}.example.org/{1}.jpeg"}),
        ],
        [
            tiled(),
            *(tiled({URL: f"https://t{{S{n}}}.example.org/{{Q}}.png"}) for n in ("", ":0", ":1", ":2", ":3")),
            tiled({"wwt.projection": "Healpix", URL: HIPS}),
            tiled({"wwt.projection": "Healpix", URL: HIPS + "?key=1"}),
            tiled({"wwt.projection": "Mercator", "wwt.quad_tree_map": "0123", URL: "https://t{0}.example.org/{1}.jpeg"}),
        ],
    ),
    "CXW305": (
        [
            untiled({URL: f"http://{host}/m51.jpg"})
            for host in ("localhost:8000", "127.0.0.1", "[::1]:80", "192.168.1.7", "10.0.0.1", "nas", "nas.local", "w.internal")
        ],
        [untiled({URL: f"https://{host}/m51.jpg"}) for host in ("example.org", "8.8.8.8", "[2606:4700::1111]", "localhost.example.org")],
    ),
    "CXW306": (
        [untiled({URL: "http://example.org/m51.jpg"}), tiled({THUMBNAIL: "HTTP://example.org/m51.jpg"})],
        [untiled({URL: "http://localhost/m51.jpg"})],
    ),
    "CXW307": (
        [
            untiled({URL: address})
            for address in (
                "https://github.com/me/images/blob/main/m51.jpg",
                "https://drive.google.com/file/d/1a2b/view?usp=sharing",
                "https://www.dropbox.com/s/1a2b/m51.jpg?dl=0",
                "https://commons.wikimedia.org/wiki/File:M51.jpg",
                "https://zenodo.org/records/123/preview/m51.jpg",
                "https://example.org/gallery/m51.html",
            )
        ],
        [
            untiled({URL: address})
            for address in (
                "https://raw.githubusercontent.com/me/images/main/m51.jpg",
                "https://me.github.io/images/m51.jpg",
                "https://upload.wikimedia.org/wikipedia/commons/d/db/M51.jpg",
                "https://zenodo.org/records/123/files/m51.jpg",
                "https://example.org/image.php?id=51",
            )
        ],
    ),
    "CXW311": ([tiled({THUMBNAIL: "thumb.jpg"}), tiled({THUMBNAIL: "https://example.org/{1}.jpg"})], [tiled({THUMBNAIL: ""})]),
    "CXW312": ([tiled({THUMBNAIL: ""})], [tiled(), tiled({THUMBNAIL: None})]),
    "CXW401": (
        [tiled({LICENSE: value}) for value in ("public domain", "CC-BY", "cc-by-4.0", "MIT or", "Jane's terms", "x" * 20_000)],
        [tiled({LICENSE: value}) for value in ("CC-BY-4.0", "LicenseRef-None", "(MIT OR CC0-1.0) AND CC-BY-4.0", "CC-PDDC")],
    ),
    "CXW402": ([tiled({LICENSE: "CC-PDM-1.0"}), tiled({LICENSE: "GPL-2.0"})], [tiled(), tiled({LICENSE: "no such license"})]),
    "CXW403": (
        [
            tiled({COPYRIGHT: "Public domain"}),
            tiled({COPYRIGHT: "NASA/STScI, public domain"}),
            tiled({COPYRIGHT: "NASA material is not protected by copyright unless noted"}),
            tiled({COPYRIGHT: "No known copyright restrictions", LICENSE: "LicenseRef-None"}),
        ],
        [
            tiled({COPYRIGHT: "NASA/STScI, public domain", LICENSE: "CC-PDDC"}),
            tiled({COPYRIGHT: "Public domain", LICENSE: "CC0-1.0"}),
            tiled({COPYRIGHT: "Public domain", LICENSE: "PDDL-1.0"}),
            tiled({COPYRIGHT: "Public domain with conditions", LICENSE: "LicenseRef-NASA-media-guidelines"}),
            tiled({COPYRIGHT: "© 2023 ESO. Not in the public domain"}),
            tiled({COPYRIGHT: "Copyright 2021 Public Observatory Domain"}),
        ],
    ),
    "CXW404": (
        [tiled({COPYRIGHT: "© 2023 ESO", LICENSE: "CC0-1.0"}), tiled({COPYRIGHT: "(C) Jane Doe", LICENSE: "CC-PDDC"})],
        [
            tiled({COPYRIGHT: "NASA/STScI, public domain", LICENSE: "CC-PDDC"}),
            tiled({COPYRIGHT: "No copyright", LICENSE: "CC-PDDC"}),
            tiled({COPYRIGHT: "Not subject to copyright in the United States", LICENSE: "CC-PDDC"}),
            tiled({COPYRIGHT: "© 2023 ESO"}),
        ],
    ),
    "CXW405": (
        [tiled({COPYRIGHT: "© 2023 ESO. All rights reserved."}), tiled({COPYRIGHT: "All Rights Reserved"})],
        [tiled({COPYRIGHT: "© 2023 ESO. All rights reserved", LICENSE: "LicenseRef-None"}), tiled({COPYRIGHT: "© 2023 ESO, some rights reserved"})],
    ),
    "CXW406": ([tiled({LICENSE: "MIT"}), tiled({LICENSE: "GPL-3.0-or-later"})], [tiled({LICENSE: "CC-BY-SA-4.0"}), tiled({LICENSE: "CC0-1.0"})]),
    "CXW407": ([tiled({LICENSE: "LicenseRef-None"})], [tiled({LICENSE: "LicenseRef-ESO"})]),
    "CXW411": (
        [tiled({COPYRIGHT: "ESO"}), tiled({COPYRIGHT: "© ESA/Hubble"})],
        [tiled({COPYRIGHT: value}) for value in ("© 2023 ESO", "©2023ESO", "Copyright 1998–2024 AURA", "NASA/STScI, public domain", "1888 Roberts")],
    ),
    "CXW412": (
        [tiled({COPYRIGHT: f"© {NEXT_YEAR} ESO"}), tiled({COPYRIGHT: f"Copyright 2020-{NEXT_YEAR} ESO"})],
        [tiled({COPYRIGHT: f"© {NEXT_YEAR - 1} ESO"}), tiled({COPYRIGHT: "© 2023 The NGC 2070 team"}), tiled({COPYRIGHT: "© 2023, 2024 J2098 group"})],
    ),
    "CXW413": (
        [tiled({COPYRIGHT: "&copy; 2023 ESO"}), tiled({COPYRIGHT: '© 2023 <a href="https://eso.org">ESO</a>'})],
        [tiled({COPYRIGHT: "© 2023 Jane Doe <jane@example.org>"}), tiled({COPYRIGHT: "© 2023 NASA & ESA"}), tiled({COPYRIGHT: "© 2023 R. <R> D; AT&T"})],
    ),
    "CXW501": ([tiled({CREDITS: "x" * 20_001}), tiled({CREDITS: "<b>" * 200})], [tiled({CREDITS: "x" * 20_000})]),
    "CXW502": (
        [tiled({CREDITS: "A<script>x()</script>"}), tiled({CREDITS: '<a href="javascript:x()">A</a>'}), tiled({CREDITS: "<p>A</p><p>B</p>"})],
        [tiled({CREDITS: value}) for value in ("NASA & ESA", "A<br/>B", "<B>A</B> & <i>B</i>", "<a href='https://example.org'>A</a>", "5 > 3")],
    ),
    "CXW503": (
        [
            tiled({CREDITS: f"{label} NASA, ESA"})
            for label in (
                "Credit:", "CREDITS :", "Image credit:", "Image Credit & Copyright:", "Photo credits:", "<b>Credit:</b>", "<strong>Credit</strong>:",
            )
        ]
        + [tiled({CREDITS: "<b>Credit: NASA</b>"}), tiled({CREDITS: "Credit:"})],
        [tiled({CREDITS: value}) for value in ("ESA/Hubble & NASA, R. Smith et al.", "The Credit Union: an observatory", "Credit to NASA", "NASA; credit: ESA")],
    ),
    "CXW504": (
        [
            tiled({CREDITS: "NASA and ESA."}),
            tiled({CREDITS: "<b>NASA and ESA.</b> "}),
            tiled({COPYRIGHT: "© 2023 ESO."}),
            tiled({COPYRIGHT: "Copyright 2020 Jane Doe. "}),
        ],
        [
            tiled({path: value})
            for path in (CREDITS, COPYRIGHT)
            for value in (
                "ESA/Hubble & NASA, R. Smith et al.", "© 2020 AURA, Inc.", "Copyright 2020 Leavitt, H. S.", "Team of 1999 e. V.",
                "NASA, ESA, CSA, and others...", "1999 Smith Jr.", "2001 J. Doe (U. S.)", "© 2023 ESO",
            )
        ],
    ),
    "CXW505": ([tiled({CREDITS: ""}), tiled({CREDITS: None, LICENSE: "CC-BY-NC-4.0"})], [tiled({CREDITS: "", LICENSE: "CC0-1.0"})]),
    "CXW506": (
        [tiled({CREDITS: f'<a href="{link}">A</a>'}) for link in ("www.eso.org", "/team", "#team", "//eso.org", "ftp://eso.org/")],
        [tiled({CREDITS: f'<a href="{link}">A</a>'}) for link in ("https://eso.org", "http://eso.org/?a=1&amp;b=2", "mailto:jane@example.org")],
    ),
    "CXW601": ([tiled({"note": ""}), tiled({"note": " "})], [tiled(), tiled({"note": None}), tiled({"note": 51})]),
    "CXW602": ([tiled()], [tiled({"note": ""})]),
    "CXW603": ([tiled({"note": "Toasty"}), tiled({"note": "index_rel"})], [tiled({"note": "Image of M 51"})]),
    "CXW604": ([tiled({"note": "M 51\nby Hubble"})], [tiled({"note": "M 51 \n"})]),
    "CXW605": ([tiled({"note": "<b>M 51</b>"})], [tiled({"note": "M 51 where g<r and r>i"}), tiled({"note": "M 51 <jane@example.org>"})]),
    "CXW606": (
        [tiled({"note": note}) for note in ("m51_final_v2", "HST_12345_01", "m51.FITS", "M51.jpeg")]
        + [tiled({"note": note, IMAGE_FILE: f"{note}.fits.gz"}) for note in ("m51", "m51.v2")] + [tiled({"note": "mosaic-3", IMAGE_FILE: "mosaic-3.png"})],
        [tiled({"note": note}) for note in ("M 51 in visible light", "M51", "NGC-1300", "m51 final_v2", "")]
        + [tiled({"note": note, IMAGE_FILE: f"{note}.fits"}) for note in ("M51", "M 51 by Hubble")]
        + [tiled({"note": "mosaic", IMAGE_FILE: "m51.fits"}), tiled({"note": 51, IMAGE_FILE: "51.png"})],
    ),
    "CXW701": ([tiled({"alt_text": value}) for value in (None, "", " \n")], [tiled(), tiled({"alt_text": 5})]),
    "CXW702": ([tiled({"alt_text": TILED["note"].upper()})], [tiled(), tiled({"alt_text": "", "note": ""})]),
    "CXW703": (
        [tiled({"alt_text": f"{words} a spiral galaxy"}) for words in ("Image of", "An image of", "Photograph showing", "This is a picture of")],
        [tiled({"alt_text": "Spiral galaxy, an image of great depth"}), tiled({"alt_text": "Image of"})],
    ),
}  # fmt: skip

FAULTY = [
    pytest.param(code, values, id=f"{code}-{number}")
    for code, (bad, _) in CASES.items()
    for number, values in enumerate(bad)
]
CLEAN = [
    pytest.param(code, values, id=f"{code}-{number}")
    for code, (_, good) in CASES.items()
    for number, values in enumerate(good)
]


def codes(values: dict[str, Any]) -> set[str]:
    return {problem.code for problem in run(values)}


def errors(values: dict[str, Any]) -> set[tuple[str, str]]:
    return {(problem.code, problem.field) for problem in run(values) if problem.severity == ERROR}


# -- the rules


def test_every_rule_has_its_cases():
    assert CASES.keys() == RULES.keys()
    assert all(bad and good for bad, good in CASES.values())


@pytest.mark.parametrize(("code", "values"), FAULTY)
def test_a_rule_finds_what_is_wrong(code, values):
    assert code in codes(values)


@pytest.mark.parametrize(("code", "values"), CLEAN)
def test_a_rule_leaves_alone_what_is_right(code, values):
    assert code not in codes(values)


@pytest.mark.parametrize("values", [TILED, UNTILED], ids=["tiled", "untiled"])
def test_a_good_draft_is_told_nothing_but_that_its_note_is_public(values):
    assert codes(values) == {"CXW602"}


# Statements as agencies and observatories write them, with the license that goes with them.
REAL = [
    ("© 2023 ESO", "ESO", "CC-BY-4.0"),
    ("NASA/STScI, public domain", "NASA, ESA, and STScI", "CC-PDDC"),
    (
        "Public domain",
        'NASA, ESA, G. Illingworth (UCSC), and the <a href="https://hudf.example.org">HUDF09 Team</a>',
        "CC-PDDC",
    ),
    ("Copyright 2024 ESA/Webb, NASA & CSA", "ESA/Webb, NASA & CSA, M. Matsuura, R. Arendt et al.", "CC-BY-4.0"),
    (
        "Copyright 2020 NOIRLab/NSF/AURA",
        "CTIO/NOIRLab/NSF/AURA; image processing: T.A. Rector & M. Zamani",
        "CC-BY-4.0",
    ),
    ("© 1998–2024 AAO, David Malin", "AAO/ROE, David Malin", "LicenseRef-None"),
    (
        "Copyright 2021 Digitized Sky Survey 2",
        "ESA/Hubble & NASA, R. Smith et al.; acknowledgement: L. Shatz",
        "CC-BY-4.0",
    ),
    ("Copyright 2019 EHT Collaboration", "EHT Collaboration", "CC-BY-3.0"),
]


@pytest.mark.parametrize(("copyright", "credits", "license"), REAL, ids=[row[0] for row in REAL])
def test_what_observatories_really_write_is_not_nagged_at(copyright, credits, license):
    found = run(tiled({COPYRIGHT: copyright, CREDITS: credits, LICENSE: license}))
    assert [str(p) for p in found if p.field.startswith("permissions.") and p.code != "CXW407"] == []


@pytest.mark.parametrize(
    ("path", "typed", "meant"),
    [
        ("wwt.center_x", "13:29:52.7", 202.469583333),
        ("wwt.center_x", "13h29m52.7s", 202.469583333),
        ("wwt.center_x", "202° 28′ 10.5″", 202.469583333),
        ("wwt.center_y", "+47:11:43", 47.195277778),
        ("wwt.center_y", "−47 11 43", -47.195277778),
        ("wwt.center_y", "-00:30:00", -0.5),
        ("wwt.rotation", "1e2", 100.0),
        ("wwt.tile_levels", " 4 ", 4),
    ],
)
def test_a_number_that_was_typed_in_another_way_can_be_taken_over(path, typed, meant):
    [problem] = [p for p in run(tiled({path: typed})) if p.code == "CXW102"]
    assert problem.fix.changes == {path: pytest.approx(meant, abs=1e-9)}


@pytest.mark.parametrize("typed", ["1,2,5", "nan", "1e999", "13:75:00", "25:00:00", "1_0_", "", "12 13"])
def test_what_is_not_clearly_a_number_is_left_to_the_person(typed):
    assert not [p.fix for p in run(tiled({"wwt.center_x": typed})) if p.code == "CXW102" and p.fix]


# -- fixes


@pytest.mark.parametrize(("code", "values"), FAULTY)
def test_a_fix_mends_its_problem_and_makes_no_new_error(code, values):
    for problem in run(values):
        if problem.code == code and problem.fix:
            after = values | problem.fix.changes
            assert (code, problem.field) not in {(p.code, p.field) for p in run(after)}
            assert errors(after) <= errors(values)
            assert problem.fix.label and len(problem.fix.label) < 100
            assert problem.fix.changes.keys() <= fields().keys()


# -- messages


@pytest.mark.parametrize(("code", "values"), FAULTY)
def test_a_message_continues_the_name_of_its_field(code, values):
    for problem in run(values):
        message = problem.message
        assert 10 < len(message) < 400, message
        title = fields()[problem.field].title if problem.field else "Draft"
        assert not message.lower().startswith((f"{title.lower()} ", f"the {title.lower()} ")), message
        # It follows a label: what to do, or a predicate in lower case; a name or an id such as CC-BY-4.0 stays as it is.
        to_do = message.startswith(("Enter ", "Choose ", "Describe ", "Required. ", "The address "))
        assert to_do or not re.match(r"[A-Z][a-z]+ ", message) or message.startswith("SPDX"), message
        assert not message.endswith("."), message


def test_codes_are_numbered_by_subject_and_never_twice():
    assert len(RULES) >= 25
    assert all(re.fullmatch(r"CXW[1-7]\d\d", code) and rule.code == code for code, rule in RULES.items())
    with pytest.raises(ValueError, match="is taken by"):
        checks.rule("CXW101", ERROR)(lambda values: None)


def test_every_rule_says_in_a_line_what_it_is_about():
    assert all(10 < len(rule.summary) < 160 for rule in RULES.values())


def test_problems_come_errors_first():
    severities = [problem.severity for problem in run(tiled({"wwt.rotation": None, "alt_text": None}))]
    assert severities == ["error", "warning", "info"]


def test_a_problem_shows_itself_in_a_line():
    problem = Problem("CXW202", ERROR, "wwt.bottoms_up", "must be off", Fix("Turn it off", {"wwt.bottoms_up": False}))
    assert str(problem) == "CXW202 error wwt.bottoms_up: must be off (fix: Turn it off)"


# -- whatever is typed


class Odd:
    """An object that can be neither compared nor shown."""

    def __eq__(self, other: object) -> bool:
        raise RuntimeError

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        raise RuntimeError


class Several:
    """Compares as an array does: to something that is neither true nor false."""

    def __eq__(self, other: object) -> Any:
        return self

    def __bool__(self) -> bool:
        raise ValueError("ambiguous")

    __hash__ = None  # type: ignore[assignment]


SOMETHING = st.sampled_from(
    [TILED[path] for path in TILED]
    + [
        10**5000,
        -(10**400),
        Odd(),
        Several(),
        "{" * 1000,
        "<a " * 500,
        " " * 5000,
        "." * 5000,
        "&" * 5000,
        "x" * 110_000,
        b"x",
        {},
        [],
        (),
    ]
    + [
        "Tan",
        "SkyImage",
        "http://[",
        "https://a:b@c",
        "http://x/{1}",
        "All rights reserved",
        "Credit:",
        "CC-PDDC",
        "MIT OR",
    ]
)
JUNK = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.complex_numbers() | SOMETHING


@given(st.dictionaries(st.sampled_from(sorted(TILED)), JUNK), st.sampled_from([{}, TILED, UNTILED]))
def test_no_rule_fails_at_anything_and_no_message_is_huge(changes, base):
    for problem in run({**base, **changes}):
        assert problem.field in fields() and len(problem.message) < 1000
        assert problem.fix is None or len(problem.fix.label) < 100


@given(st.dictionaries(st.sampled_from(sorted(TILED)), JUNK, max_size=3), st.sampled_from([TILED, UNTILED]))
def test_what_has_no_error_is_a_submission(changes, base):
    values = {**base, **changes}
    if not errors(values):
        ImageSubmission.model_validate(nest({path: value for path, value in values.items() if value is not None}))


@pytest.mark.parametrize(
    ("page", "file"),
    [
        (
            "https://github.com/me/i/blob/main/a/{1}/{3}/{3}_{2}.png",
            "https://raw.githubusercontent.com/me/i/main/a/{1}/{3}/{3}_{2}.png",
        ),
        (
            "https://www.dropbox.com/scl/fi/1a/m51.jpg?rlkey=x&dl=0",
            "https://dl.dropboxusercontent.com/scl/fi/1a/m51.jpg?rlkey=x",
        ),
        ("https://zenodo.org/record/12/preview/m51.jpg", "https://zenodo.org/records/12/files/m51.jpg"),
        (
            "https://huggingface.co/datasets/me/i/blob/main/m51.jpg",
            "https://huggingface.co/datasets/me/i/resolve/main/m51.jpg",
        ),
        ("https://gitlab.com/me/i/-/blob/main/m51.jpg", ""),
        ("https://1drv.ms/i/s!abc", ""),
    ],
)
def test_the_file_s_own_address_is_offered_where_there_is_one(page, file):
    found = page_address(page)
    assert found is not None and found.file_url == file


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("example.org/m51.png", "https://example.org/m51.png"), ("https://example.org/my image.png", "https://example.org/my%20image.png"),
     (" https://example.org/m51.png", "https://example.org/m51.png"), ("www.example.org/a b.png", "https://www.example.org/a%20b.png"),
     ("C:\\m51.png", None), ("/home/me/m51.png", None), ("m51.png", None), ("ftp://example.org/m51.png", None)],
)  # fmt: skip
@pytest.mark.parametrize("path", [URL, THUMBNAIL])
def test_an_address_that_lacks_only_its_beginning_or_has_a_space_is_offered_in_full(path, typed, meant):
    (problem,) = (
        problem for problem in run(untiled({path: typed})) if problem.field == path and problem.severity == ERROR
    )
    assert (problem.fix.changes[path] if problem.fix else None) == meant


@pytest.mark.parametrize("text", ["ESA standard licence", "our license", "Free for non-commercial use"])
def test_a_license_that_is_only_a_little_alike_has_no_button(text):
    (problem,) = (problem for problem in run(untiled({LICENSE: text})) if problem.field == LICENSE)
    assert problem.fix is None and "did you mean" not in problem.message
