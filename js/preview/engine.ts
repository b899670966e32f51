/** The engine inside the app, by a side door: what messages can't do. Every piece of it is tested for before it is used. */

import type { Camera } from "./camera";
import { filledPart } from "./extent";
import type { Realm } from "./intercept";
import type { Imageset } from "./state";

interface EngineImageset {
  get_name(): string;
  get_rotation(): number;
}

/** A tile's own fields are reached by name, see GEOMETRY. */
type EngineTile = Record<string, unknown> & {
  dataset: EngineImageset;
  level: number;
  tileX: number;
  tileY: number;
  parent: EngineTile | null;
  readyToRender: boolean;
  errored: boolean;
  geometryCreated: boolean;
  texture: HTMLImageElement | null;
  _vertexBuffer: WebGLBuffer | null;
  _indexBuffers: (WebGLBuffer | null)[];
};

interface EngineCamera {
  lat: number;
  lng: number;
  zoom: number;
  rotation: number;
}

interface Control {
  canvas: HTMLCanvasElement;
  renderContext: {
    gl: WebGLRenderingContext;
    viewCamera: EngineCamera;
    targetCamera: EngineCamera;
    get_foregroundImageset(): EngineImageset | null;
    get_RA(): number;
    get_dec(): number;
  };
}

interface Library {
  TileCache: { _tiles: Record<string, EngineTile>; get_queueCount(): number; openThreads: number };
  Imageset: {
    prototype: object;
    getNewTile(imageset: EngineImageset, level: number, x: number, y: number, parent: EngineTile | null): EngineTile;
  };
}

const SETTERS = {
  set_centerX: "center_x",
  set_centerY: "center_y",
  set_rotation: "rotation",
  set_baseTileDegrees: "base_degrees_per_tile",
  set_offsetX: "offset_x",
  set_offsetY: "offset_y",
  set_bottomsUp: "bottoms_up",
} as const satisfies Record<string, keyof Imageset>;

// What a tile's constructor works out from its imageset's placement.
const GEOMETRY = [
  ..."_topDown$1 pixelCenterX pixelCenterY scaleX scaleY sphereCenter sphereRadius topLeft topRight bottomLeft bottomRight".split(" "),
];

// Files asked for at the same time. The engine's own limit of 8 is one for servers; over the comm the cost is per message.
const PARALLEL = 64;

export type ImageState = "loading" | "drawn" | "failed";

export class Engine {
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
    const { Imageset, TileCache } = library;
    const needed = [
      ...Object.keys(SETTERS).map((name) => (Imageset.prototype as Record<string, unknown>)[name]),
      ...[Imageset.getNewTile, TileCache.get_queueCount, control.renderContext.get_foregroundImageset, control.renderContext.get_RA],
    ];
    if (!needed.every((member) => typeof member === "function")) throw new Error("no engine that we know");
    if (typeof TileCache._tiles !== "object" || !control.renderContext.gl) throw new Error("no tiles or no WebGL");
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

  /** How far the image called `name` has come: "drawn" when all of it that is in view has arrived. */
  stateOf(name: string): ImageState {
    const image = this.#imageset(name);
    const root = image && this.#rootOf(image);
    if (!root || this.#library.TileCache.get_queueCount() > 0) return "loading";
    if (root.errored) return "failed";
    return root.readyToRender ? "drawn" : "loading";
  }

  /** Width and height in pixels of the image called `name`, as far as the tile that shows all of it tells. */
  sizeOf(name: string, tileLevels: number): [number, number] | null {
    const image = this.#imageset(name);
    const texture = image && this.#rootOf(image)?.texture;
    if (!texture?.naturalWidth) return null;
    if (tileLevels === 0) return [texture.naturalWidth, texture.naturalHeight];
    const part = filledPart(texture);
    const padded = 256 * 2 ** tileLevels;
    return part && [part[0] * padded, part[1] * padded];
  }

  /** Moves the image called `name` to where `next` says, on the tiles that are loaded. False if that can't be done. */
  place(name: string, next: Imageset): boolean {
    const image = this.#imageset(name);
    if (!image || (next.projection !== "Tan" && next.projection !== "SkyImage")) return false;
    for (const [setter, field] of Object.entries(SETTERS)) {
      (image as unknown as Record<string, (value: unknown) => void>)[setter]!(next[field]);
    }
    for (const tile of this.#tilesOf(image)) this.#renew(tile);
    return true;
  }

  /** Gives `tile` the geometry that a new one would have; its picture stays. The engine builds the buffers in the next frame. */
  #renew(tile: EngineTile): void {
    const fresh = this.#library.Imageset.getNewTile(tile.dataset, tile.level, tile.tileX, tile.tileY, tile.parent);
    for (const field of GEOMETRY) if (field in fresh) tile[field] = fresh[field];
    const { gl } = this.#control.renderContext;
    gl.deleteBuffer(tile._vertexBuffer);
    for (const buffer of tile._indexBuffers) gl.deleteBuffer(buffer ?? null);
    tile._vertexBuffer = null;
    tile._indexBuffers = [null, null, null, null];
    tile.geometryCreated = false;
  }

  #imageset(name: string): EngineImageset | null {
    const image = this.#control.renderContext.get_foregroundImageset();
    return image?.get_name() === name ? image : null;
  }

  #rootOf(image: EngineImageset): EngineTile | undefined {
    return this.#tilesOf(image).find((tile) => tile.parent === null);
  }

  #tilesOf(image: EngineImageset): EngineTile[] {
    return Object.values(this.#library.TileCache._tiles).filter((tile) => tile.dataset === image);
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
