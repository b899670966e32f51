"""Licenses: what people type, and what the server takes.

The verdicts in `tests/data` are the server's own: whether it took an expression with the lists it has ("pinned") and
whether it would with today's ("newest").
"""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constellations_widgets.errors import LicenseError
from constellations_widgets.schema import license as rules
from constellations_widgets.schema.license import (
    is_public_domain,
    license_choices,
    license_warning,
    normalize_license,
)

SAMPLE = Path(__file__).parent.parent / "data" / "backend-verdicts-sample.json.gz"
VERDICTS = json.loads(gzip.decompress(SAMPLE.read_bytes()))["license"]
DATA = json.loads((Path(rules.__file__).parent / "data" / "spdx.json").read_text(encoding="utf-8"))

# Well formed: one space between words, none inside parentheses, no operator glued to a word. All else is a quirk of the
# parser.
CANONICAL = re.compile(r"(?!.* [ )])(?!.*\( )\(*[A-Za-z0-9.:+-]+\)*( (AND|OR|WITH) \(*[A-Za-z0-9.:+-]+\)*)*")

SERVER_LICENSES = [i for i in DATA["pinned"]["licenses"] + DATA["pinned"]["deprecated"] if not i.endswith("+")]
NAME = st.text("abzABZ019.-", min_size=1, max_size=8)
REFERENCE = st.builds("LicenseRef-{}".format, NAME) | st.builds("DocumentRef-{}:LicenseRef-{}".format, NAME, NAME)
LICENSE = st.builds("{}{}".format, st.sampled_from(SERVER_LICENSES), st.sampled_from(["", "", "+"]))
WITH_EXCEPTION = st.builds("{} WITH {}".format, LICENSE, st.sampled_from(DATA["pinned"]["exceptions"]))
EXPRESSION = st.recursive(
    REFERENCE | LICENSE | WITH_EXCEPTION,
    lambda inner: (
        st.builds("({})".format, inner) | st.builds("{} {} {}".format, inner, st.sampled_from(["AND", "OR"]), inner)
    ),
    max_leaves=8,
)


def normalized(text: str) -> str | None:
    try:
        return normalize_license(text)
    except LicenseError:
        return None


# --- the server's verdicts


def test_whatever_well_formed_expression_the_server_takes_is_left_as_it_is():
    taken = [v["in"] for v in VERDICTS if v["pinned"] and CANONICAL.fullmatch(v["in"])]
    assert len(taken) > 100
    assert [normalized(text) for text in taken] == taken


def test_what_the_server_takes_only_with_the_newest_list_passes_with_a_warning():
    new = [v["in"] for v in VERDICTS if v["newest"] and not v["pinned"] and CANONICAL.fullmatch(v["in"])]
    assert new
    for text in new:
        assert normalized(text) == text
        assert "newer than the server" in license_warning(text)


def test_nothing_that_the_server_refuses_comes_out():
    refused = {v["in"] for v in VERDICTS if not v["newest"]}
    new = {v["in"] for v in VERDICTS if v["newest"] and not v["pinned"]}
    for verdict in VERDICTS:
        result = normalized(verdict["in"])
        if result is not None:
            assert result not in refused
            assert CANONICAL.fullmatch(result)
            assert result not in new or "newer than the server" in license_warning(result)


@given(EXPRESSION)
def test_a_well_formed_expression_comes_out_unchanged(expression):
    assert normalize_license(expression) == expression
    assert "newer than the server" not in (license_warning(expression) or "")


@given(
    EXPRESSION,
    st.sampled_from([str.lower, str.upper, str.title, str.swapcase]),
    st.sampled_from(["\t", "  ", "\xa0", "\n"]),
)
def test_case_and_spaces_do_not_count(expression, change, space):
    if "Ref-" not in expression:
        assert normalize_license(space + change(expression).replace(" ", space) + space) == expression


