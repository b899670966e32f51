"""What `import constellations_widgets` costs: nothing that only some of its users need."""

from __future__ import annotations

import subprocess
import sys

import constellations_widgets as cxw

HEAVY = ["astropy", "httpx", "numpy", "pywwt", "pydantic", "ipywidgets", "wwt_data_formats"]


def test_importing_the_package_loads_nothing_heavy():
    program = f"import sys, constellations_widgets; print([name for name in {HEAVY} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_each_public_name_is_there_for_type_checkers_and_loaded_on_first_use():
    assert set(cxw.__all__) == cxw._HOME_OF.keys()
    assert [name for name in cxw.__all__ if getattr(cxw, name) is None] == []
