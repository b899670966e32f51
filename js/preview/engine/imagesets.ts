/** The images inside the engine: found by name, moved on the tiles they have, fetched unseen, exchanged, colored. */

import type { Imageset } from "../../protocol.ts";
import { filledPart } from "./extent.ts";

interface EngineImageset {
  get_name(): string;
  get_url?(): string;
  get_fitsProperties(): { lowerCut: number; upperCut: number; scaleType: number; colorMapName: string };
  set_wcsImage(image: object): void;
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
  cleanUp(removeFromParent: boolean): void;
};

export interface RenderContext {
  gl: WebGLRenderingContext;
  width: number;
  height: number;
  get_foregroundImageset(): EngineImageset | null;
  set_foregroundImageset(image: EngineImageset): void;
  setupMatricesSpace3d(width: number, height: number): void;
  drawImageSet(image: EngineImageset, opacity: number): void;
}

interface ColorMap {
  colors: { r: number; g: number; b: number }[];
}

export interface Library {
  TileCache: {
    _tiles: Record<string, EngineTile>;
    _queue: Record<string, EngineTile>;
    processQueue(context: RenderContext): void;
    get_queueCount(): number;
    openThreads: number;
  };
  Imageset: {
    prototype: object;
    getNewTile(imageset: EngineImageset, level: number, x: number, y: number, parent: EngineTile | null): EngineTile;
  };
  WWTControl: { imageSets: EngineImageset[] };
  WcsImage: new () => { sizeX: number; sizeY: number };
  FitsImageTile: { prototype: { computeHistogram(count: number): number[] } };
  ColorMapContainer: {
    colorTextures: Record<string, WebGLTexture>;
    fromNamedColormap(name: string): ColorMap | null;
    fromArgbList(colors: number[][]): ColorMap;
    _initColorTexture(gl: WebGLRenderingContext, map: ColorMap): WebGLTexture;
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
  ..."_topDown$1 pixelCenterX pixelCenterY scaleX scaleY sphereCenter sphereRadius topLeft topRight bottomLeft bottomRight".split(
    " ",
  ),
];

export type ImageState = "loading" | "drawn" | "failed";

/** How FITS pixels become colors. The engine's shader knows four stretches; any other one is a color map of our own. */
export interface Coloring {
  low: number;
  high: number;
  stretch: 0 | 1 | 2 | 3;
  colors: string;
  /** Where in `colors` each of many equal steps from `low` to `high` is, 0 to 1; null for the map as it is. */
  steps: readonly number[] | null;
}

export class Imagesets {
  #context: RenderContext;
  #library: Library;
  #ownMap: { name: string; from: string } | null = null;

  /** Throws if this is not the engine that we know. */
  constructor(context: RenderContext, library: Library) {
    const { Imageset, TileCache, WWTControl, WcsImage, FitsImageTile, ColorMapContainer } = library;
    const needed: unknown[] = [
      ...Object.keys(SETTERS).map((name) => (Imageset.prototype as Record<string, unknown>)[name]),
      ...[Imageset.getNewTile, TileCache.processQueue, WcsImage, FitsImageTile.prototype.computeHistogram],
      ...[ColorMapContainer.fromNamedColormap, ColorMapContainer.fromArgbList, ColorMapContainer._initColorTexture],
      ...[
        context.get_foregroundImageset,
        context.set_foregroundImageset,
        context.setupMatricesSpace3d,
        context.drawImageSet,
      ],
    ];
    if (!needed.every((member) => typeof member === "function")) throw new Error("no engine that we know");
    const maps = [TileCache._tiles, TileCache._queue, ColorMapContainer.colorTextures];
    if (!maps.every((map) => typeof map === "object") || !Array.isArray(WWTControl.imageSets))
      throw new Error("no tiles or no images");
    this.#context = context;
    this.#library = library;
    // Nothing shows it, and for a large image it takes seconds.
    FitsImageTile.prototype.computeHistogram = (count) => new Array<number>(count + 1).fill(0);
  }

