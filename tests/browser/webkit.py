"""WebKit, the engine of Safari, for the tests: WebKitGTK's MiniBrowser, driven by selenium; it needs a screen, if only Xvfb's."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from debian_packages import install
from selenium.webdriver import WebKitGTK
from selenium.webdriver.webkitgtk.options import Options
from selenium.webdriver.webkitgtk.service import Service

from browser.firefox import screen

DRIVER = "WebKitWebDriver"
PACKAGES = ("webkit2gtk-driver", "xvfb", "libgl1-mesa-dri", "libegl1", "fonts-dejavu-core")
PATIENCE = 120  # seconds; a time-out is how a test fails


def find_webkit() -> tuple[str, str] | None:
    """Return the paths of the driver and of MiniBrowser; None if one of them or Xvfb is missing."""
    driver = shutil.which(DRIVER)
    if driver is None or not shutil.which("Xvfb"):
        return None
    libraries = Path(driver).resolve().parents[1]  # MiniBrowser is a program of WebKit's own library, not on PATH
    browsers = sorted(path for name in ("lib", "libexec") for path in libraries.glob(f"{name}/**/MiniBrowser"))
    return (driver, str(browsers[-1])) if browsers else None


def installed_webkit() -> tuple[str, str]:
    """Return the two programs, installed by apt where this is root on Debian; else skip the test, or fail in CI."""
    why = "" if find_webkit() else install(*PACKAGES)
    if programs := find_webkit():
        return programs
    why = f"There is no WebKitGTK with its driver, or no Xvfb. {why}".rstrip()
    pytest.fail(why) if os.environ.get("CI") else pytest.skip(why)


@contextmanager
def webkit(folder: Path) -> Iterator[WebKitGTK]:
    """Start a WebKit with WebGL, in a window of 1400 × 1000 pixels; its home is `folder`."""
    driver, program = installed_webkit()
    options = Options()
    options.binary_location = program
    options.add_argument("--automation")
    with screen() as display:
        environment = {**os.environ, "DISPLAY": display, "LIBGL_ALWAYS_SOFTWARE": "1", "HOME": str(folder)}
        browser = WebKitGTK(options=options, service=Service(executable_path=driver, env=environment))
        try:
            browser.set_script_timeout(PATIENCE)
            browser.set_window_size(1400, 1000)
            yield browser
        except Exception:
            browser.save_screenshot(str(folder / "failed.png"))
            raise
        finally:
            browser.quit()
