/** From an image's pixels, counted from the upper left corner, to the sky and back; and its outline. */

import { Plane, type Size } from "../../geometry/plane.ts";
import type { Place } from "../../geometry/tangent.ts";
import type { Imageset } from "../../protocol.ts";
import { cornersOf } from "../engine/camera.ts";

export interface Outline {
  /** Lower left, lower right, upper right, upper left, as the picture itself has them. */
  corners: readonly [Place, Place, Place, Place];
  middle: Place;
}

/** Where an image of this many pixels lies on the sky. Null if it is no flat image. */
export function outlineOf(imageset: Imageset, size: Size): Outline | null {
  const plane = Plane.of(imageset, size);
  if (!plane) return null;
  const corners = cornersOf(size).map((corner) => plane.sky(...corner)) as unknown as Outline["corners"];
  return { corners, middle: plane.sky(size[0] / 2, size[1] / 2) };
}

/** Degrees per pixel of the image; for an image that is not flat, derived from its size. */
export function pixelOf(imageset: Imageset): number {
  return Plane.of(imageset, [0, 0])?.scale ?? imageset.base_degrees_per_tile;
}

/** The place in the picture, in pixels right and down from its upper left corner, that is at a place of the sky. Null if that is too far off. */
export function toPixel(imageset: Imageset, size: Size, place: Place): [x: number, y: number] | null {
  const at = Plane.of(imageset, size)?.pixel(place);
  return at ? [at[0], size[1] - at[1]] : null;
}

/** The place of the sky where a pixel of the picture lies. */
export function toSky(imageset: Imageset, size: Size, [x, y]: readonly [number, number]): Place {
  return Plane.of(imageset, size)?.sky(x, size[1] - y) ?? [imageset.center_x, imageset.center_y];
}
