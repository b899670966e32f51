"""The license verdict, with the parser's quirks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constellations_widgets.sandbox.spdx import is_license_expression

ACCEPTED = [
    *(
        "MIT",
        "CC-PDDC",
        "CC0-1.0",
        "CC-BY-4.0",
        " MIT  OR  MIT ",
        "GPL-2.0+",
        "MIT+",
        "GPL-2.0-or-later+",
        "(MIT)",
        "((MIT))",
    ),
    *(
        "MIT WITH Classpath-exception-2.0",
        "GPL-2.0+ WITH LLVM-exception",
        "GPL-2.0-only WITHLLVM-exception",
        "MIT ORMIT",
    ),
    *("(MIT)AND(MIT)", "MIT+AND MIT", "MIT AND MIT OR MIT AND MIT", "()MIT", "(())MIT", "(()MIT)", "MIT OR ()MIT"),
    *(
        "LicenseRef-None",
        "LicenseRef-WWT",
        "LicenseRef-.",
        "DocumentRef-a:LicenseRef-b",
        "DocumentRef-a : LicenseRef-b",
    ),
    *(
        "LicenseRef-  OR MIT",
        "LicenseRef-) OR MIT",
        "LicenseRef-_____ORMIT",
        "LicenseRef-\t\tOR MIT",
        "LicenseRef-🌌OR MIT",
    ),
]
REFUSED = [
    *(
        "",
        " ",
        "mit",
        "cc-by-4.0",
        "MIT or X",
        "MIT/X11",
        "MIT\tOR MIT",
        "MIT\nOR MIT",
        "MIT\xa0OR MIT",
        "MIT +",
        "MIT++",
        "(MIT)+",
    ),
    *(
        "LicenseRef-a+",
        "(GPL-3.0-only) WITH LLVM-exception",
        "LicenseRef-x WITH LLVM-exception",
        "MITOR MIT",
        "MIT WITH MIT",
    ),
    *(
        "LicenseRef-a b",
        "LicenseRef-public_domain",
        "LicenseRef- OR MIT",
        "LicenseRef-éOR MIT",
        "None",
        "NONE",
        "NOASSERTION",
    ),
    *(
        "Public Domain",
        "Unknown",
        "UNLICENSED",
        "CC0",
        "Proprietary",
        "()",
        "()()MIT",
        "MIT OR ()",
        "(MIT",
        "MIT)",
        "MIT MIT",
    ),
    *(
        "DocumentRef-a",
        "DocumentRef-a:MIT",
        "Unicode-3.0",
        "OR",
        "MIT OR",
        "+",
        "LLVM-exception",
        "LicenseRef-",
        "(",
        ")",
    ),
]


@pytest.mark.parametrize("text", ACCEPTED)
def test_license_expressions_that_the_server_accepts(text):
    assert is_license_expression(text)


@pytest.mark.parametrize("text", REFUSED)
def test_license_expressions_that_the_server_refuses(text):
    assert not is_license_expression(text)


@pytest.mark.parametrize("text", ["(" * 90_000, "MIT OR " * 14_000 + "MIT", "LicenseRef-" + "_" * 90_000])
def test_long_license_expressions_end_no_recursion(text):
    assert is_license_expression(text) == text.startswith("MIT")


EXPRESSIONS = st.recursive(
    st.sampled_from(["MIT", "GPL-2.0+", "CC-BY-4.0", "LicenseRef-a", "GPL-2.0 WITH LLVM-exception"]),
    lambda inner: st.builds("{} {} {}".format, inner, st.sampled_from(["AND", "OR"]), inner) | inner.map("({})".format),
)


@given(EXPRESSIONS)
def test_whatever_the_grammar_makes_is_accepted(text):
    assert is_license_expression(text)


@given(st.text())
def test_any_text_gets_a_verdict(text):
    assert is_license_expression(text) in (True, False)
