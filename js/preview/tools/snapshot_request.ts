/** Pictures of the view for a program, in the width that it asks for, once all tiles of that resolution are there. */

import type { SnapshotEvent } from "../../protocol.ts";
import type { KernelLink } from "../../shared/kernel_link.ts";
import type { App } from "../part.ts";
import type { Status } from "../status.ts";
import type { ViewState } from "../view_state.ts";
import { drawCompass, drawGrid, drawScaleBar } from "./drawings.ts";
import { PictureRequests, QUIET, type Taken } from "./picture_requests.ts";
import { copySky } from "./snapshot.ts";

export class SnapshotRequests extends PictureRequests<SnapshotEvent> {
  #viewState: ViewState;

  constructor(kernel: KernelLink, viewState: ViewState, status: Status, start: () => void) {
    super(kernel, "snapshot", status, ["shown"], start);
    this.#viewState = viewState;
  }

  /** The frame gets the size of the picture, and is scaled to the size that it had: the page looks the same meanwhile. */
  protected async take(app: App, request: SnapshotEvent, end: number): Promise<Taken> {
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
      return { picture: sky };
    } finally {
      element.style.cssText = before;
      app.wake();
    }
  }

  /** Draw frames until the engine has the new size, and nothing is on its way any more. */
  async #complete(app: App, width: number, end: number): Promise<void> {
    const { engine, frame } = app;
    if (!engine) throw new Error("This version of WWT does not report when its tiles are there.");
    const { posted } = frame;
    for (let quiet = 0; quiet < QUIET; ) {
      await this.wait(app, end, "Not all tiles of the view have come.");
      frame.realm?.dispatchEvent(new Event("resize"));
      frame.throttle?.drawNow();
      quiet = frame.delivered >= posted && engine.atRest && engine.canvas.width === width ? quiet + 1 : 0;
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
