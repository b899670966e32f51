/**
 * An app that is started before anybody needs it, out of sight, while the page has nothing else to do. The next preview takes it: the same
 * cell run again, a second cell, one that was put aside. It draws nothing meanwhile.
 */

import { Addresses } from "./addresses";
import type { AppFiles } from "./app_files";
import { Frame } from "./frame";
import { pageWide } from "../shared/page_wide";

const AFTER = 2000; // ms after a preview has shown its image: somebody looks at it
const UNUSED = 60_000; // ms
const WARM = 300; // ms in which it draws, to have the browser compile what it draws with

// Not in the style sheet: some hosts keep that inside a shadow root, and the app waits outside of it.
const OUT_OF_SIGHT = "position: fixed; top: 0; left: -2000px; width: 800px; height: 400px; visibility: hidden; pointer-events: none";

/** Moves an element to another place of the document with all that it holds alive; not every browser has it. */
type Mover = Element & { moveBefore?(element: Element, before: Node | null): void };

interface Spare {
  frame: Frame | null;
  holder: HTMLElement | null;
  timer: ReturnType<typeof setTimeout> | undefined;
}

const spare = (): Spare => pageWide("spare.1", () => ({ frame: null, holder: null, timer: undefined }));

/** The spare app, moved to the front of `stage`; null if there is none, or none that can be moved. */
export function takeSpare(stage: Mover): Frame | null {
  const page = spare();
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
    dropSpare();
  }
}

/** Has a spare app started when the page is idle, if it can be used and there is none. */
export function prepareSpare(files: AppFiles): void {
  const page = spare();
  clearTimeout(page.timer);
  if (!("moveBefore" in Element.prototype) || !("requestIdleCallback" in window)) return;
  const start = () => {
    if (page.frame?.realm || document.hidden) return;
    dropSpare(); // its app was lost
    page.frame = startSpare(files);
  };
  page.timer = setTimeout(() => requestIdleCallback(start), AFTER);
}

/** There is no preview in the page now: if it stays so, nobody needs a spare app. */
export function dropSpareLater(): void {
  const page = spare();
  clearTimeout(page.timer);
  page.timer = setTimeout(dropSpare, UNUSED);
}

function dropSpare(): void {
  const page = spare();
  page.frame?.remove();
  page.holder?.remove();
  page.frame = page.holder = null;
}

function startSpare(files: AppFiles): Frame {
  const frame = new Frame(files, new Addresses({ file: () => Promise.resolve(null) }, files.sky));
  const holder = document.createElement("div");
  holder.className = "cxw-preview-spare";
  holder.style.cssText = OUT_OF_SIGHT;
  holder.ariaHidden = "true";
  holder.inert = true;
  holder.append(frame.element);
  document.body.append(holder);
  spare().holder = holder;
  frame.start();
  setTimeout(() => spare().frame === frame && frame.throttle && (frame.throttle.seen = false), WARM);
  return frame;
}
