/** WWT's camera, and the one that shows a whole image. */

import { Plane, padded, type Size } from "../../geometry/plane.ts";
import { planeToSky } from "../../geometry/tangent.ts";
import type { Imageset } from "../../protocol.ts";

export interface Camera {
  /** Right ascension and declination of the middle, degrees. */
  ra: number;
  dec: number;
  /** Height of the view, degrees. The projection is gnomonic, so half of it is atan of half the height in the tangent plane. */
  fov: number;
  /** Turn of the view, degrees; the sky turns clockwise. */
  roll: number;
}

const DEGREE = Math.PI / 180;
const FILL = 0.7; // of the view's height or width
export const WIDEST = 60; // degrees; WWT's own view of the whole sky

/** Whether two cameras show the same, to a thousandth of the view's height. */
export function isSameView(a: Camera, b: Camera): boolean {
  const unit = b.fov / 1000;
  const across = Math.abs(((a.ra - b.ra + 540) % 360) - 180) * Math.cos(b.dec * DEGREE);
  return across < unit && Math.abs(a.dec - b.dec) < unit && Math.abs(a.fov - b.fov) < unit && a.roll === b.roll;
}

/** Guess the size of an image from its projection center, which is mostly in its middle. */
export function guessSize(imageset: Imageset): [number, number] {
  const around = (offset: number) => (offset > 0 ? Math.min(Math.max(2 * offset, 16), 100_000) : 1000);
  if (imageset.projection === "SkyImage") return [around(imageset.offset_x), around(imageset.offset_y)];
  return padded(imageset);
}

/** The camera that has the image in its middle, filling about 70 % of a view of the given width / height. */
export function cameraFor(imageset: Imageset, size: Size, aspect: number): Camera {
  const plane = Plane.of(imageset, size);
  if (!plane) return { ra: imageset.center_x, dec: imageset.center_y, fov: WIDEST, roll: 0 };
  const flat = cornersOf(size).map((corner) => plane.onPlane(...corner));
  const x = flat.map((corner) => corner[0]);
  const y = flat.map((corner) => corner[1]);
  const [left, right, low, high] = [Math.min(...x), Math.max(...x), Math.min(...y), Math.max(...y)];
  const [ra, dec] = planeToSky((left + right) / 2, (low + high) / 2, plane.center);
  const height = (Math.max(high - low, (right - left) / Math.max(aspect, 0.1)) / FILL) * DEGREE;
  return { ra, dec, fov: Math.min((2 * Math.atan(height / 2)) / DEGREE, WIDEST), roll: 0 };
}

/** The corners of an image in pixels right and up: lower left, lower right, upper right, upper left. */
export function cornersOf([width, height]: Size): [number, number][] {
  return [
    [0, 0],
    [width, 0],
    [width, height],
    [0, height],
  ];
}
