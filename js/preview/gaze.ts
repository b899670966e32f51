/** Where the view looks, kept over a rebuild of the frame. */

import type { Camera } from "./camera";
import type { App, Part } from "./part";
import type { View } from "./projection";

export class Gaze implements Part {
  #element: HTMLElement;
  #app: App | null = null;
  #camera: Camera | null = null;
  /** Somebody has said where to look; from then on it is kept. */
  #set = false;

  constructor(element: HTMLElement) {
    this.#element = element;
  }

  /** Whether the view was ever taken anywhere. */
  get isSet(): boolean {
    return this.#set;
  }

  /** What is in view at this moment, null while nobody knows. Without the side door the app tells where it looks five times a second. */
  view({ engine, frame }: App): View | null {
    if (engine) return { ...engine.camera, width: engine.canvas.width, height: engine.canvas.height };
    return this.#camera && { ...this.#camera, width: frame.element.clientWidth, height: frame.element.clientHeight };
  }

  look(camera: Camera): void {
    this.#camera = camera;
    this.#set = true;
    this.#app?.post({ event: "center_on_coordinates", ...camera, instant: true });
  }

  /** A program has taken the view somewhere, to `camera` if it said where: from now on that is kept. */
  claim(camera: Partial<Camera> = {}): void {
    this.#set = true;
    if ("ra" in camera) this.#camera = { ra: 0, dec: 0, fov: 60, roll: 0, ...this.#camera, ...camera };
  }

  appReady(app: App): void {
    this.#app = app;
    if (this.#camera) app.post({ event: "center_on_coordinates", ...this.#camera, instant: true });
  }

  heard(message: Record<string, unknown>): void {
    if (message.type !== "wwt_view_state") return;
    const [ra, dec] = [Number(message.raRad), Number(message.decRad)].map((angle) => (angle * 180) / Math.PI);
    this.#camera = { ra: ra!, dec: dec!, fov: Number(message.fovDeg), roll: Number(message.rollDeg) };
  }

  /** For tests that compute where on the screen a position of the sky is. */
  drawn(app: App): void {
    if (!app.engine) return;
    const text = JSON.stringify(this.view(app));
    if (this.#element.dataset.cxwCamera !== text) this.#element.dataset.cxwCamera = text;
  }

  appGone(): void {
    this.#app = null;
  }
}
