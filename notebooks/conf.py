"""Settings of the documentation site, which `make docs` builds: see build_site.py."""

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.util.inspect import signature, stringify_signature
from traitlets import HasTraits

import constellations_widgets as cxw

project = "constellations_widgets"
version = release = cxw.__version__
html_title = "Constellations widgets"
exclude_patterns = ["browser", "data", "pictures", "*-tiles", "figure", "toasty_*"]

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.napoleon"]
suppress_warnings = ["mystnb.unknown_mime_type"]  # widgets, which have no kernel here: they show text and a picture

# Every reference to a public name must lead somewhere. Types of other packages would take a network to look up, and those of our
# modules, which are in lower case, have no page.
nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(?!constellations_widgets\.).*"), ("py:.*", r"constellations_widgets\.[a-z_]+\..*")]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

# The guides are executed; an error in one is an error of the build. pywwt.ipynb needs a page: the browser tests run it.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_execution_excludepatterns = ["pywwt.ipynb"]
nb_execution_show_tb = True
nb_ipywidgets_js = {}  # nothing from a CDN
nb_mime_priority_overrides = [("html", "text/html", 0)]
nb_merge_streams = True

default_role = "autolink"  # `save_html` in a docstring is a link
autosummary_generate = False
autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True  # attributes that a class documents are not entries of their own

html_theme = "furo"
html_show_copyright = False
html_show_sourcelink = False
html_copy_source = False


def class_signature(_app: Sphinx, what: str, _name: str, it: Any, *_: Any) -> tuple[str, None] | None:
    """Return the parameters of a widget, which Sphinx doesn't find, since traitlets has a ``__new__`` of its own."""
    if what != "class" or not issubclass(it, HasTraits):
        return None
    found = signature(it.__init__, bound_method=True)
    return stringify_signature(found, unqualified_typehints=True), None


def improve_accessibility(app: Sphinx, exception: Exception | None) -> None:
    """Name the theme's two asides, so that a screen reader can tell them apart, and let the keyboard scroll what is cut off."""
    for page in Path(app.outdir).glob("*.html") if exception is None else ():
        text = page.read_text("utf-8")
        text = text.replace('<aside class="sidebar-drawer', '<aside aria-label="Pages" class="sidebar-drawer')
        text = text.replace('<aside class="toc-drawer', '<aside aria-label="On this page" class="toc-drawer')
        text = text.replace("<pre>", '<pre tabindex="0">')
        text = text.replace('<div class="table-wrapper', '<div tabindex="0" class="table-wrapper')
        page.write_text(text, "utf-8")


def setup(app: Sphinx) -> None:
    """Connect to Sphinx."""
    app.connect("autodoc-process-signature", class_signature)
    app.connect("build-finished", improve_accessibility)
