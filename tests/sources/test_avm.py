"""AVM and XMP as archives write them: placed right, or refused by the name of the tag that is wrong."""

from __future__ import annotations

import io
import re
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pyavm
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from PIL import Image
from sources.headers import corners
from sources.test_oracle import apart, as_wwt_draws

from constellations_widgets.draft import ImageDraft
from constellations_widgets.errors import SourceError
from constellations_widgets.schema.fields import NOTE_LIMIT
from constellations_widgets.sources.avm import avm_of
from constellations_widgets.sources.picture import read_picture
from constellations_widgets.sources.xmp import properties_of, read_xmp

SIZE = (80, 60)
SAMPLES = Path(pyavm.__file__).parent / "tests" / "data"
SPATIAL: dict[str, Any] = {
    "CoordinateFrame": "ICRS", "CoordsystemProjection": "TAN", "Quality": "Full", "ReferenceValue": ["150.0", "20.0"],
    "ReferenceDimension": ["80", "60"], "ReferencePixel": ["40.5", "30.5"], "Scale": ["-0.001", "0.001"], "Rotation": "-30",
}  # fmt: skip
PREFIXES = {
    "avm": "http://www.communicatingastronomy.org/avm/1.0/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "xapRights": "http://ns.adobe.com/xap/1.0/rights/",
    "cc": "http://creativecommons.org/ns#",
}


def packet(spatial: dict[str, Any] | None = None, style: str = "elements", **words: str) -> str:
    """An XMP packet; `words` are named such as dc_title."""
    tags: dict[str, Any] = {
        f"avm:Spatial.{name}": value for name, value in (SPATIAL | (spatial or {})).items() if value is not None
    }
    tags |= {name.replace("_", ":"): value for name, value in words.items()}
    spaces = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in PREFIXES.items())
    attributes, elements = "", ""
    for name, value in tags.items():
        if style == "attributes":
            attributes += f' {name}="{value if isinstance(value, str) else ";".join(value)}"'
        else:
            items = (
                value
                if isinstance(value, str)
                else "<rdf:Seq>" + "".join(f"<rdf:li>{each}</rdf:li>" for each in value) + "</rdf:Seq>"
            )
            elements += f"<{name}>{items}</{name}>"
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {spaces}{attributes}>{elements}</rdf:Description></rdf:RDF></x:xmpmeta>'
    )


def wrapped(text: str) -> bytes:
    return (
        b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        + text.encode()
        + b" " * 300
        + b'<?xpacket end="w"?>'
    )


def jpeg(*segments: bytes, behind: bytes = b"") -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", SIZE, "gray").save(stream, "jpeg")
    parts = b"".join(b"\xff\xe1" + struct.pack(">H", len(each) + 2) + each for each in segments)
    return stream.getvalue()[:2] + parts + stream.getvalue()[2:] + behind


def standard(content: bytes) -> bytes:
    return b"http://ns.adobe.com/xap/1.0/\0" + content


def extended(content: bytes, digest: bytes = b"0123456789ABCDEF0123456789ABCDEF", step: int = 700) -> list[bytes]:
    head = b"http://ns.adobe.com/xmp/extension/\0" + digest + struct.pack(">I", len(content))
    return [head + struct.pack(">I", at) + content[at : at + step] for at in range(0, len(content), step)]


def png(content: bytes, packed: bool, last: bool) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", SIZE, "gray").save(stream, "png")
    text = b"XML:com.adobe.xmp\0" + bytes([packed, 0]) + b"\0\0" + (zlib.compress(content) if packed else content)
    chunk = struct.pack(">I", len(text)) + b"iTXt" + text + struct.pack(">I", zlib.crc32(b"iTXt" + text))
    plain = stream.getvalue()
    at = plain.index(b"IEND") - 4 if last else plain.index(b"IDAT") - 4
    return plain[:at] + chunk + plain[at:]


