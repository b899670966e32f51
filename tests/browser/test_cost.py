"""A preview draws when there is something to draw and somebody to see it. What that saves is measured in tests/benchmarks."""

from __future__ import annotations

from pathlib import Path

from browser.lab import Lab
from browser.on_sky import camera, show, sky, untiled, wait_revision, wait_shown
from playwright.sync_api import Locator

# How often the engine draws from now on: frames there have been, and when the last one was.
COUNT_FRAMES = """frame => {
    const stores = frame.contentDocument.querySelector('#app').__vue_app__.config.globalProperties.$pinia._s.values();
    const control = [...stores].find((store) => store.$wwt?.inst).$wwt.inst.ctl;
    const render = control.renderOneFrame;
    Object.assign(frame, { drawn: 0, last: performance.now() });
    control.renderOneFrame = function () {
        Object.assign(frame, { drawn: frame.drawn + 1, last: performance.now() });
        return render.apply(this, arguments);
    };
}"""
AT_REST = "frame => performance.now() - frame.last > 3000"  # three times the slow beat


def frames(preview: Locator) -> int:
    """Frames so far."""
    return preview.locator("iframe").evaluate("frame => frame.drawn")


def wait_for_rest(preview: Locator) -> None:
    preview.page.wait_for_function(AT_REST, arg=preview.locator("iframe").element_handle())


def test_a_preview_draws_when_something_happens_and_somebody_can_see_it(lab: Lab, image: Path):
    notebook = show(lab, untiled(image))
    element = wait_shown(notebook)
    frame = element.locator("iframe")
    frame.evaluate(COUNT_FRAMES)
    wait_for_rest(element)

    # At rest: nothing at all.
    before = frames(element)
    lab.page.wait_for_timeout(2500)
    assert frames(element) == before

    # A turn of the wheel, a change of the draft.
    fov = camera(element)["fov"]
    frame.hover()
    lab.page.mouse.wheel(0, -200)
    lab.page.wait_for_function(
        "([it, fov]) => JSON.parse(it.dataset.cxwCamera).fov < fov", arg=[element.element_handle(), fov]
    )
    wait_for_rest(element)
    before, picture = frames(element), sky(element)
    notebook.execute("draft.wwt.rotation = 75")
    wait_shown(notebook)
    assert frames(element) > before
    assert (sky(element) != picture).any()
    wait_for_rest(element)

    # Out of sight, and in another tab of JupyterLab: what happens is drawn when it is seen again.
    away = {
        "element => (element.style.marginTop = '5000px')": "element => (element.style.marginTop = '')",
        "() => jupyterapp.commands.execute('launcher:create')": "() => {}",
    }
    for number, (go, come_back) in enumerate(away.items()):
        wait_for_rest(element)
        element.evaluate(go)
        lab.page.wait_for_timeout(500)
        before = frames(element)
        notebook.execute(f"draft.wwt.rotation = {100 + number}")
        notebook.wait_idle()
        lab.page.wait_for_timeout(1500)
        assert frames(element) == before
        element.evaluate(come_back)
        notebook._call("jupyterapp.shell.activateById(panel.id);")
        wait_revision(element, notebook.evaluate("preview.revision"))
        assert frames(element) > before
    assert lab.console_errors == []
