/** What a stiff sheet does that slides over the sphere. As `geometry/transforms.py` has it. */

import { cross, dot, type Place, rotate, separation, toPlace, toVector, type Vector } from "../../geometry/tangent.ts";

const DEGREE = Math.PI / 180;
const MOST = 89; // degrees from the middle to a pointer that scales; beyond a right angle there is no plane

/** A change of the placement, as the kernel gets it and as the page applies it to the outline in the meantime. */
export type Change =
  | { op: "move"; start: Place; end: Place }
  | { op: "turn"; about: Place; by: number }
  | { op: "scale"; about: Place; by: number }
  | { op: "mirror"; about: Place };

/** Where `change` takes a place. What is mirrored waits for the kernel's answer. */
export function taken(change: Change, place: Place): Place {
  if (change.op === "move") return carried(place, change.start, change.end);
  if (change.op === "turn") return toPlace(rotate(toVector(place), toVector(change.about), -change.by * DEGREE));
  if (change.op === "scale") return spread(place, change.about, change.by);
  return place;
}

/** Degrees from north by east under which `there` is seen from `from`. */
export function positionAngle(from: Place, there: Place): number {
  const [turned, dec0, dec] = [(there[0] - from[0]) * DEGREE, from[1] * DEGREE, there[1] * DEGREE];
  const north = Math.sin(dec) * Math.cos(dec0) - Math.cos(dec) * Math.cos(turned) * Math.sin(dec0);
  return Math.atan2(Math.cos(dec) * Math.sin(turned), north) / DEGREE;
}

/** The place between two others. */
export function halfway(one: Place, other: Place): Place {
  const [a, b] = [toVector(one), toVector(other)];
  return toPlace([a[0] + b[0], a[1] + b[1], a[2] + b[2]]);
}

/** How many times as large an image becomes whose corner is pulled from `start` to `end`, on the plane that touches the sky at `about`. */
export function factorOf(about: Place, start: Place, end: Place): number {
  const far = (place: Place) => Math.tan(Math.min(separation(about, place), MOST) * DEGREE);
  return Math.max(far(end), far(start) * 1e-3) / far(start);
}

/** An angle between -180 and 180 degrees. */
export const wrapped = (angle: number) => angle - 360 * Math.round(angle / 360);

function carried(place: Place, start: Place, end: Place): Place {
  const [a, b] = [toVector(start), toVector(end)];
  const axis = cross(a, b);
  const sine = Math.hypot(...axis);
  return sine < 1e-18 ? place : toPlace(rotate(toVector(place), scaled(axis, 1 / sine), Math.atan2(sine, dot(a, b))));
}

function spread(place: Place, about: Place, by: number): Place {
  const [middle, there] = [toVector(about), toVector(place)];
  const depth = dot(middle, there);
  if (depth < 1e-3) return place;
  const at = middle.map((part, index) => part + by * (there[index]! / depth - part));
  return toPlace(at as unknown as Vector);
}

const scaled = (vector: Vector, factor: number): Vector => [vector[0] * factor, vector[1] * factor, vector[2] * factor];
