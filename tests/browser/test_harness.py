"""The browser tests' own tools: JupyterLab starts, a notebook runs, a widget shows in either theme, nothing leaves this machine."""

from __future__ import annotations

import nbformat
import pytest
from playwright.sync_api import Page, expect

from browser.lab import Lab

COUNTER = '''
import anywidget, traitlets

class Counter(anywidget.AnyWidget):
    _esm = """export default { render({ model, el }) {
        const button = document.createElement("button");
        const show = () => button.textContent = `count is ${model.get("count")}`;
        button.onclick = () => { model.set("count", model.get("count") + 1); model.save_changes(); };
        button.style.background = "rgb(200, 30, 60)";
        model.on("change:count", show);
        show();
        el.append(button);
    }};"""
    count = traitlets.Int(0).tag(sync=True)

counter = Counter()
counter
'''


def test_all_cells_are_in_the_page_their_errors_are_errors_here_and_nothing_leaves_this_machine(lab: Lab, page: Page):
    notebook = lab.open_notebook([COUNTER, *(f"print('cell', {number})" for number in range(1, 40)), "1 / 0"])
    with pytest.raises(AssertionError, match=r"cell 40:\n(?s:.*)ZeroDivisionError"):
        notebook.run_all()
    expect(notebook.output(39)).to_have_text("cell 39")
    expect(notebook.output(1)).to_have_text("cell 1")
    with pytest.raises(AssertionError, match="NameError"):
        notebook.evaluate("nothing_here")
    assert notebook.evaluate("__import__('os').path.expanduser('~')").startswith(str(lab.server.folder))

    button = notebook.output(0).get_by_role("button", name="count is")
    button.click()
    notebook.wait_idle()
    assert notebook.evaluate("counter.count") == 1
    notebook.execute("counter.count = 41")
    expect(button).to_have_text("count is 41")
    for theme, dark in (("light", False), ("dark", True)):
        lab.theme(theme)
        seen = notebook.screenshot(f"harness-{theme}")
        assert seen.shape == (800, 1000, 3)
        assert (seen.mean() < 128) == dark
        assert (notebook.screenshot(f"harness-{theme}-button", button)[4, 4] == (200, 30, 60)).all()
    assert lab.console_errors == []

    notebook.save()
    assert nbformat.read(notebook.path, as_version=4).cells[0].execution_count == 1
    notebook.restart_kernel()
    assert notebook.evaluate("'counter' in globals()") is False

    outside = "http://outside.invalid/tile.png"
    assert page.evaluate("url => fetch(url).then(() => 'came through', () => 'stopped')", outside) == "stopped"
    assert lab.outside_requests == [outside]
    lab.outside_requests.clear()