@given(
    st.lists(
        st.sampled_from(
            ["mit", "CC BY", "4.0", "or", "AND", "with", "(", ")", "+", "/", "LicenseRef-", "later", "é", "-"]
        )
        | st.text(max_size=3)
    )
)
def test_whatever_is_typed_gives_a_well_formed_expression_or_a_clear_error(words):
    try:
        result = normalize_license(" ".join(words))
    except LicenseError as error:
        assert str(error)
    else:
        assert CANONICAL.fullmatch(result)
        assert normalize_license(result) == result


# --- what people type


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("cc-by-4.0", "CC-BY-4.0"),
        ("cc-by-4.0 or cc0-1.0", "CC-BY-4.0 OR CC0-1.0"),
        ("mit or apache-2.0", "MIT OR Apache-2.0"),
        ("gpl-2.0-only with classpath-exception-2.0", "GPL-2.0-only WITH Classpath-exception-2.0"),
        ("(mit)AND(mit)", "(MIT) AND (MIT)"),
        ("documentref-a : licenseref-B", "DocumentRef-a:LicenseRef-B"),
        ("CC BY 4.0", "CC-BY-4.0"),
        ("CC-BY 4.0", "CC-BY-4.0"),
        ("CC BY-NC-SA 4.0 International", "CC-BY-NC-SA-4.0"),
        ("CC BY 4", "CC-BY-4.0"),
        ("CC BY v4.0", "CC-BY-4.0"),
        ("Creative Commons Attribution 4.0 International", "CC-BY-4.0"),
        ("Creative Commons Attribution-ShareAlike 3.0 Unported", "CC-BY-SA-3.0"),
        ("https://creativecommons.org/licenses/by/4.0/", "CC-BY-4.0"),
        ("http://creativecommons.org/licenses/by-sa/3.0/igo/deed.en", "CC-BY-SA-3.0-IGO"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
        ("CC0", "CC0-1.0"),
        ("cc zero", "CC0-1.0"),
        ("CC0 1.0 Universal", "CC0-1.0"),
        ("MIT License", "MIT"),
        ("Apache 2", "Apache-2.0"),
        ("GPLv3", "GPL-3.0"),
        ("GPL 2.0 or later", "GPL-2.0-or-later"),
        ("GNU General Public License v3.0 or later", "GPL-3.0-or-later"),
        ("(cc by 4.0 or mit) and licenseref-None", "(CC-BY-4.0 OR MIT) AND LicenseRef-None"),
    ],
)
def test_what_is_clearly_meant_is_understood(typed, expected):
    assert normalize_license(typed) == expected


@pytest.mark.parametrize(
    ("typed", "advice"),
    [
        ("", "LicenseRef-None"),
        (" \t", "LicenseRef-None"),
        ("public domain", "CC-PDDC"),
        ("Public-Domain", "CC0-1.0 if you are the author"),
        ("MIT or public domain", "CC-PDDC"),
        ("None", "LicenseRef-None"),
        ("unknown", "LicenseRef-None"),
        ("Proprietary", "LicenseRef-<name>"),
        ("All rights reserved", "LicenseRef-None"),
        ("UNLICENSED", "LicenseRef-None"),
        ("CC BY", "write CC-BY-4.0"),
        ("gpl", "GPL-3.0-or-later"),
        ("CC-BY-4.1", "CC-BY-4.0"),
        ("apache2.0", "Apache-2.0"),
        ("MIT or nonsense-9", "'nonsense-9'"),
        ("MIT/X11", "OR"),
        ("LicenseRef-public_domain", "LicenseRef-public-domain"),
        ("LicenseRef-", "LicenseRef-None"),
        ("LicenseRef-) OR MIT", "LicenseRef-"),
        ("LicenseRef-a+", "'+'"),
        ("MIT++", "'+'"),
        ("(MIT)+", "after ')'"),
        ("(MIT) WITH Classpath-exception-2.0", "WITH"),
        ("LicenseRef-x WITH Classpath-exception-2.0", "WITH"),
        ("MIT WITH Classpath-exception-2.0 WITH LLVM-exception", "WITH"),
        ("Classpath-exception-2.0", "is an exception"),
        ("MIT WITH Apache-2.0", "is a license"),
        ("MIT OR", "ends with OR"),
        ("OR MIT", "before 'OR'"),
        ("MIT AND OR MIT", "before 'OR'"),
        ("(MIT", "')'"),
        ("MIT)", "never opened"),
        ("MIT (Apache-2.0)", "AND or OR"),
        ("()", "before ')'"),
        ("(" * 101 + "MIT" + ")" * 101, "more simply"),
        ("MIT OR " * 2000 + "MIT", "10000"),
    ],
)
def test_an_error_says_what_to_write_instead(typed, advice):
    with pytest.raises(LicenseError) as caught:
        normalize_license(typed)
    assert advice in str(caught.value)