def png_text(keyword: bytes, text: bytes, packed: bool = False) -> bytes:
    """A PNG with a text as chunks of 1999 have it."""
    kind, content = (b"zTXt", b"\0" + zlib.compress(text)) if packed else (b"tEXt", text)
    chunk = kind + keyword + b"\0" + content
    stream = io.BytesIO()
    Image.new("RGB", SIZE, "gray").save(stream, "png")
    plain = stream.getvalue()
    at = plain.index(b"IDAT") - 4
    return plain[:at] + struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) + plain[at:]


def tiff(content: bytes, tag: int = 700) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", SIZE, "gray").save(stream, "tiff", tiffinfo={tag: content})
    return stream.getvalue()


def read(path: Path, content: bytes) -> Any:
    path.write_bytes(content)
    return read_picture(path)


def off(values: Any, **cards: Any) -> float:
    """Pixels between where the picture is drawn and where it is to be."""
    plain = {
        "CTYPE1": "RA---TAN",
        "CTYPE2": "DEC--TAN",
        "CRVAL1": 150.0,
        "CRVAL2": 20.0,
        "CRPIX1": 40.5,
        "CRPIX2": 30.5,
    }
    plain |= {"CDELT1": -0.001, "CDELT2": 0.001, "CROTA2": -30.0} | cards
    lon, lat = np.radians(WCS(fits.Header(plain)).all_pix2world(corners(SIZE), 1)).T
    drawn, scale = as_wwt_draws(dict(values), corners(SIZE))
    return float(
        apart(drawn, np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)]).T).max() / scale
    )


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "m51.img"


# -- where the packet is

OTHER = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></x:xmpmeta>'
)
FORMS: dict[str, bytes] = {
    "JPEG": jpeg(standard(wrapped(packet()))),
    "no xpacket": jpeg(standard(packet().encode())),
    "an XML declaration": jpeg(standard(b'<?xml version="1.0" encoding="UTF-8"?>\n' + packet().encode() + b"\0\0")),
    "RDF alone": jpeg(standard(packet()[packet().index("<rdf:RDF") : packet().index("</x:xmpmeta>")].encode())),
    "UTF-16": jpeg(standard(packet().encode("utf-16"))),
    "UTF-16 without a mark": jpeg(standard(packet().encode("utf-16-be"))),
    "attributes": jpeg(standard(wrapped(packet(style="attributes")))),
    "other prefixes": jpeg(standard(re.sub(r"\brdf(?=[:=])", "r", re.sub(r"\bavm(?=[:=])", "vr_1_", packet())).encode())),
    "a second packet": jpeg(standard(wrapped(OTHER)), standard(wrapped(packet()))),
    "behind a broken packet": jpeg(standard(b"<x:xmpmeta"), standard(wrapped(packet()))),
    "two packets with a place": jpeg(standard(packet().encode()), standard(packet({"ReferenceValue": ["1", "2"]}).encode())),
    "extended": jpeg(standard(wrapped(OTHER)), *extended(packet(dc_title="x" * 3000).encode())),
    "extended, out of order": jpeg(*reversed(extended(packet(dc_title="x" * 3000).encode())), standard(wrapped(OTHER))),
    "bytes behind the end": jpeg(standard(wrapped(packet())), behind=b"\xff\xd8 a preview, \xff\xfe and more"),
    "PNG": png(wrapped(packet()), packed=False, last=False),
    "PNG, packed": png(wrapped(packet()), packed=True, last=False),
    "PNG, behind the pixels": png(packet().encode(), packed=True, last=True),
    "PNG, above a megabyte": png(packet(dc_title="<!-- -->" * 200_000).encode(), packed=False, last=False),
    "PNG, bytes behind the end": png(wrapped(packet()), packed=False, last=False) + b"trailing",
    "TIFF": tiff(wrapped(packet())),
    "PNG, of ImageMagick": png_text(b"Raw profile type xmp", b"\nxmp\n%8d\n" % len(packet().encode()) + packet().encode().hex().encode()),
    "PNG, of ImageMagick, packed": png_text(
        b"Raw profile type xmp", b"\nxmp\n%8d\n" % len(packet().encode()) + packet().encode().hex().encode(), packed=True
    ),
    "PNG, in a plain text": png_text(b"XML:com.adobe.xmp", packet().encode()),
    "the namespace of AVM 1.2": jpeg(standard(packet().replace("avm/1.0/", "avm/1.2/").encode())),
    "an ampersand in the title": jpeg(standard(packet(dc_title="Gas & dust").encode())),
    "a control character in the title": jpeg(standard(packet(dc_title="Gas\x0bdust").encode())),
    "one placement in two packets": jpeg(
        standard(packet({name: None for name in SPATIAL if name != "Scale"}).encode()), *extended(packet({"Scale": None}).encode())
    ),
    "TIFF, in another block": tiff(b"8BIM\x04\x24\0\0" + packet().encode(), tag=34377),
}  # fmt: skip


