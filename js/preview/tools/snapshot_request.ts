/** Pictures of the view for a program, in the width that it asks for, once all tiles of that resolution are there. */

import type { SnapshotEvent, SnapshotPart } from "../../protocol.ts";
import type { KernelLink } from "../../shared/kernel_link.ts";
import type { App, Part } from "../part.ts";
import type { Status } from "../status.ts";
import type { ViewState } from "../view_state.ts";
import { drawCompass, drawGrid, drawScaleBar } from "./drawings.ts";
import { copySky } from "./snapshot.ts";

const PART_BYTES = 1 << 20; // of one message: servers refuse large ones

/** Which view of the preview this is, among those of all pages. */
const VIEW = Math.random().toString(36).slice(2);

/** Send the kernel the picture that it has requested under `number`, or the error that `take` throws. */
export async function sendPicture(
  kernel: KernelLink,
  number: number,
  take: () => Promise<{ picture: HTMLCanvasElement; about?: SnapshotPart["about"] }>,
): Promise<void> {
  const part = { number, view: VIEW, index: 0, count: 1 };
  try {
    const { picture, about } = await take();
    const blob = await new Promise<Blob | null>((resolve) => picture.toBlob(resolve));
    if (!blob) throw new Error("The browser could not create the picture.");
    const bytes = await blob.arrayBuffer();
    const count = Math.ceil(bytes.byteLength / PART_BYTES);
    for (let index = 0; index < count; index++) {
      const buffer = bytes.slice(index * PART_BYTES, (index + 1) * PART_BYTES);
      await kernel.request("snapshot_part", { ...part, index, count, ...(about && { about }) }, [buffer]);
    }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    await kernel.request("snapshot_part", { ...part, error: message }).catch(() => {});
  }
}
const AFTER = 100; // ms between two looks whether all is there
const QUIET = 4; // such looks in a row: a tile that has come may be followed by deeper ones

export class SnapshotRequests implements Part {
  #kernel: KernelLink;
  #viewState: ViewState;
  #status: Status;
  #start: () => void;
  #app: App | null = null;
  #last = 0;

  /** `start` has a preview that is not live become so. */
  constructor(kernel: KernelLink, viewState: ViewState, status: Status, start: () => void) {
    this.#kernel = kernel;
    this.#viewState = viewState;
    this.#status = status;
    this.#start = start;
    kernel.onMessage<SnapshotEvent>("snapshot", (request) => void this.#answer(request));
  }

  appReady(app: App): void {
    this.#app = app;
  }

  appGone(): void {
    this.#app = null;
  }

  /** The kernel repeats a request until it has its answer. */
  async #answer(request: SnapshotEvent): Promise<void> {
    if (request.number <= this.#last) return;
    this.#last = request.number;
    const end = performance.now() + request.seconds * 1000;
    await sendPicture(this.#kernel, request.number, async () => ({ picture: await this.#take(request, end) }));
  }

  async #take(request: SnapshotEvent, end: number): Promise<HTMLCanvasElement> {
    this.#start();
    while (!this.#app || this.#status.progress !== "shown") {
      if (this.#status.progress === "failed") throw new Error("The preview could not start in its page.");
      await inTime(end, "The preview does not show the image yet.");
    }
    return this.#draw(this.#app, request, end);
  }

  /** The frame gets the size of the picture, and is scaled to the size that it had: the page looks the same meanwhile. */
  async #draw(app: App, request: SnapshotEvent, end: number): Promise<HTMLCanvasElement> {
    const { element } = app.frame;
    const { clientWidth: width, clientHeight: height } = element;
    if (!width || !height) throw new Error("The preview is hidden, and has no size.");
    const factor = request.width / width;
    const before = element.style.cssText;
    element.style.cssText = `${before}; position: absolute; inset: 0 auto auto 0; max-width: none; width: ${request.width}px; height: ${Math.round(height * factor)}px; transform: scale(${1 / factor}); transform-origin: 0 0`;
    try {
      await this.#complete(app, request.width, end);
      const sky = copySky(app);
      const view = this.#viewState.view(app);
      if (view) annotate(sky, { ...view, width, height }, factor, request);
      return sky;
    } finally {
      element.style.cssText = before;
      app.wake();
    }
  }

  /** Draw frames until the engine has the new size, and nothing is on its way any more. */
  async #complete(app: App, width: number, end: number): Promise<void> {
    const { engine, frame } = app;
    if (!engine) throw new Error("This version of WWT does not report when its tiles are there.");
    for (let quiet = 0; quiet < QUIET; ) {
      await inTime(end, "Not all tiles of the view have come.");
      if (this.#app !== app) throw new Error("The browser has stopped the preview.");
      frame.realm?.dispatchEvent(new Event("resize"));
      frame.throttle?.drawNow();
      quiet = engine.atRest && engine.canvas.width === width ? quiet + 1 : 0;
    }
  }
}

/** Draw what is asked for as large as it is in the page, relative to the view. */
function annotate(
  sky: HTMLCanvasElement,
  view: Parameters<typeof drawGrid>[1],
  factor: number,
  wanted: SnapshotEvent,
): void {
  const context = sky.getContext("2d")!;
  context.scale(factor, factor);
  if (wanted.grid) drawGrid(context, view);
  if (wanted.compass) drawCompass(context, view);
  if (wanted.scale_bar) drawScaleBar(context, view);
}

export async function inTime(end: number, otherwise: string): Promise<void> {
  if (performance.now() > end) throw new Error(otherwise);
  await new Promise((later) => setTimeout(later, AFTER));
}
