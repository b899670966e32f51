/** The state of the view (position, field of view, roll), kept when the frame is rebuilt. */

import { type Camera, WIDEST } from "./engine/camera.ts";
import type { View } from "./engine/projection.ts";
import type { App, Part } from "./part.ts";
import type { Notes } from "./tools/notes.ts";

const NARROWEST = 1e-4; // degrees of height
const CAMERA = ["ra", "dec", "fov", "roll"];
const NO_SKY = 'The view shows a planet, a panorama or the Solar System, not the sky. Run wwt.set_view("sky") first.';
/** The settings that turn the view to the north of another system. */
export const TURNING = ["galacticMode", "localHorizonMode"];

export class ViewState implements Part {
  #element: HTMLElement;
  #notes: Pick<Notes, "show">;
  #app: App | null = null;
  #camera: Camera | null = null;
  /** The view was moved on purpose; its position is kept from then on. */
  #set = false;
  /** What the program has set of the app's modes; for an app that does not report them. */
  #sky = true;
  #turnedBy = new Set<unknown>();

  constructor(element: HTMLElement, notes: Pick<Notes, "show">) {
    this.#element = element;
    this.#notes = notes;
  }

  /** Whether the view was ever taken anywhere. */
  get isSet(): boolean {
    return this.#set;
  }

  /** The camera as the app has it; null while it is unknown. Its roll is with respect to the mode's own north. */
  get camera(): Camera | null {
    return this.#camera;
  }

  /**
   * The part of the sky in view at this moment, its roll with respect to equatorial north; null while it is unknown, and while a planet
   * or the Solar System is shown. Without access to the engine, the app reports its position five times a second, but not how it rotates the sky.
   */
  view({ engine, frame }: App): View | null {
    if (engine) return engine.camera && { ...engine.camera, width: engine.canvas.width, height: engine.canvas.height };
    if (this.#turnedBy.size > 0 || !this.#sky) return null;
    return this.#camera && { ...this.#camera, width: frame.element.clientWidth, height: frame.element.clientHeight };
  }

  /** Whether the view shows the sky, not a planet, a panorama or the Solar System. */
  showsSky({ engine }: App): boolean {
    return engine ? engine.showsSky : this.#sky;
  }

  /** Takes the view to a part of the sky. */
  look(camera: Camera): void {
    if (this.#app && !this.showsSky(this.#app)) {
      this.#notes.show(NO_SKY);
      return;
    }
    this.#camera = camera;
    this.#set = true;
    this.#app?.post({ event: "center_on_coordinates", ...camera, instant: true });
  }

  /** Changes the height of the view by a factor, around its center. */
  zoom(factor: number): void {
    const now = this.#app && this.view(this.#app);
    if (!now || !this.#app) {
      if (this.#app && !this.showsSky(this.#app)) this.#notes.show(NO_SKY);
      return;
    }
    const { ra, dec } = now;
    const fov = Math.min(Math.max(now.fov * factor, NARROWEST), WIDEST);
    this.#camera = { roll: 0, ...this.#camera, ra, dec, fov };
    this.#set = true;
    // Without a roll the app keeps its own, which is with respect to the mode's north.
    this.#app.post({ event: "center_on_coordinates", ra, dec, fov, instant: true });
  }

  /** Follow a program's messages that move the view; the position that it sets is kept. */
  follow(message: Record<string, unknown>): void {
    const { event, setting, value } = message;
    if (event === "center_on_coordinates") {
      this.#set = true;
      const changes = Object.entries(message).filter(
        ([name, angle]) => CAMERA.includes(name) && typeof angle === "number",
      );
      this.#camera = { ra: 0, dec: 0, fov: WIDEST, roll: 0, ...this.#camera, ...Object.fromEntries(changes) };
    } else if (event === "image_layer_create") this.#set ||= message.goto !== false;
    else if (event === "set_viewer_mode" || event === "set_background_by_name")
      this.#sky = event === "set_background_by_name";
    else if (event === "setting_set" && TURNING.includes(String(setting)))
      this.#turnedBy[value === true ? "add" : "delete"](setting);
  }

  appReady(app: App): void {
    this.#app = app;
    this.#sky = true;
    this.#turnedBy.clear();
    if (this.#camera) app.post({ event: "center_on_coordinates", ...this.#camera, instant: true });
  }

  onMessage(message: Record<string, unknown>): void {
    // It comes five times a second, and tells what was: `drawn` knows better, where the engine does.
    if (message.type !== "wwt_view_state" || this.#app?.engine?.camera) return;
    const [ra, dec] = [Number(message.raRad), Number(message.decRad)].map((angle) => (angle * 180) / Math.PI);
    this.#camera = { ra: ra!, dec: dec!, fov: Number(message.fovDeg), roll: Number(message.rollDeg) };
  }

  drawn(app: App): void {
    if (!app.engine) return;
    const view = this.view(app);
    if (view && !app.frame.delivering) this.#camera = app.engine.ownCamera;
    // For tests that compute where on the screen a position of the sky is; null where there is no sky.
    const text = JSON.stringify(view);
    if (this.#element.dataset.cxwCamera !== text) this.#element.dataset.cxwCamera = text;
  }

  appGone(): void {
    this.#app = null;
  }
}
