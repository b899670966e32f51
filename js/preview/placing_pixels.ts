/** From an image's pixels to the sky and back, for the two flat projections; and its outline. */

import { cornersOf, fromTangentPlane } from "./camera";
import type { Place } from "./placing_sky";
import type { Imageset } from "./state";

export interface Outline {
  /** Lower left, lower right, upper right, upper left, as the picture itself has them. */
  corners: readonly [Place, Place, Place, Place];
  middle: Place;
}

const DEGREE = Math.PI / 180;

/** Where an image of this many pixels lies on the sky. Null if it is no flat image. */
export function outlineOf(imageset: Imageset, size: readonly [number, number]): Outline | null {
  const flat = cornersOf(imageset, [size[0], size[1]]);
  if (!flat) return null;
  const onSky = ([x, y]: readonly [number, number]) => fromTangentPlane(imageset, x, y);
  const middle = onSky([(flat[0]![0] + flat[2]![0]) / 2, (flat[0]![1] + flat[2]![1]) / 2]);
  return { corners: flat.map(onSky) as unknown as Outline["corners"], middle };
}

/** Degrees that one of the image's pixels takes. */
export function pixelOf(imageset: Imageset): number {
  return imageset.base_degrees_per_tile / (imageset.projection === "Tan" ? 256 * 2 ** imageset.tile_levels : 1);
}

/** The place in the picture, in pixels right and down from its upper left corner, that is at a place of the sky. Null if that is too far off. */
export function toPixel(imageset: Imageset, size: readonly [number, number], [ra, dec]: Place): [x: number, y: number] | null {
  const [turned, dec0, delta] = [(ra - imageset.center_x) * DEGREE, imageset.center_y * DEGREE, dec * DEGREE];
  const depth = Math.sin(dec0) * Math.sin(delta) + Math.cos(dec0) * Math.cos(delta) * Math.cos(turned);
  if (depth < 1e-3) return null;
  const west = (-Math.cos(delta) * Math.sin(turned)) / depth / DEGREE;
  const north = (Math.cos(dec0) * Math.sin(delta) - Math.sin(dec0) * Math.cos(delta) * Math.cos(turned)) / depth / DEGREE;
  const [cos, sin] = [Math.cos(imageset.rotation * DEGREE), Math.sin(imageset.rotation * DEGREE)];
  const { x, y, sign, pixel } = origin(imageset, size);
  return [x + (sign * (west * cos + north * sin)) / pixel, y - (north * cos - west * sin) / pixel];
}

/** The place of the sky where a pixel of the picture lies. */
export function toSky(imageset: Imageset, size: readonly [number, number], [px, py]: readonly [number, number]): Place {
  const { x, y, sign, pixel } = origin(imageset, size);
  const [right, up] = [sign * (px - x) * pixel * DEGREE, (y - py) * pixel * DEGREE];
  const [cos, sin] = [Math.cos(imageset.rotation * DEGREE), Math.sin(imageset.rotation * DEGREE)];
  return fromTangentPlane(imageset, right * cos - up * sin, right * sin + up * cos);
}

/** The pixel that lies where the plane touches the sky, which way x grows there, and degrees per pixel. */
function origin(imageset: Imageset, [width, height]: readonly [number, number]): { x: number; y: number; sign: 1 | -1; pixel: number } {
  const pixel = pixelOf(imageset);
  const { offset_x: x, offset_y: y } = imageset;
  if (imageset.projection === "Tan") return { x: Math.ceil(width / 2) - x / pixel, y: Math.ceil(height / 2) + y / pixel, sign: 1, pixel };
  return { x, y: height - y, sign: imageset.bottoms_up ? -1 : 1, pixel };
}