@pytest.mark.parametrize("content", FORMS.values(), ids=FORMS.keys())
def test_a_packet_is_found_wherever_and_however_it_is_written(path, content):
    assert off(read(path, content).values) < 1e-3


def test_packets_with_different_placements_are_reported(path):
    reading = read(path, FORMS["two packets with a place"])
    assert reading.remarks == ("its XMP packets contain different placements: the first one is used",)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-32"])
def test_entities_are_refused_in_every_encoding(path, encoding):
    bomb = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]>{packet(dc_title="&a;")}'.partition("?>")[2]
    with pytest.raises(SourceError, match="declare XML entities"):
        read(path, jpeg(standard(bomb.encode(encoding))))


def test_a_packed_chunk_without_end_is_unpacked_no_farther_than_makes_sense(path, monkeypatch):
    monkeypatch.setattr("constellations_widgets.sources.xmp._LARGEST", 1 << 20)
    path.write_bytes(png(b"<a>" + b" " * (50 << 20) + b"</a>", packed=True, last=False))
    with pytest.raises(SourceError, match="not valid XML"):
        read_xmp(path)
    with pytest.raises(SourceError, match="Decompressed data too large"):  # Pillow's own limit is lower
        read_picture(path)


# -- what the tags say

PLACED: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "an empty note": ({"Notes": ""}, {}, ""),
    "words that no list has": ({"Type": "Nonsense", "Quality": "full"}, {}, ""),
    "one scale": ({"Scale": ["0.001"]}, {}, ""),
    "one scale in no list": ({"Scale": "-0.001"}, {}, ""),
    "the second scale rounded": ({"Scale": ["-0.001", "0.001005"]}, {}, ""),
    "no rotation": ({"Rotation": None}, {"CROTA2": 0.0}, "no Spatial.Rotation: taken as 0"),
    "J2000.0": ({"CoordinateFrame": "FK5", "Equinox": "J2000.0"}, {}, ""),
    "2000": ({"CoordinateFrame": "fk5", "Equinox": "2000"}, {}, ""),
    "a frame called J2000": ({"CoordinateFrame": "J2000", "Equinox": "J2000"}, {}, ""),
    "ICRS, whose equinox means nothing": ({"Equinox": "of date"}, {}, ""),
    "no frame": ({"CoordinateFrame": None}, {}, "no Spatial.CoordinateFrame: taken as ICRS"),
    "no equinox": ({"CoordinateFrame": "FK5"}, {}, "no Spatial.Equinox: taken as J2000"),
    "equinox 0": ({"CoordinateFrame": "FK5", "Equinox": "0.0"}, {}, "Spatial.Equinox is 0"),
    "no projection": ({"CoordsystemProjection": None}, {}, "no Spatial.CoordsystemProjection: taken as TAN"),
    "a distorted projection": ({"CoordsystemProjection": "TAN-SIP"}, {}, "AVM has no distortion"),
    "no dimension": ({"ReferenceDimension": None}, {}, "no Spatial.ReferenceDimension"),
    "both scales positive": ({"Scale": ["0.001", "0.001"]}, {}, "both scales the same sign"),
    "both scales negative": ({"Scale": ["-0.001", "-0.001"]}, {}, "both scales the same sign"),
    "half a turn": ({"Scale": ["0.001", "-0.001"]}, {"CROTA2": 150.0}, "half a turn"),
    "a matrix": ({"Scale": None, "Rotation": None, "CDMatrix": ["-0.001", "0", "0", "0.001"]}, {"CROTA2": 0.0}, ""),
    "a mirrored matrix": ({"CDMatrix": ["0.001", "0", "0", "0.001"]}, {"CDELT1": 0.001, "CROTA2": 0.0}, "the image is mirrored"),
    "half the size": (
        {"ReferenceDimension": ["160", "120"], "ReferencePixel": ["80.5", "60.5"], "Scale": ["-0.0005", "0.0005"]},
        {},
        "made for 160 × 120 pixels, and is scaled to the size of the file",
    ),
    "a matrix beside another scale": (
        {"CDMatrix": ["-0.002", "0", "0", "0.002"], "Rotation": "0"}, {"CDELT1": -0.002, "CDELT2": 0.002, "CROTA2": 0.0}, "Scale and Spatial.CDM",
    ),
    "a matrix beside another rotation": ({"CDMatrix": ["-0.001", "0", "0", "0.001"]}, {"CROTA2": 0.0}, "Rotation and Spatial.CDMatrix differ"),
    "a matrix beside the same": ({"CDMatrix": ["-0.001", "0", "0", "0.001"], "Rotation": "180"}, {"CROTA2": 0.0}, ""),
    "a matrix of zeros": ({"CDMatrix": ["0", "0", "0", "0"]}, {}, ""),
    "numbers in one text": ({"ReferenceValue": "150.0;20.0", "ReferencePixel": "40.5 30.5", "Scale": "-0.001, 0.001"}, {}, ""),
}  # fmt: skip


