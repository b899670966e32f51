/** What is drawn over the sky: compass, scale bar and coordinates, and on demand a grid and a crosshair. */

import { compass, degreesPerPixel, pixelToSky, scaleBar, type View } from "../engine/projection.ts";
import type { App, Part } from "../part.ts";
import type { ViewState } from "../view_state.ts";
import { decimalDegrees, decimalsFor, hours, roundAngle, signedDegrees } from "./angles.ts";
import { arm, drawGrid, LIGHT, stroke, widthOfScale } from "./drawings.ts";
import { div, group, svg, toggle } from "./toolbar.ts";

export class Overlay implements Part {
  readonly element = document.createElement("div");
  #viewState: ViewState;
  #app: App | null = null;
  #canvas = document.createElement("canvas");
  #compass = svg("svg", { class: "cxw-preview-compass", viewBox: "-32 -32 64 64", role: "img" });
  #scale = div("cxw-preview-scale");
  #coordinates = div("cxw-preview-coordinates");
  #pointer: [x: number, y: number] | null = null;
  #drawnFor = "";
  #grid = toggle("Grid", "Show lines of right ascension and declination", () => this.#changed());
  #cross = toggle("Crosshair", "Mark the center of the view", () => this.#changed());
  readonly more = [group("Lines", this.#grid.element, this.#cross.element)];

  constructor(viewState: ViewState) {
    this.#viewState = viewState;
    this.element.className = "cxw-preview-overlay";
    this.element.hidden = true;
    this.#canvas.ariaHidden = "true";
    this.element.append(this.#canvas, this.#compass, this.#scale, this.#coordinates);
  }

  /** What lies over the app's frame has the pointer, too. */
  follow(layer: HTMLElement): void {
    layer.addEventListener("pointermove", ({ clientX, clientY }) => {
      const { left, top } = layer.getBoundingClientRect();
      this.#point([clientX - left, clientY - top]);
    });
    layer.addEventListener("pointerleave", () => this.#point(null));
  }

  appReady(app: App): void {
    this.#app = app;
    const realm = app.frame.realm!;
    realm.addEventListener("pointermove", ({ clientX, clientY }) => this.#point([clientX, clientY]), { passive: true });
    realm.document.documentElement.addEventListener("pointerleave", () => this.#point(null));
    this.#drawnFor = "";
  }

  drawn(app: App): void {
    const view = this.#viewState.view(app);
    this.element.hidden = !view;
    if (!view) {
      this.#drawnFor = "";
      return;
    }
    const now = JSON.stringify([view, this.#grid.on, this.#cross.on, devicePixelRatio]);
    if (now === this.#drawnFor) return;
    this.#drawnFor = now;
    this.#drawLines(view);
    this.#drawCompass(view);
    this.#drawScale(view);
    this.#showCoordinates(view);
  }

  appGone(): void {
    this.#app = null;
    this.#pointer = null;
    this.element.hidden = true;
  }

  /** Draws the lines on a picture of the sky. */
  drawOn(picture: HTMLCanvasElement): void {
    if (this.#hasLines && !this.element.hidden)
      picture.getContext("2d")!.drawImage(this.#canvas, 0, 0, picture.width, picture.height);
  }

  get #hasLines(): boolean {
    return this.#grid.on || this.#cross.on;
  }

  #changed(): void {
    if (this.#app) this.drawn(this.#app);
  }

  #point(pointer: [number, number] | null): void {
    this.#pointer = pointer;
    const view = this.#app && this.#viewState.view(this.#app);
    if (view) this.#showCoordinates(view);
  }

  #drawLines(view: View): void {
    // Chromium may go on showing what was on a canvas that is empty now.
    this.#canvas.style.visibility = this.#hasLines ? "visible" : "hidden";
    if (!this.#hasLines) return;
    const ratio = devicePixelRatio;
    this.#canvas.width = Math.round(view.width * ratio);
    this.#canvas.height = Math.round(view.height * ratio);
    const context = this.#canvas.getContext("2d")!;
    context.scale(ratio, ratio);
    if (this.#grid.on) drawGrid(context, view);
    if (this.#cross.on) drawCrosshair(context, view.width / 2, view.height / 2);
  }

  #drawCompass(view: View): void {
    const { north, east } = compass(view);
    const arms = [arrow("N", north, true), arrow("E", east, false)];
    this.#compass.replaceChildren(...arms.flat());
    const turn = Math.round(view.roll);
    this.#compass.setAttribute(
      "aria-label",
      turn ? `North is rotated ${turn}° clockwise` : "North is up, east is left",
    );
  }

  #drawScale(view: View): void {
    const { angle, length } = scaleBar(view, widthOfScale(view));
    this.#scale.style.width = `${length}px`;
    this.#scale.textContent = roundAngle(angle);
  }

  #showCoordinates(view: View): void {
    const [x, y] = this.#pointer ?? [view.width / 2, view.height / 2];
    const [ra, dec] = pixelToSky(view, x, y);
    const pixel = degreesPerPixel(view);
    const [seconds, degrees] = [decimalsFor(pixel * 3600, 3), decimalsFor(pixel, 7)];
    const lines = [
      `${hours(ra, seconds + 1)} ${signedDegrees(dec, seconds)}`,
      `${decimalDegrees(ra, degrees)} ${decimalDegrees(dec, degrees, true)} ${this.#pointer ? "at pointer" : "at center"}`,
    ];
    this.#coordinates.replaceChildren(...lines.map((line) => div("", line)));
  }
}

/** An arrow from the middle with its letter, dark below light so that any sky lets it be seen. */
function arrow(...of: Parameters<typeof arm>): SVGElement[] {
  const { path, text, x, y } = arm(...of);
  const letter = svg("text", { x: String(x), y: String(y) });
  letter.textContent = text;
  return [svg("path", { d: path, class: "cxw-dark" }), svg("path", { d: path }), letter];
}

function drawCrosshair(context: CanvasRenderingContext2D, x: number, y: number): void {
  const path = new Path2D();
  for (const [dx, dy] of [
    [1, 0],
    [-1, 0],
    [0, 1],
    [0, -1],
  ] as const) {
    path.moveTo(x + 6 * dx, y + 6 * dy);
    path.lineTo(x + 22 * dx, y + 22 * dy);
  }
  stroke(context, path, LIGHT);
}
