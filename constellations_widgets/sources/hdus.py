"""The HDUs of FITS files, as far as they can be read."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

_MOST = 10_000  # a packed file of a few megabytes can hold millions
_ENDLESS = ("_CorruptedHDU", "_NonstandardHDU")


def readable_hdus(hdus: Any) -> Iterator[Any]:
    """The HDUs in front of the first broken one, whose end nobody knows: in a packed file astropy finds it again and again, for ever."""
    for hdu in islice(hdus, _MOST):
        if type(hdu).__name__ in _ENDLESS:
            return
        yield hdu