@pytest.mark.parametrize(("tags", "cards", "words"), PLACED.values(), ids=PLACED.keys())
def test_what_the_tags_mean_is_placed_and_what_was_assumed_is_said(path, tags, cards, words):
    reading = read(path, jpeg(standard(packet(tags).encode())))
    assert off(reading.values, **cards) < 1e-3
    assert any(words in remark for remark in reading.remarks) if words else reading.remarks == ()


def test_scales_that_differ_by_more_than_a_pixel_at_the_edge_are_reported():
    tags = SPATIAL | {"Scale": ["-0.001", "0.001005"], "ReferenceDimension": ["1600", "1200"]}
    placed = avm_of([properties_of(packet(tags))], "m51.jpg")
    [said] = placed.wcs((1600, 1200))[2]
    assert "two scales differ (-0.001, 0.001005): the first counts" in said and "lie 3 pixels from there" in said
    assert placed.wcs((800, 600))[2][0].startswith("its AVM was made for 1600")


NO_DIMENSION = (
    ["0", "0"],
    ["80"],
    "80",
    ["nan", "nan"],
    ["NaN", "60"],
    ["-80", "-60"],
    ["80", "0"],
    ["1", "1"],
    ["1e999", "60"],
    ["0"],
)
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    **{
        f"{name} {value}": ({name: value}, rf"Spatial\.{name} is ")
        for name in ("ReferenceValue", "ReferencePixel", "Scale", "ReferenceDimension")
        for value in (["1,5", "2"], ["10:00:00", "20:00:00"], ["nan", "2"], ["x", "2"], ["1e999", "2"], "150,0 20,0")
        if (name, value) not in (("ReferenceDimension", ["nan", "2"]), ("ReferenceDimension", ["1e999", "2"]))
    },
    **{
        f"a dimension of {value}, and a pixel elsewhere": (
            {"ReferenceDimension": value, "ReferencePixel": ["900", "30"]}, r"outside the file's 80 × 60 pixels",
        )
        for value in NO_DIMENSION
    },
    "one number": ({"ReferencePixel": ["40.5"]}, r"Spatial\.ReferencePixel has 1 number instead of 2"),
    "three numbers": ({"ReferenceValue": ["1", "2", "3"]}, r"Spatial\.ReferenceValue has 3 numbers instead of 2"),
    "two numbers or one": ({"ReferenceValue": "150,20"}, r"Spatial\.ReferenceValue is '150,20'"),
    "rotation": ({"Rotation": "north up"}, r"Spatial\.Rotation is 'north up', where a number is expected"),
    "no value": ({"ReferenceValue": None}, r"no Spatial\.ReferenceValue"),
    "no pixel": ({"ReferencePixel": None}, r"no Spatial\.ReferencePixel"),
    "no value and no pixel": ({"ReferenceValue": None, "ReferencePixel": None}, r"no Spatial\.ReferenceValue and no Spatial\.Ref"),
    "no scale": ({"Scale": None}, r"no Spatial\.Scale"),
    "no scale, and a matrix of zeros": ({"Scale": None, "CDMatrix": ["0", "0", "0", "0"]}, r"no Spatial\.Scale"),
    "scale 0": ({"Scale": ["0", "0"]}, r"Spatial\.Scale is 0"),
    "second scale 0": ({"Scale": ["-0.001", "0"]}, r"Spatial\.Scale is 0"),
    "a projection that FITS does not have": ({"CoordsystemProjection": "XYZ"}, r"Spatial\.CoordsystemProjection is 'XYZ'"),
    "beyond the pole": ({"ReferenceValue": ["20", "150"]}, r"Spatial\.ReferenceValue has 150 degrees"),
    "frame": ({"CoordinateFrame": "HELIO"}, r"Spatial\.CoordinateFrame is 'HELIO'"),
    "equinox": ({"CoordinateFrame": "FK5", "Equinox": "now"}, r"Spatial\.Equinox is 'now'"),
    "projection": ({"CoordsystemProjection": "Gnomonic"}, r"Spatial\.CoordsystemProjection is 'GNOMONIC'"),
    "no dimension, and a pixel elsewhere": (
        {"ReferenceDimension": None, "ReferencePixel": ["900", "30"]}, r"no Spatial\.ReferenceDimension.*outside the file's 80 × 60",
    ),
    "another crop": ({"ReferenceDimension": ["80", "80"]}, "another crop"),
    "position": ({"Quality": "position"}, "only its position can be trusted"),
}  # fmt: skip


