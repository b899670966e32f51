"""A preview draws when there is something to draw and somebody to see it. What that saves is measured in tests/benchmarks."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

from browser.bare_page import bare_page
from browser.on_sky import camera, marked_draft, wait_revision
from browser.watching import WatchedPage
from constellations_widgets import Preview

# How often each engine draws from now on: frames there have been, and when the last one was.
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
AT_REST = "frames => frames.every((frame) => performance.now() - frame.last > 2000)"  # twice the slow beat


def test_a_preview_draws_when_something_happens_and_it_is_visible(page: Page, image: Path):
    page.set_viewport_size({"width": 500, "height": 1100})  # all four are seen
    watch, draft = WatchedPage(page), marked_draft(image)
    previews = [Preview(draft, height="90px") for _ in range(4)]
    with bare_page(page, *previews) as frame:
        elements = [frame.locator(".cxw-preview").nth(number) for number in range(4)]
        apps = [wait_revision(element, 1).locator("iframe").element_handle() for element in elements]
        for app in apps:
            app.evaluate(COUNT_FRAMES)
        touched, seen, hidden, far = elements
        hidden.evaluate("it => (it.style.display = 'none')")  # as a tab of JupyterLab that is not the current one
        far.evaluate("it => (it.style.marginTop = '5000px')")

        def drawn() -> list[int]:
            return [app.evaluate("frame => frame.drawn") for app in apps]

        # They come to rest: not one frame.
        apps[0].owner_frame().wait_for_function(AT_REST, arg=apps)
        at_rest = drawn()

        # A turn of the wheel: in the preview that was touched.
        fov = camera(touched)["fov"]
        touched.locator("iframe").click()
        page.mouse.wheel(0, -200)
        apps[0].owner_frame().wait_for_function(
            "([it, fov]) => JSON.parse(it.dataset.cxwCamera).fov < fov", arg=[touched.element_handle(), fov]
        )
        after_wheel = drawn()
        assert after_wheel[0] > at_rest[0]
        assert after_wheel[1:] == at_rest[1:]

        # A change of the draft: in those that are seen.
        draft.wwt.rotation = 75
        for element in (touched, seen):
            wait_revision(element, previews[0].revision)
        page.wait_for_timeout(500)
        after_change = drawn()
        assert after_change[1] > after_wheel[1]
        assert after_change[2:] == at_rest[2:]
        assert [it.get_attribute("data-cxw-revision") for it in (hidden, far)] == ["1", "1"]

        # What happened meanwhile is drawn when they are seen again.
        hidden.evaluate("it => (it.style.display = '')")
        far.evaluate("it => (it.style.marginTop = '')")
        for element in (hidden, far):
            wait_revision(element, previews[0].revision)
        assert all(now > before for now, before in zip(drawn(), at_rest, strict=True))
    assert watch.console_errors == []
