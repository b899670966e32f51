/** The engine inside the app, by a side door: what messages can't do. Every piece of it is tested for before it is used. */

import type { Camera } from "./camera";
import { Imagesets, type Library, type RenderContext } from "./imagesets";
import type { Realm } from "./intercept";

interface EngineCamera {
  lat: number;
  lng: number;
  zoom: number;
  rotation: number;
}

interface Control {
  canvas: HTMLCanvasElement;
  renderContext: RenderContext & {
    viewCamera: EngineCamera;
    targetCamera: EngineCamera;
    get_RA(): number;
    get_dec(): number;
  };
}

// Files asked for at the same time. The engine's own limit of 8 is one for servers; over the comm the cost is per message.
const PARALLEL = 64;

export class Engine {
  readonly images: Imagesets;
  #control: Control;
  #library: Library;

  /** Null if this app is not the engine that we know. */
  static find(realm: Realm): Engine | null {
    try {
      return new Engine(controlOf(realm), libraryOf(realm));
    } catch {
      return null;
    }
  }

  private constructor(control: Control, library: Library) {
    const { get_RA, get_dec, gl } = control.renderContext;
    if (!gl || ![get_RA, get_dec, library.TileCache.get_queueCount].every((member) => typeof member === "function")) {
      throw new Error("no engine that we know");
    }
    this.images = new Imagesets(control.renderContext, library);
    this.#control = control;
    this.#library = library;
    library.TileCache.openThreads = PARALLEL;
  }

  get canvas(): HTMLCanvasElement {
    return this.#control.canvas;
  }

  get camera(): Camera {
    const context = this.#control.renderContext;
    const { zoom, rotation } = context.viewCamera;
    return { ra: context.get_RA() * 15, dec: context.get_dec(), fov: zoom / 6, roll: (rotation * 180) / Math.PI };
  }

  /** Whether the next frame would look like the last one, as far as the camera and files on their way go. */
  get atRest(): boolean {
    const { viewCamera: now, targetCamera: aim } = this.#control.renderContext;
    const near = (a: number, b: number, unit: number) => Math.abs(a - b) < unit * 1e-4;
    const still =
      near(now.lat, aim.lat, now.zoom / 6) && near(now.lng, aim.lng, now.zoom / 6) && near(now.zoom, aim.zoom, now.zoom) && near(now.rotation, aim.rotation, 1);
    return still && this.#library.TileCache.get_queueCount() === 0;
  }
}

/** From the app's root element: Vue's app → its Pinia store → the engine's control. */
function controlOf(realm: Realm): Control {
  const root = realm.document.querySelector("#app") as unknown as {
    __vue_app__: { config: { globalProperties: { $pinia: { _s: Map<string, { $wwt?: { inst?: { ctl: Control } } }> } } } };
  };
  const stores = [...root.__vue_app__.config.globalProperties.$pinia._s.values()];
  const control = stores.find((store) => store.$wwt?.inst)?.$wwt?.inst?.ctl;
  if (!control) throw new Error("no engine in the app's stores");
  return control;
}

type Require = ((id: string) => unknown) & { m: Record<string, object> };

/** The engine is one large module of the app's bundle; a chunk that asks for webpack's `require` finds it. */
function libraryOf(realm: Realm): Library {
  const chunks = (realm as unknown as Record<string, { push(chunk: unknown): void }>).webpackChunk_wwtelescope_research_app;
  let require: Require | undefined;
  chunks!.push([[`cxw-${Math.random()}`], {}, (given: Require) => (require = given)]);
  for (const [id, module] of Object.entries(require!.m)) {
    const source = Function.prototype.toString.call(module);
    if (source.length > 500_000 && source.includes("TileCache")) return require!(id) as Library;
  }
  throw new Error("no engine in the app's bundle");
}