@pytest.mark.parametrize("value", NO_DIMENSION, ids=str)
def test_a_dimension_that_describes_no_picture_counts_as_missing_which_is_said(path, value):
    reading = read(path, jpeg(standard(packet({"ReferenceDimension": value}).encode())))
    assert off(reading.values) < 1e-3
    [said] = reading.remarks
    assert "Spatial.ReferenceDimension '" in said and "a picture of this size, 80 × 60 pixels" in said


@pytest.mark.parametrize(("tags", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_what_the_tags_do_not_say_is_refused_by_name_with_another_way(path, tags, words):
    with pytest.raises(SourceError, match=words) as caught:
        read(path, jpeg(standard(packet(tags).encode())))
    assert "give its place with wcs=, or with center= and width=" in str(caught.value)
    assert read_picture(path, center=(150.0, 20.0), width=0.08).values["wwt.center_x"] == 150.0


def test_a_picture_without_a_place_in_its_avm_keeps_its_words(path):
    path.write_bytes(jpeg(standard(packet({name: None for name in SPATIAL}, dc_title="M 51").encode())))
    with pytest.raises(SourceError, match="gives no position on the sky"):
        read_picture(path)
    assert read_picture(path, center=(1, 2), width=1).values["note"] == "M 51"


# -- words

LONG = "The Whirlpool Galaxy is an interacting grand-design spiral galaxy. " * 30


def test_a_description_of_any_length_is_a_suggestion_and_keeps_nothing_from_being_published(path):
    path.write_bytes(jpeg(standard(packet(dc_title="M 51", dc_description=LONG).encode())))
    draft = ImageDraft.from_image(path, autosave=False)
    assert draft.note == "M 51"
    assert not [problem for problem in draft.problems if problem.code == "CXW108"]
    [offer] = [problem for problem in draft.problems if problem.code == "CXW905" and problem.field == "alt_text"]
    assert len(offer.fix.label) < 80
    draft.apply(offer)
    assert draft.alt_text.startswith("The Whirlpool Galaxy") and draft.alt_text.endswith(".")
    assert not [problem for problem in draft.problems if problem.field == "alt_text" and problem.severity == "error"]


@pytest.mark.parametrize("title", ["T" * 2000, "😀" * 400, "many words " * 100])
def test_a_title_of_any_length_fits_the_note(path, title):
    path.write_bytes(jpeg(standard(packet(dc_title=title).encode())))
    draft = ImageDraft.from_image(path, autosave=False)
    assert not [problem for problem in draft.problems if problem.code == "CXW108"]
    assert 100 < len(draft.note) <= NOTE_LIMIT and draft.note.endswith("…")


def test_html_and_line_breaks_in_the_words_are_taken_away(path):
    words = packet(
        dc_title="M&amp;nbsp;51 &lt;b&gt;spiral&lt;/b&gt;\n  in Canes", dc_description="S/N &lt; 3 &amp;amp; fading"
    )
    path.write_bytes(jpeg(standard(words.encode())))
    draft = ImageDraft.from_image(path, autosave=False)
    assert draft.note == "M 51 spiral in Canes"
    [offer] = [problem.fix for problem in draft.problems if problem.code == "CXW905" and problem.field == "alt_text"]
    assert offer.changes == {"alt_text": "S/N < 3 & fading"}


@pytest.mark.parametrize(
    ("words", "license"),
    [
        ({"xapRights_UsageTerms": "Creative Commons Attribution 4.0 International"}, "CC-BY-4.0"),
        ({"xapRights_UsageTerms": "Released under CC BY-SA 3.0 IGO. Credit ESA."}, "CC-BY-SA-3.0-IGO"),
        ({"xapRights_WebStatement": "https://creativecommons.org/licenses/by/4.0/"}, "CC-BY-4.0"),
        ({"cc_license": "http://creativecommons.org/publicdomain/zero/1.0/"}, "CC0-1.0"),
        ({"dc_rights": "See https://creativecommons.org/licenses/by-nc-sa/4.0/ for details"}, "CC-BY-NC-SA-4.0"),
        ({"xapRights_UsageTerms": "CC BY 4.0", "cc_license": "https://creativecommons.org/licenses/by/3.0/"}, None),
        ({"xapRights_UsageTerms": "Creative Commons, ask us which"}, None),
        ({"xapRights_UsageTerms": "You may use it. " * 100}, None),
    ],
)
def test_a_license_with_its_version_is_offered_with_a_fix(path, words, license):
    path.write_bytes(jpeg(standard(packet(**words).encode())))
    draft = ImageDraft.from_image(path, autosave=False)
    [offer] = [
        problem for problem in draft.problems if problem.code == "CXW905" and problem.field == "permissions.license"
    ]
    assert draft.permissions.license is None
    assert (offer.fix and offer.fix.changes) == (license and {"permissions.license": license})
    assert len(offer.message) < 400


# -- real files

XML = sorted(SAMPLES.glob("*.xml"))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("sample", XML, ids=[path.stem for path in XML])
def test_a_real_sample_is_placed_where_pyavm_has_it_or_refused_for_what_it_lacks(sample):
    packets = [properties_of(sample.read_text(encoding="utf-8", errors="replace"))]
    ours = avm_of(packets, sample.name)
    theirs = pyavm.AVM.from_xml_file(sample)
    size = theirs.Spatial.ReferenceDimension and tuple(map(int, theirs.Spatial.ReferenceDimension))
    try:
        wcs, factor, _ = ours.wcs(size or SIZE)
        assert factor == 1
    except SourceError as error:
        assert not size or not theirs.Spatial.Scale or re.search("another crop|only its position", str(error)), str(
            error
        )
        return
    assert len(ours.name) <= NOTE_LIMIT and ours.name == " ".join((theirs.Title or theirs.Headline or "").split())
    expected = theirs.to_wcs()
    # The first scale counts, and pyavm reads no sign: see `test_peers.py`.
    assert np.allclose(wcs.wcs.crval, expected.wcs.crval) and np.allclose(wcs.wcs.crpix, expected.wcs.crpix)
    sign = -1 if theirs.Spatial.Scale and theirs.Spatial.Scale[0] > 0 > theirs.Spatial.Scale[1] else 1
    assert np.allclose(np.array(wcs.pixel_scale_matrix) * sign, expected.pixel_scale_matrix, rtol=0.01, atol=1e-9)


def test_there_are_real_samples():
    assert len(XML) > 60