  /** How far the image called `name` has come: "drawn" when all of it that is in view has arrived. */
  stateOf(name: string): ImageState {
    const image = this.#find(name);
    const roots = image ? this.#rootsOf(image) : [];
    if (roots.length === 0 || Object.values(this.#library.TileCache._queue).some((tile) => tile.dataset === image))
      return "loading";
    if (roots.every((root) => root.errored)) return "failed";
    return roots.every((root) => root.readyToRender || root.errored) ? "drawn" : "loading";
  }

  /** Width and height in pixels of the image called `name`, as far as the tiles of the whole image show. */
  sizeOf(
    name: string,
    { tile_levels, width_factor }: Pick<Imageset, "tile_levels" | "width_factor">,
  ): [number, number] | null {
    const image = this.#find(name);
    const roots = (image ? this.#rootsOf(image) : []).filter((root) => root.texture?.naturalWidth);
    if (roots.length === 0) return null;
    if (tile_levels === 0) return [roots[0]!.texture!.naturalWidth, roots[0]!.texture!.naturalHeight];
    // Of a pyramid two tiles wide, the image's middle is where they meet.
    const parts = roots
      .map(({ texture, tileX }) => filledPart(texture!, width_factor === 1 ? 1 - tileX : 0.5))
      .filter((part) => part !== null);
    const side = 256 * 2 ** tile_levels;
    return parts.length > 0
      ? [Math.max(...parts.map(([x]) => x)) * side, Math.max(...parts.map(([, y]) => y)) * side]
      : null;
  }

  /** Move the image called `name` to the placement `next` on the tiles that are loaded; return false if that is impossible. */
  place(name: string, next: Imageset): boolean {
    const image = this.#find(name);
    if (!image || (next.projection !== "Tan" && next.projection !== "SkyImage")) return false;
    for (const [setter, field] of Object.entries(SETTERS)) {
      (image as unknown as Record<string, (value: unknown) => void>)[setter]!(next[field]);
    }
    for (const tile of this.#tilesOf(image)) this.#renew(tile);
    return true;
  }

  /** Asks for what will be in view of the image called `name`, by drawing it invisibly. To be called after a frame. */
  fetch(name: string): void {
    const image = this.#find(name);
    if (!image) return;
    const context = this.#context;
    context.setupMatricesSpace3d(context.width, context.height);
    context.drawImageSet(image, 0);
    this.#library.TileCache.processQueue(context);
  }

  /** Shows the image called `name` in the place of the one before, which is forgotten. False if there is no such image. */
  show(name: string): boolean {
    const image = this.#find(name);
    const last = this.#context.get_foregroundImageset();
    if (!image) return false;
    this.#context.set_foregroundImageset(image);
    if (last && last !== image) this.#forget(last);
    return true;
  }

  /** Whether the image called `name` is the one that is shown. The engine takes it away while the sky behind it is no sky yet. */
  isShown(name: string): boolean {
    return this.#context.get_foregroundImageset()?.get_name() === name;
  }

  /** Forgets the image called `name`, which is not shown. */
  drop(name: string): void {
    const image = this.#find(name);
    if (image && image !== this.#context.get_foregroundImageset()) this.#forget(image);
  }

  /** Set the size of the single FITS file of the image called `name` is, before it is first drawn: the engine takes it for 256 × 256. */
  setSize(name: string, [width, height]: [number, number]): void {
    const size = new this.#library.WcsImage();
    [size.sizeX, size.sizeY] = [width, height];
    this.#find(name)?.set_wcsImage(size);
  }

  /** Colors the FITS pixels of the image called `name`. */
  color(name: string, coloring: Coloring): void {
    const properties = this.#find(name)?.get_fitsProperties();
    if (!properties) return;
    const { low, high, stretch, colors, steps } = coloring;
    Object.assign(properties, { lowerCut: low, upperCut: high, scaleType: stretch });
    properties.colorMapName = steps ? this.#mapOf(colors, steps) : colors;
  }

  #mapOf(colors: string, steps: readonly number[]): string {
    const { ColorMapContainer } = this.#library;
    const from = JSON.stringify([colors, steps]);
    if (this.#ownMap?.from === from) return this.#ownMap.name;
    const { gl } = this.#context;
    if (this.#ownMap) {
      gl.deleteTexture(ColorMapContainer.colorTextures[this.#ownMap.name] ?? null);
      delete ColorMapContainer.colorTextures[this.#ownMap.name];
    }
    const shades = ColorMapContainer.fromNamedColormap(colors)!.colors;
    const map = steps.map((step) => shades[Math.min(Math.floor(step * shades.length), shades.length - 1)]!);
    const name = `cxw ${colors}`;
    const texture = ColorMapContainer._initColorTexture(
      gl,
      ColorMapContainer.fromArgbList(map.map(({ r, g, b }) => [255, r, g, b])),
    );
    ColorMapContainer.colorTextures[name] = texture;
    this.#ownMap = { name, from };
    return name;
  }

  #forget(image: EngineImageset): void {
    const { TileCache, WWTControl } = this.#library;
    WWTControl.imageSets = WWTControl.imageSets.filter((other) => other !== image);
    for (const tiles of [TileCache._queue, TileCache._tiles]) {
      for (const [key, tile] of Object.entries(tiles)) {
        if (tile.dataset !== image) continue;
        delete tiles[key];
        if (tiles === TileCache._tiles) tile.cleanUp(false);
      }
    }
  }

  /** Gives `tile` the geometry that a new one would have; its picture stays. The engine builds the buffers in the next frame. */
  #renew(tile: EngineTile): void {
    const fresh = this.#library.Imageset.getNewTile(tile.dataset, tile.level, tile.tileX, tile.tileY, tile.parent);
    for (const field of GEOMETRY) if (field in fresh) tile[field] = fresh[field];
    const { gl } = this.#context;
    gl.deleteBuffer(tile._vertexBuffer);
    for (const buffer of tile._indexBuffers) gl.deleteBuffer(buffer ?? null);
    tile._vertexBuffer = null;
    tile._indexBuffers = [null, null, null, null];
    tile.geometryCreated = false;
  }

  #find(name: string): EngineImageset | null {
    return this.#library.WWTControl.imageSets.find((image) => image.get_name() === name) ?? null;
  }

  #rootsOf(image: EngineImageset): EngineTile[] {
    return this.#tilesOf(image).filter((tile) => tile.parent === null);
  }

  #tilesOf(image: EngineImageset): EngineTile[] {
    return Object.values(this.#library.TileCache._tiles).filter((tile) => tile.dataset === image);
  }
}
