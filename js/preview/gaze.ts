/** Where the view looks, kept over a rebuild of the frame. */

import type { Camera } from "./camera";
import type { App, Part } from "./part";

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

  look(camera: Camera): void {
    this.#camera = camera;
    this.#set = true;
    this.#app?.post({ event: "center_on_coordinates", ...camera, instant: true });
  }

  appReady(app: App): void {
    this.#app = app;
    if (this.#set) this.look(this.#camera!);
  }

  heard(message: Record<string, unknown>): void {
    if (message.type !== "wwt_view_state") return;
    const [ra, dec] = [Number(message.raRad), Number(message.decRad)].map((angle) => (angle * 180) / Math.PI);
    this.#camera = { ra: ra!, dec: dec!, fov: Number(message.fovDeg), roll: Number(message.rollDeg) };
  }

  /** For tests that compute where on the screen a position of the sky is. */
  drawn({ engine }: App): void {
    if (!engine) return;
    const { camera, canvas } = engine;
    const text = JSON.stringify({ ...camera, width: canvas.width, height: canvas.height });
    if (this.#element.dataset.cxwCamera !== text) this.#element.dataset.cxwCamera = text;
  }

  appGone(): void {
    this.#app = null;
  }
}
