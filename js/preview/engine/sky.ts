/**
 * The sky behind the image alone, for a camera and a size of its own, unseen: into a texture, with neither image, layers, lines nor
 * annotations. What the view shows is not touched.
 */

import type { Camera } from "./camera.ts";

interface SkyImageset {
  get_name(): string;
  get_levels?(): number;
  get_baseTileDegrees?(): number;
  get_dataSetType?(): number;
}

interface SkyTile {
  dataset: unknown;
  parent: unknown;
  errored: boolean;
  texture: { naturalWidth?: number } | null;
}

export interface SkyContext {
  gl: WebGLRenderingContext;
  width: number;
  height: number;
  viewCamera: object;
  get_backgroundImageset?(): SkyImageset | null;
  setupMatricesSpace3d(width: number, height: number): void;
  drawImageSet(image: object, opacity: number): void;
}

/** The settings that turn the view to the north of another system. */
export interface Turning {
  get_galacticMode?(): boolean;
  get_localHorizonMode?(): boolean;
}

export interface SkyLibrary {
  TileCache: {
    _tiles: Record<string, SkyTile>;
    _queue: Record<string, SkyTile>;
    processQueue(context: never): void;
  };
  Settings?: { get_active?(): Turning };
}

export interface SkyPicture {
  /** Brightness (in each of red, green and blue) and opacity, rows from the top. */
  pixels: ImageData;
  /** Tiles that are on their way. */
  waiting: number;
  /** No tile of the whole sky could be loaded. */
  failed: boolean;
  /** The engine's name of the sky that is shown. */
  name: string;
  /** Degrees along a side of the finest pixels that it has. */
  pixel: number;
}

const DEGREE = Math.PI / 180;
const TILE = 256;

/** Draw the sky as far as its tiles are there, and request the others. Null if the view shows no sky. */
export function drawSky(
  context: SkyContext,
  library: SkyLibrary,
  camera: Camera,
  width: number,
  height: number,
): SkyPicture | null {
  const image = context.get_backgroundImageset?.() ?? null;
  if (!image || (image.get_dataSetType?.() ?? 2) !== 2) return null;
  const { gl, viewCamera } = context;
  const [ownWidth, ownHeight] = [context.width, context.height];
  const straight = equatorial(library.Settings?.get_active?.());
  const target = new Target(gl, width, height);
  try {
    context.viewCamera = Object.assign(Object.create(viewCamera) as object, {
      lat: camera.dec,
      lng: -camera.ra,
      zoom: camera.fov * 6,
      rotation: camera.roll * DEGREE,
    });
    [context.width, context.height] = [width, height];
    context.setupMatricesSpace3d(width, height);
    context.drawImageSet(image, 100);
    library.TileCache.processQueue(context as never);
    return { pixels: target.read(), ...stateOf(library, image) };
  } finally {
    target.release(ownWidth, ownHeight);
    straight.end();
    context.viewCamera = viewCamera;
    [context.width, context.height] = [ownWidth, ownHeight];
    context.setupMatricesSpace3d(ownWidth, ownHeight);
  }
}

function stateOf({ TileCache }: SkyLibrary, image: SkyImageset): Omit<SkyPicture, "pixels"> {
  const of = (tiles: Record<string, SkyTile>) => Object.values(tiles).filter((tile) => tile.dataset === image);
  const roots = of(TileCache._tiles).filter((tile) => tile.parent === null);
  const side = Math.max(TILE, ...roots.map((root) => root.texture?.naturalWidth ?? 0));
  return {
    waiting: of(TileCache._queue).length,
    failed: roots.length > 0 && roots.every((root) => root.errored),
    name: image.get_name(),
    pixel: (image.get_baseTileDegrees?.() ?? 180) / 2 ** (image.get_levels?.() ?? 0) / side,
  };
}

/** Until `end`, up is the north of equatorial coordinates, whichever system the view is in. */
function equatorial(settings: Turning | undefined): { end(): void } {
  if (!settings) return { end: () => {} };
  const own = Object.keys(settings);
  settings.get_galacticMode = settings.get_localHorizonMode = () => false;
  return {
    end: () => {
      for (const name of ["get_galacticMode", "get_localHorizonMode"] as const)
        if (!own.includes(name)) delete settings[name]; // the prototype's is back
    },
  };
}

/** A texture that is drawn on in the canvas's place. */
class Target {
  #gl: WebGLRenderingContext;
  #size: [number, number];
  #texture: WebGLTexture | null;
  #buffer: WebGLFramebuffer | null;
  #clear: Float32Array;

  constructor(gl: WebGLRenderingContext, width: number, height: number) {
    this.#gl = gl;
    this.#size = [width, height];
    this.#clear = gl.getParameter(gl.COLOR_CLEAR_VALUE) as Float32Array;
    const bound = gl.getParameter(gl.TEXTURE_BINDING_2D) as WebGLTexture | null;
    this.#texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, this.#texture);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, width, height, 0, gl.RGBA, gl.UNSIGNED_BYTE, null);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.bindTexture(gl.TEXTURE_2D, bound);
    this.#buffer = gl.createFramebuffer();
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.#buffer);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, this.#texture, 0);
    gl.viewport(0, 0, width, height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
  }

  read(): ImageData {
    const [width, height] = this.#size;
    const drawn = new Uint8Array(width * height * 4);
    this.#gl.readPixels(0, 0, width, height, this.#gl.RGBA, this.#gl.UNSIGNED_BYTE, drawn);
    const gray = new Uint8ClampedArray(drawn.length);
    for (let row = 0; row < height; row++) {
      let from = 4 * width * (height - 1 - row); // the engine's rows go up
      for (let to = 4 * width * row; to < 4 * width * (row + 1); to += 4, from += 4) {
        gray[to] = gray[to + 1] = gray[to + 2] = (drawn[from]! + drawn[from + 1]! + drawn[from + 2]!) / 3;
        gray[to + 3] = drawn[from + 3]!;
      }
    }
    return new ImageData(gray, width, height);
  }

  release(width: number, height: number): void {
    const gl = this.#gl;
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.deleteFramebuffer(this.#buffer);
    gl.deleteTexture(this.#texture);
    gl.clearColor(this.#clear[0]!, this.#clear[1]!, this.#clear[2]!, this.#clear[3]!);
    gl.viewport(0, 0, width, height);
  }
}
