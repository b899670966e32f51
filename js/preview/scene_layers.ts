/** The images of a scene on the sky: as layers in their order, each with its opacity; its background, and its view as the site shows it. */

import type { SceneDrawing, SceneEvent, SceneImageset, ViewState as View } from "../protocol.ts";
import type { KernelLink } from "../shared/kernel_link.ts";
import type { Camera } from "./engine/camera.ts";
import type { App, Part } from "./part.ts";
import type { Sky } from "./tools/background.ts";
import type { Notes } from "./tools/notes.ts";
import { button } from "./tools/toolbar.ts";
import type { ViewState } from "./view_state.ts";

/** The camera of a scene's view: its region stays in view, whatever the shape of the window. */
export function cameraOf({ ra, dec, height, aspect, roll }: View, paneAspect: number): Camera {
  return { ra, dec, fov: height * Math.max(1, aspect / paneAspect), roll };
}

const UNREACHABLE =
  "could not be loaded. The address may be wrong, or the server does not allow other sites to load it (no CORS header).";

const names = (layers: readonly SceneImageset[]) => layers.map(({ name }) => name).join();

export class SceneLayers implements Part {
  #viewState: Pick<ViewState, "look">;
  #sky: Pick<Sky, "showScene">;
  #element: HTMLElement;
  #notes: Pick<Notes, "show">;
  #app: App | null = null;
  #scene: SceneDrawing | null = null;
  /** By name: the address of the WTML that each image was loaded from, and whether the app has it. */
  #loaded = new Map<string, { url: string; there: boolean }>();
  #shown: SceneImageset[] = [];
  #background = "";
  #view = "";
  #failed = "";
  #go = button("Fit to scene", () => this.#look());
  readonly controls = [this.#go];
  #held = false;
  #drawn = 0;
  /** Called when there is a newer state. */
  onRevision: () => void = () => {};
  /** Called once it is known that this preview shows a scene. */
  onScene: () => void = () => {};

  constructor(
    kernel: Pick<KernelLink, "onMessage">,
    viewState: Pick<ViewState, "look">,
    sky: Pick<Sky, "showScene">,
    element: HTMLElement,
    notes: Pick<Notes, "show">,
  ) {
    this.#viewState = viewState;
    this.#sky = sky;
    this.#element = element;
    this.#notes = notes;
    this.#go.hidden = true;
    kernel.onMessage<SceneEvent>("scene", (scene) => this.receive(scene));
  }

  /** Take a new state of the scene. An older one that comes late is dropped. */
  receive(scene: SceneDrawing): void {
    if (this.#scene && scene.revision < this.#scene.revision) return;
    if (!this.#scene) {
      this.#go.hidden = false;
      this.onScene();
    }
    if (scene.note !== (this.#scene?.note ?? "")) this.#notes.show(scene.note);
    this.#scene = scene;
    this.#update();
    this.onRevision();
  }

  /** The revision of its newest state; 0 if this preview shows no scene. */
  get revision(): number {
    return this.#scene?.revision ?? 0;
  }

  /** The revision that was last drawn with all its images. */
  get drawnRevision(): number {
    return this.#drawn;
  }

  /** Keep the sky as it is, since there may be a newer state than is known here. */
  set held(held: boolean) {
    this.#held = held;
    this.#update();
  }

  appReady(app: App): void {
    this.#app = app;
    this.#loaded.clear();
    this.#shown = [];
    this.#background = this.#view = "";
    this.#update();
  }

  onMessage(message: Record<string, unknown>): void {
    if (message.event !== "load_image_collection_completed") return;
    for (const image of this.#loaded.values()) if (image.url === message.url) image.there = true;
    this.#update();
  }

  /** For tests: how much of the scene is drawn. */
  drawn(app: App): void {
    const { engine, wake } = app;
    if (!engine || !this.#scene) return;
    const states = this.#shown.map(({ name }) => engine.images.stateOf(name));
    const isTold = !app.frame.delivering && names(this.#shown) === names(this.#scene.layers);
    const complete = isTold && !states.includes("loading");
    if (!complete) wake();
    else this.#report(this.#shown.filter((_layer, index) => states[index] === "failed"));
    if (complete) this.#drawn = this.#scene.revision;
    const text = JSON.stringify({ revision: this.#scene.revision, states: complete && app.atRest ? states : [] });
    if (this.#element.dataset.cxwScene !== text) this.#element.dataset.cxwScene = text;
  }

  appGone(): void {
    this.#app = null;
  }

  /** Says once which images can't be loaded. */
  #report(failed: SceneImageset[]): void {
    const text = failed.map(({ title }) => `“${title}”`).join(", ");
    if (text && text !== this.#failed) this.#notes.show(`${text} ${UNREACHABLE}`);
    this.#failed = text;
  }

  #look(): void {
    const view = this.#scene?.view;
    if (this.#app && view) this.#viewState.look(cameraOf(view, this.#app.frame.aspect));
  }

  #update(): void {
    const [app, scene] = [this.#app, this.#scene];
    if (!app || !scene || this.#held) return;
    const wanted = scene.background ? [...scene.layers, scene.background] : scene.layers;
    for (const image of wanted) this.#load(app, image);
    if (scene.layers.every(({ name }) => this.#loaded.get(name)?.there)) this.#arrange(app, scene.layers);
    this.#place(scene.background);
    const view = JSON.stringify(scene.view);
    if (view !== this.#view) this.#look();
    this.#view = view;
    app.wake();
  }

  #load(app: App, { name, wtml }: SceneImageset): void {
    if (this.#loaded.has(name)) return;
    const url = app.addresses.hold(wtml);
    this.#loaded.set(name, { url, there: false });
    app.post({ event: "load_image_collection", url, threadId: name });
  }

  /** Draws the layers in their order: the engine draws the one that was made last on top. */
  #arrange(app: App, layers: SceneImageset[]): void {
    const isSame = names(layers) === names(this.#shown);
    if (!isSame) {
      for (const { name } of this.#shown) app.post({ event: "image_layer_remove", id: name });
      for (const { name, url } of layers)
        app.post({ event: "image_layer_create", id: name, url, mode: "preloaded", goto: false, name });
    }
    layers.forEach(({ name, opacity }, index) => {
      if (isSame && this.#shown[index]!.opacity === opacity) return;
      app.post({ event: "image_layer_set", id: name, setting: "opacity", value: opacity });
    });
    this.#shown = layers;
  }

  #place(background: SceneImageset | null): void {
    const image = background && this.#loaded.get(background.name);
    if (image && !image.there) return;
    const name = background?.name ?? "";
    if (name === this.#background) return;
    this.#background = name;
    this.#sky.showScene(image ? { url: image.url, name } : null);
  }
}
