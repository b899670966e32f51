/** The sky behind the image, as the kernel requests it: for a camera of its own, once all tiles of that resolution are there. */

import type { SkyEvent, SnapshotPart } from "../../protocol.ts";
import type { KernelLink } from "../../shared/kernel_link.ts";
import type { App, Part } from "../part.ts";
import type { Status } from "../status.ts";
import type { Sky } from "./background.ts";
import { inTime, sendPicture } from "./snapshot_request.ts";

const QUIET = 4; // drawings in a row with nothing on its way: a tile that has come may be followed by deeper ones

export class SkyRequests implements Part {
  #kernel: KernelLink;
  #sky: Sky;
  #status: Status;
  #start: () => void;
  #app: App | null = null;
  #last = 0;

  /** `start` has a preview that is not live become so. */
  constructor(kernel: KernelLink, sky: Sky, status: Status, start: () => void) {
    this.#kernel = kernel;
    this.#sky = sky;
    this.#status = status;
    this.#start = start;
    kernel.onMessage<SkyEvent>("sky", (request) => void this.#answer(request));
  }

  appReady(app: App): void {
    this.#app = app;
  }

  appGone(): void {
    this.#app = null;
  }

  /** The kernel repeats a request until it has its answer. */
  async #answer(request: SkyEvent): Promise<void> {
    if (request.number <= this.#last) return;
    this.#last = request.number;
    const end = performance.now() + request.seconds * 1000;
    await sendPicture(this.#kernel, request.number, () => this.#take(request, end));
  }

  async #take(
    request: SkyEvent,
    end: number,
  ): Promise<{ picture: HTMLCanvasElement; about: NonNullable<SnapshotPart["about"]> }> {
    this.#start();
    while (!this.#app || !["shown", "waiting", "failed"].includes(this.#status.progress)) {
      if (this.#status.progress === "failed") throw new Error("The preview could not start in its page.");
      await inTime(end, "The preview does not show the image yet.");
    }
    const app = this.#app;
    if (!app.engine) throw new Error("This version of WWT can't draw the sky by itself. Give a FITS image instead.");
    for (let quiet = 0; ; ) {
      const { ra, dec, fov, roll, width, height } = request;
      const drawn = app.engine.drawSky({ ra, dec, fov, roll }, width, height);
      if (!drawn) throw new Error("The view shows a planet, a panorama or the Solar System, not the sky.");
      const survey = this.#sky.labelOf(drawn.name);
      if (drawn.failed) throw new Error(`No tile of ${survey} could be loaded. Choose another one under “Sky”.`);
      quiet = drawn.waiting === 0 ? quiet + 1 : 0;
      if (quiet === QUIET) return { picture: asCanvas(drawn.pixels), about: { survey, pixel: drawn.pixel } };
      const tiles = drawn.waiting === 1 ? "1 tile is" : `${drawn.waiting} tiles are`;
      await inTime(end, `${tiles} missing of ${survey}. Check the connection, or try again.`);
      if (this.#app !== app) throw new Error("The browser has stopped the preview.");
    }
  }
}

function asCanvas(pixels: ImageData): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [pixels.width, pixels.height];
  canvas.getContext("2d")!.putImageData(pixels, 0, 0);
  return canvas;
}
