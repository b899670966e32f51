/**
 * The tangent plane (gnomonic projection), and the sphere. All angles, and coordinates on the plane, are degrees. Python has the same
 * in constellations_widgets/geometry; tests/geometry/cases.json holds both to one table.
 */

export type Place = readonly [ra: number, dec: number];
export type Vector = readonly [number, number, number];

const DEGREE = Math.PI / 180;
const HORIZON = 1e-3; // cosine of the largest distance from the tangent point that counts as being on the plane

/** Coordinates, east and north, on the plane that touches the sphere at `center`. Null for what is a right angle or more away. */
export function skyToPlane([ra, dec]: Place, [ra0, dec0]: Place): [east: number, north: number] | null {
  const [turned, delta, delta0] = [(ra - ra0) * DEGREE, dec * DEGREE, dec0 * DEGREE];
  const along = Math.cos(delta) * Math.cos(turned);
  const depth = Math.sin(delta) * Math.sin(delta0) + along * Math.cos(delta0);
  if (depth < HORIZON) return null;
  const east = Math.cos(delta) * Math.sin(turned);
  const north = Math.sin(delta) * Math.cos(delta0) - along * Math.sin(delta0);
  return [east / depth / DEGREE, north / depth / DEGREE];
}

/** Right ascension (0 to 360) and declination of a point of the plane; the inverse of `skyToPlane`. */
export function planeToSky(east: number, north: number, [ra0, dec0]: Place): [ra: number, dec: number] {
  const [x, y, delta0] = [east * DEGREE, north * DEGREE, dec0 * DEGREE];
  const depth = Math.cos(delta0) - y * Math.sin(delta0);
  const ra = ra0 + Math.atan2(x, depth) / DEGREE;
  const dec = Math.atan2(Math.sin(delta0) + y * Math.cos(delta0), Math.hypot(x, depth)) / DEGREE;
  return [((ra % 360) + 360) % 360, dec];
}

export function toVector([ra, dec]: Place): Vector {
  const [a, d] = [ra * DEGREE, dec * DEGREE];
  return [Math.cos(d) * Math.cos(a), Math.cos(d) * Math.sin(a), Math.sin(d)];
}

export function toPlace([x, y, z]: Vector): Place {
  const ra = Math.atan2(y, x) / DEGREE;
  return [ra < 0 ? ra + 360 : ra, Math.atan2(z, Math.hypot(x, y)) / DEGREE];
}

/** Degrees between two places. */
export function separation(one: Place, other: Place): number {
  const [a, b] = [toVector(one), toVector(other)];
  return Math.atan2(Math.hypot(...cross(a, b)), dot(a, b)) / DEGREE;
}

/** `vector` turned about `axis` by `angle` (radians), counter-clockwise if the axis points at you. */
export function rotate(vector: Vector, axis: Vector, angle: number): Vector {
  const [sin, cos, along, beside] = [Math.sin(angle), Math.cos(angle), dot(axis, vector), cross(axis, vector)];
  return vector.map(
    (part, index) => part * cos + beside[index]! * sin + axis[index]! * along * (1 - cos),
  ) as unknown as Vector;
}

export const dot = (a: Vector, b: Vector) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
export const cross = (a: Vector, b: Vector): Vector => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];
