/** Where the view looks: WWT's camera, and the one that shows an image whole. */

import type { Imageset } from "./state";

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
const WIDEST = 60; // WWT's own view of the whole sky

/** Pixels of an image whose size nobody knows, guessed from where its projection centre is: mostly in the middle. */
export function guessSize(imageset: Imageset): [number, number] {
  const around = (offset: number) => (offset > 0 ? Math.min(Math.max(2 * offset, 16), 100_000) : 1000);
  if (imageset.projection === "SkyImage") return [around(imageset.offset_x), around(imageset.offset_y)];
  const padded = 256 * 2 ** imageset.tile_levels;
  return [padded, padded];
}

/** The camera that has the image in its middle, filling about 70 % of a view of the given width / height. */
export function cameraFor(imageset: Imageset, size: [number, number], aspect: number): Camera {
  const flat = cornersOf(imageset, size);
  if (!flat) return { ra: imageset.center_x, dec: imageset.center_y, fov: WIDEST, roll: 0 };
  const x = flat.map((corner) => corner[0]);
  const y = flat.map((corner) => corner[1]);
  const [left, right, low, high] = [Math.min(...x), Math.max(...x), Math.min(...y), Math.max(...y)];
  const [ra, dec] = fromTangentPlane(imageset, (left + right) / 2, (low + high) / 2);
  const height = Math.max(high - low, (right - left) / Math.max(aspect, 0.1)) / FILL;
  return { ra, dec, fov: Math.min((2 * Math.atan(height / 2)) / DEGREE, WIDEST), roll: 0 };
}

/** The image's corners in the tangent plane at its centre: x to the right (west), y up (north). Null if it is no flat image. */
export function cornersOf(imageset: Imageset, [width, height]: [number, number]): [number, number][] | null {
  const base = imageset.base_degrees_per_tile;
  let left: number, right: number, low: number, high: number;
  if (imageset.projection === "SkyImage") {
    const mirror = imageset.bottoms_up ? -1 : 1;
    left = -imageset.offset_x * base * mirror;
    right = (width - imageset.offset_x) * base * mirror;
    low = -imageset.offset_y * base;
    high = (height - imageset.offset_y) * base;
  } else if (imageset.projection === "Tan") {
    const scale = base / (256 * 2 ** imageset.tile_levels);
    left = imageset.offset_x - (width / 2) * scale;
    right = imageset.offset_x + (width / 2) * scale;
    low = imageset.offset_y - (height / 2) * scale;
    high = imageset.offset_y + (height / 2) * scale;
  } else {
    return null;
  }
  const [cos, sin] = [Math.cos(imageset.rotation * DEGREE) * DEGREE, Math.sin(imageset.rotation * DEGREE) * DEGREE];
  return [
    [left, low],
    [right, low],
    [right, high],
    [left, high],
  ].map(([x, y]) => [x! * cos - y! * sin, x! * sin + y! * cos]);
}

/** The sky position of a point in the tangent plane (radians, x to the west), gnomonic. */
export function fromTangentPlane(centre: Pick<Imageset, "center_x" | "center_y">, x: number, y: number): [ra: number, dec: number] {
  const dec0 = centre.center_y * DEGREE;
  const down = Math.cos(dec0) - y * Math.sin(dec0);
  const ra = centre.center_x + Math.atan2(-x, down) / DEGREE;
  const dec = Math.atan2(Math.sin(dec0) + y * Math.cos(dec0), Math.hypot(x, down)) / DEGREE;
  return [((ra % 360) + 360) % 360, dec];
}
