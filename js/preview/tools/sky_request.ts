/** The sky behind the image, as the kernel requests it: for a camera of its own, once all tiles of that resolution are there. */

import type { SkyEvent } from "../../protocol.ts";
import type { KernelLink } from "../../shared/kernel_link.ts";
import type { App } from "../part.ts";
import type { Status } from "../status.ts";
import type { Sky } from "./background.ts";
import { PictureRequests, QUIET, type Taken } from "./picture_requests.ts";

export class SkyRequests extends PictureRequests<SkyEvent> {
  #sky: Sky;

  constructor(kernel: KernelLink, sky: Sky, status: Status, start: () => void) {
    super(kernel, "sky", status, ["shown", "waiting", "failed"], start);
    this.#sky = sky;
  }

  protected async take(app: App, request: SkyEvent, end: number): Promise<Taken> {
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
      await this.wait(app, end, `${tiles} missing of ${survey}. Check the connection, or try again.`);
    }
  }
}

function asCanvas(pixels: ImageData): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [pixels.width, pixels.height];
  canvas.getContext("2d")!.putImageData(pixels, 0, 0);
  return canvas;
}
