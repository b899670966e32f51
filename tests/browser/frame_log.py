"""Every frame that a preview draws, as it is drawn: when, how bright, and which pixels."""

from __future__ import annotations

import base64
import itertools
from typing import Any

import numpy as np
from playwright.sync_api import Locator, Page

STRIDE = 13  # one pixel of so many is looked at

# A frame's picture is there until the browser has taken it, which is after the frame's own callbacks and the preview's.
_WATCH = """(frame) => {
    const realm = frame.contentWindow, canvas = realm.document.querySelector("canvas");
    if (realm.cxwFrames) return;
    const gl = canvas.getContext("webgl2"), ask = realm.requestAnimationFrame;
    const log = (realm.cxwFrames = []);
    const read = () => {
        const [width, height] = [canvas.width, canvas.height], pixels = new Uint8Array(4 * width * height);
        gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
        let bright = 0, hash = 0;
        for (let at = 0; at < pixels.length; at += 4 * STRIDE) {
            if (pixels[at] + pixels[at + 1] + pixels[at + 2] > 180) bright += 1;
            hash = (hash * 31 + pixels[at] + 7 * pixels[at + 1] + 13 * pixels[at + 2]) | 0;
        }
        realm.cxwPixels = { width, height, pixels };
        log.push({ time: performance.timeOrigin + performance.now(), bright, hash });
    };
    realm.requestAnimationFrame = (callback) => ask.call(realm, (time) => { callback(time); queueMicrotask(read); });
}"""


_PICTURE = """async (frame) => {
    const realm = frame.contentWindow;
    delete realm.cxwPixels;
    realm.dispatchEvent(new Event("resize"));
    while (!realm.cxwPixels) await new Promise((later) => setTimeout(later, 20));
    const { width, height, pixels } = realm.cxwPixels;
    let text = "";
    for (let at = 0; at < pixels.length; at += 0x8000) text += String.fromCharCode(...pixels.subarray(at, at + 0x8000));
    return [width, height, btoa(text)];
}"""


# Whoever learns from a preview that it has drawn a frame finds it in the log: the task that draws it is over then.
_FRAMES = """async (element, revision) => {
    const behind = () => element.dataset.cxwPreviewState !== "shown" || Number(element.dataset.cxwRevision) < revision;
    while (revision !== null && behind()) await new Promise((later) => setTimeout(later, 20));
    return element.querySelector("iframe").contentWindow.cxwFrames.splice(0);
}"""


def see_every_frame(page: Page) -> None:
    """Before anything is shown on this page: its previews draw as often as for people, not as seldom as for other tests."""
    page.add_init_script("window.cxwEveryFrame = true")


def watch_frames(element: Locator) -> None:
    """From now on note every frame of this preview's app."""
    element.locator("iframe").evaluate(_WATCH.replace("STRIDE", str(STRIDE)))


def frames(element: Locator, revision: int | None = None) -> list[dict[str, Any]]:
    """The frames since `watch_frames`, or since this was called last: `bright` ones of every STRIDEth pixel, and a `hash` of those.

    With `revision`, waits until the preview shows this state of its draft; the last frame is of it.
    """
    return element.evaluate(_FRAMES, revision, timeout=180_000)


def count_pictures(log: list[dict[str, Any]]) -> int:
    """How many different pictures were seen one after the other."""
    return 1 + sum(before["hash"] != after["hash"] for before, after in itertools.pairwise(log)) if log else 0


def picture(element: Locator) -> np.ndarray:
    """The sky as the app draws it now, with nothing of the page over it: height × width × 3. Needs `watch_frames`."""
    width, height, text = element.locator("iframe").evaluate(_PICTURE)
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(height, width, 4)[::-1, :, :3]
