"""Foreign text in a real JupyterLab, with MathJax on: it is text; and a cell that is run again and again holds no more than once."""

from __future__ import annotations

import itertools

from PIL import Image
from playwright.sync_api import Locator, expect

from browser.lab import Lab, Notebook

EVIL = "M 51 \u202egpj.exe $x^2$ \\(y\\)"

SETUP = f"""
import constellations_widgets as cxw
from datetime import UTC, datetime
from constellations_widgets.publishing.attempts import Attempt, History
from constellations_widgets.publishing.save_report import Outcome, Saved
from constellations_widgets.schema.records import Receipt
from IPython.display import HTML, display
EVIL = {EVIL!r}
WTML = '''<Folder><ImageSet Name="M 51" Url="https://example.org/m51/{{1}}/{{3}}/{{3}}_{{2}}.png" Projection="Tan" TileLevels="4"
 BaseDegreesPerTile="0.5" CenterX="202.47" CenterY="47.2" FileType=".png" WidthFactor="2"/></Folder>'''
"""
REPRS = """
display(HTML("<p class='control'>costs $x^2$ and then \\\\(y\\\\)</p>"))
when = datetime(2026, 11, 22, tzinfo=UTC)
receipt = Receipt(id="1", rel_url="/image/1", api_url="https://api.example.org", handle=EVIL, created=when, body={"note": EVIL},
                  body_sha256="", key="k")
row = dict(key="k", api_url=EVIL, handle=EVIL, url="", body=b'{"note": "$x^2$"}', body_sha256="", known_ids=(), state="refused",
           owner="", planned=when, sent=when, settled=when, image_id=None, rel_url=None, answer=EVIL)
display(receipt, History([Attempt(**row)]), Saved([Outcome("note", EVIL, EVIL, EVIL, False)]))
"""
REVIEW = """
box = cxw.Sandbox().start()
draft = cxw.ImageDraft.from_wtml(WTML, autosave=False)
draft._name = EVIL
draft.update({"note": EVIL, "permissions.copyright": "Copyright A. Author", "permissions.license": "CC-BY-4.0", "alt_text": EVIL,
              "permissions.credits": "A. Author", "wwt.thumbnail_url": "https://example.org/t.jpg"})
cxw.Publisher(draft, box.client(), handle=box.handle)
"""
# Where each piece of an element's text begins and ends, in the order in which it is written.
PIECES = """element => {
    const pieces = [];
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const range = document.createRange();
        range.selectNodeContents(walker.currentNode);
        const box = range.getBoundingClientRect();
        pieces.push([walker.currentNode.textContent, box.left, box.right, box.top]);
    }
    return pieces;
}"""


def runs_from_left_to_right(element: Locator) -> bool:
    """Whether what is written later stands to the right, or in a later line."""
    pieces = element.evaluate(PIECES)
    return all(before[2] <= after[1] + 0.5 or before[3] < after[3] for before, after in itertools.pairwise(pieces))


def runs_from_left_to_right_of_characters(element: Locator, after: str = "” as @") -> bool:
    """Whether the characters of the element's last text, from `after` on, stand from left to right."""
    places = element.evaluate(
        """(element, after) => {
            const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
            let found = null;
            while (walker.nextNode()) if (walker.currentNode.textContent.includes(after)) found = walker.currentNode;
            const start = found.textContent.indexOf(after);
            return [...after].map((_, index) => {
                const range = document.createRange();
                range.setStart(found, start + index);
                range.setEnd(found, start + index + 1);
                return range.getBoundingClientRect().left;
            });
        }""",
        after,
    )
    return places == sorted(places)


def test_mathjax_typesets_nothing_of_ours(lab: Lab):
    notebook = lab.open_notebook([SETUP, REPRS])
    notebook.run_all()
    output = notebook.output(1)
    expect(output.locator(".control mjx-container")).to_have_count(2)  # MathJax is on
    ours = output.locator(".mathjax_ignore")
    expect(ours).to_have_count(3)
    expect(ours.locator("mjx-container")).to_have_count(0)
    assert "$x^2$" in ours.nth(0).inner_text() and "\\(y\\)" in ours.nth(1).inner_text()
    notebook.screenshot("foreign text in tables", output)


def test_a_bidirectional_override_turns_nothing_but_its_own_text(lab: Lab):
    notebook = lab.open_notebook([SETUP, "display(HTML(f'<h3 id=control>Publish “{EVIL}” as @sandbox?</h3>'))", REVIEW])
    notebook.run_all()
    assert not runs_from_left_to_right_of_characters(
        notebook.output(1).locator("#control")
    )  # it would turn what follows
    publisher = notebook.output(2)
    publisher.get_by_role("button", name="Review and publish").click()
    heading = publisher.locator(".cxw-review h3")
    expect(heading).to_contain_text("”?", timeout=180_000)
    assert runs_from_left_to_right(heading)
    assert runs_from_left_to_right_of_characters(heading, after="”?")
    notebook.screenshot("a name with a bidirectional override", publisher)


MODELS = """
const renderer = panel.content.rendermime.createRenderer("application/vnd.jupyter.widget-view+json");
const manager = await renderer._manager.promise;
return [Object.keys(manager._models).length, context.sessionContext.session.kernel._comms.size];
"""


def models_of(notebook: Notebook) -> list[int]:
    """How many models the page's widget manager holds, and how many comms."""
    return notebook._call(MODELS)


def test_a_panels_cell_that_is_run_six_times_leaves_the_models_of_one(lab: Lab):
    Image.new("L", (64, 64), 90).save(lab.server.root / "small.png")
    notebook = lab.open_notebook(
        [SETUP, "cxw.publish(cxw.ImageDraft.from_image('small.png', center=(202.5, 47.2), width=0.2))"]
    )
    notebook.run_all()
    expect(notebook.output(1).locator(".cxw-form")).to_be_visible()
    first = models_of(notebook)
    assert first[0] > 5
    for _ in range(5):
        notebook.run_cell(1)
        expect(notebook.output(1).locator(".cxw-form")).to_be_visible()
    assert notebook.evaluate("len(__import__('ipywidgets').widgets.widget._instances)") <= first[0]
    for _ in range(100):
        if models_of(notebook) == first:
            break
        notebook.page.wait_for_timeout(100)  # the last words of the kernel are on their way
    assert models_of(notebook) == first
