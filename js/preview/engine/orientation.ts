/** Which part of the sky is in the center of the view, and which way is up, from the engine's own matrices. */

import type { Camera } from "./camera.ts";

interface Vector {
  x: number;
  y: number;
  z: number;
}

/** One of the engine's matrices: a rotation, as far as it is used here. */
export interface Rotation {
  transform(vector: Vector): Vector;
}

export function isRotation(matrix: Partial<Rotation> | undefined): matrix is Rotation {
  return typeof matrix?.transform === "function";
}

const DEGREE = Math.PI / 180;
const AXES: [Vector, Vector, Vector] = [
  { x: 1, y: 0, z: 0 },
  { x: 0, y: 1, z: 0 },
  { x: 0, y: 0, z: 1 },
];

/**
 * The position and roll of the view. The engine's sky has its pole along y and the equinox along x, and RA grows towards z; `world` turns it so
 * that the view looks along -z, `view` from there to the screen: x to the right, y up, z into it.
 */
export function orientationOf(world: Rotation, view: Rotation): Pick<Camera, "ra" | "dec" | "roll"> {
  const [x, y, z] = AXES.map((axis) => view.transform(world.transform(axis))) as [Vector, Vector, Vector];
  const middle = [x.z, y.z, z.z] as const; // the rotation's inverse is its transpose
  const up = [x.y, y.y, z.y] as const;
  const [ra, dec] = [Math.atan2(middle[2], middle[0]), Math.atan2(middle[1], Math.hypot(middle[0], middle[2]))];
  const north = -up[0] * Math.sin(dec) * Math.cos(ra) + up[1] * Math.cos(dec) - up[2] * Math.sin(dec) * Math.sin(ra);
  const east = -up[0] * Math.sin(ra) + up[2] * Math.cos(ra);
  return { ra: (ra / DEGREE + 360) % 360, dec: dec / DEGREE, roll: Math.atan2(east, north) / DEGREE };
}
