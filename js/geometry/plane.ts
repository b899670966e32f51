/** Where the pixels of a flat image are on the sky, as WWT's engine draws them: see geometry/plane.py and geometry/engine.py. */

import { type Place, planeToSky, skyToPlane } from "./tangent.ts";

/** What decides where an image lies, by the names of the API. */
export interface Placement {
  center_x: number;
  center_y: number;
  rotation: number;
  base_degrees_per_tile: number;
  offset_x: number;
  offset_y: number;
  bottoms_up: boolean;
  projection: string;
  tile_levels: number;
  width_factor: number;
}

export type Size = readonly [width: number, height: number];

const DEGREE = Math.PI / 180;
const TILE = 256;

/** Pixels of all tiles of the deepest level together; a pyramid with width factor 1 is two tiles wide at its root. */
export function padded({ tile_levels, width_factor }: Placement): [width: number, height: number] {
  const side = TILE * 2 ** tile_levels;
  return [width_factor === 1 ? 2 * side : side, side];
}

export class Plane {
  readonly center: Place;
  /** The pixel at `center`, right and up from the lower left corner. */
  readonly at: readonly [x: number, y: number];
  /** Degrees that a pixel takes at `center`. */
  readonly scale: number;
  #right: 1 | -1;
  #cos: number;
  #sin: number;

  private constructor(image: Placement, at: readonly [number, number], scale: number) {
    this.center = [image.center_x, image.center_y];
    this.at = at;
    this.scale = scale;
    this.#right = image.bottoms_up && image.projection === "SkyImage" ? 1 : -1;
    [this.#cos, this.#sin] = [Math.cos(image.rotation * DEGREE), Math.sin(image.rotation * DEGREE)];
  }

  /** The plane of an image of this many pixels; null if it is not flat. */
  static of(image: Placement, [width, height]: Size): Plane | null {
    const { base_degrees_per_tile: base, offset_x: x, offset_y: y } = image;
    if (image.projection === "SkyImage") return new Plane(image, [x, y], base);
    if (image.projection !== "Tan") return null;
    const high = padded(image)[1];
    const pixel = base / high; // of the offsets
    const scale = (2 * Math.tan((base * DEGREE) / 2)) / high / DEGREE;
    return new Plane(image, [Math.ceil(width / 2) - x / pixel, height - Math.ceil(height / 2) - y / pixel], scale);
  }

  /** Degrees east and north on the plane of a place in the picture, in pixels right and up from its lower left corner. */
  onPlane(x: number, y: number): [east: number, north: number] {
    const [right, up] = [(x - this.at[0]) * this.scale * this.#right, (y - this.at[1]) * this.scale];
    return [right * this.#cos + up * this.#sin, up * this.#cos - right * this.#sin];
  }

  sky(x: number, y: number): Place {
    return planeToSky(...this.onPlane(x, y), this.center);
  }

  /** The place in the picture that is at a place of the sky; null if that is too far off. */
  pixel(place: Place): [x: number, y: number] | null {
    const found = skyToPlane(place, this.center);
    if (!found) return null;
    const [east, north] = [found[0] / this.scale, found[1] / this.scale];
    return [
      this.at[0] + this.#right * (east * this.#cos - north * this.#sin),
      this.at[1] + east * this.#sin + north * this.#cos,
    ];
  }
}