@pytest.mark.parametrize("value", [None, 4.0, b"MIT", ["MIT"]])
def test_what_is_no_text_is_refused(value):
    with pytest.raises(LicenseError, match="must be text"):
        normalize_license(value)


# --- warnings


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("CC-PDM-1.0", "CC-PDDC"),
        ("GPL-2.0 WITH SANE-exception", "SANE-exception is newer"),
        ("gpl-2.0+", "GPL-2.0-only or GPL-2.0-or-later"),
        ("GPL-2.0-with-classpath-exception", "GPL-2.0-or-later WITH Classpath-exception-2.0"),
        ("Net-SNMP", "SPDX has replaced Net-SNMP"),
    ],
)
def test_a_warning_names_the_id_and_what_would_be_better(text, advice):
    assert advice in license_warning(text)


@pytest.mark.parametrize(
    "text", ["CC-BY-4.0", "LicenseRef-None", "GPL-2.0-only WITH Nokia-Qt-exception-1.1", "no license at all"]
)
def test_there_is_no_warning_where_there_is_nothing_to_warn_of(text):
    assert license_warning(text) is None


def test_every_deprecated_id_names_its_successor_if_it_has_one():
    for deprecated in DATA["newest"]["deprecated"]:
        warning = license_warning(deprecated)
        assert "SPDX has replaced" in warning
        for successor in re.findall(r"write (.*)\.$", warning):
            for alternative in successor.split(" or "):
                assert license_warning(alternative) is None


# --- for the form and the checks


def test_the_choices_begin_with_what_is_common_in_astronomy():
    choices = license_choices()
    assert [c.id for c in choices[:4]] == ["CC-BY-4.0", "CC0-1.0", "CC-PDDC", "LicenseRef-None"]
    assert choices[0].name == "Creative Commons Attribution 4.0 International"
    assert all(c.meaning for c in choices[:12])


def test_the_choices_are_every_current_license_once_each_taken_as_it_is():
    ids = [c.id for c in license_choices()]
    assert len(ids) == len(set(ids))
    assert set(ids) == {*DATA["newest"]["licenses"], "LicenseRef-None"}
    assert [normalize_license(i) for i in ids] == ids
    assert all(c.name for c in license_choices())


def test_a_choice_that_the_server_may_not_know_says_so():
    for choice in license_choices():
        is_new = "newer than the server" in (license_warning(choice.id) or "")
        assert not is_new or "may not know" in choice.meaning


def test_public_domain_means_every_license_of_the_expression():
    assert is_public_domain("cc0-1.0")
    assert is_public_domain("(CC-PDDC OR CC0-1.0)")
    assert not is_public_domain("CC0-1.0 OR CC-BY-4.0")
    assert not is_public_domain("CC-BY-4.0")
    assert not is_public_domain("public domain")


def test_the_lists_hold_what_the_server_was_measured_to_hold():
    pinned, newest = DATA["pinned"], DATA["newest"]
    assert pinned["versions"] == {"spdx-license-ids": "3.0.16", "spdx-exceptions": "2.3.0"}
    assert [len(pinned[k]) for k in ("licenses", "deprecated", "exceptions")] == [567, 31, 38]
    assert len(newest["licenses"]) >= 708
    assert set(newest["licenses"]) <= DATA["names"].keys()


def test_importing_the_rules_reads_no_list():
    code = (
        "import sys; from constellations_widgets.schema import license, spdx; "
        "sys.exit(spdx.lists.cache_info().currsize)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
