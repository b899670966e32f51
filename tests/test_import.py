"""What `import constellations_widgets` costs: nothing that only some of its users need."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ["astropy", "httpx", "numpy", "pywwt", "pydantic", "ipywidgets", "wwt_data_formats"]


def test_importing_the_package_loads_nothing_heavy():
    program = f"import sys, constellations_widgets; print([name for name in {HEAVY} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
