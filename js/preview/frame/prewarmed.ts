/**
 * A prewarmed app: started out of sight while the page is idle. The next preview takes it, for example when the same cell runs again,
 * for a second cell, or when a paused preview resumes. It draws nothing meanwhile.
 */

import { pageWide } from "../../shared/page_wide.ts";
import { Addresses } from "./addresses.ts";
import type { AppFiles } from "./app_files.ts";
import { Frame } from "./frame.ts";

const AFTER = 2000; // ms after a preview has shown its image
const UNUSED = 60_000; // ms
const WARM = 300; // ms in which it draws, to have the browser compile what it draws with

// Not in the style sheet: some hosts keep that inside a shadow root, and the app waits outside of it.
const OUT_OF_SIGHT =
  "position: fixed; top: 0; left: -2000px; width: 800px; height: 400px; visibility: hidden; pointer-events: none";

/** Moves an element to another place of the document with all that it holds alive; not every browser has it. */
type Mover = Element & { moveBefore?(element: Element, before: Node | null): void };

interface Prewarmed {
  frame: Frame | null;
  holder: HTMLElement | null;
  timer: ReturnType<typeof setTimeout> | undefined;
}

const prewarmed = (): Prewarmed => pageWide("prewarmed.1", () => ({ frame: null, holder: null, timer: undefined }));

/** Move the prewarmed app to the front of `stage`; return null if there is none, or none that can be moved. */
export function takePrewarmed(stage: Mover): Frame | null {
  const page = prewarmed();
  const { frame } = page;
  if (!frame?.listens || !frame.realm) return null;
  page.frame = null;
  try {
    stage.moveBefore!(frame.element, stage.firstChild);
    return frame;
  } catch {
    frame.remove(); // one of the two is not in the page
    return null;
  } finally {
    dropPrewarmed();
  }
}

/** Start an app when the page is idle, if browsers can move it later and there is none yet. */
export function prewarm(files: AppFiles): void {
  const page = prewarmed();
  clearTimeout(page.timer);
  if (!("moveBefore" in Element.prototype) || !("requestIdleCallback" in window)) return;
  const start = () => {
    if (page.frame?.realm || document.hidden) return;
    dropPrewarmed(); // its app was lost
    page.frame = startPrewarmed(files);
  };
  page.timer = setTimeout(() => requestIdleCallback(start), AFTER);
}

/** Remove the prewarmed app after a while: the page has no preview now. */
export function dropPrewarmedLater(): void {
  const page = prewarmed();
  clearTimeout(page.timer);
  page.timer = setTimeout(dropPrewarmed, UNUSED);
}

function dropPrewarmed(): void {
  const page = prewarmed();
  page.frame?.remove();
  page.holder?.remove();
  page.frame = page.holder = null;
}

function startPrewarmed(files: AppFiles): Frame {
  const frame = new Frame(files, new Addresses({ file: () => Promise.resolve(null) }, files.sky));
  const holder = document.createElement("div");
  holder.className = "cxw-preview-prewarmed";
  holder.style.cssText = OUT_OF_SIGHT;
  holder.ariaHidden = "true";
  holder.inert = true;
  holder.append(frame.element);
  document.body.append(holder);
  prewarmed().holder = holder;
  frame.start();
  setTimeout(() => {
    if (prewarmed().frame === frame && frame.throttle) frame.throttle.seen = false;
  }, WARM);
  return frame;
}
