/** From the sky to the view and back. WWT's view is gnomonic, with east to the left of north; roll turns the sky clockwise. */

import { planeToSky, skyToPlane } from "../../geometry/tangent.ts";
import type { Camera } from "./camera.ts";

/** A camera and what it draws on, in CSS pixels. */
export interface View extends Camera {
  width: number;
  height: number;
}

const DEGREE = Math.PI / 180;

/** Pixels for one unit of the tangent plane, which is a radian in the center of the view. */
function pixelsPerUnit({ fov, height }: View): number {
  return height / 2 / Math.tan((fov * DEGREE) / 2);
}

/** Degrees from one pixel to the next in the center of the view. */
export function degreesPerPixel(view: View): number {
  return 1 / pixelsPerUnit(view) / DEGREE;
}

/** Where on the view a position of the sky (degrees) appears, in pixels from its upper left corner. Null if it is behind the viewer. */
export function skyToPixel(view: View, ra: number, dec: number): [x: number, y: number] | null {
  const plane = skyToPlane([ra, dec], [view.ra, view.dec]);
  if (!plane) return null;
  const [east, north, roll] = [plane[0] * DEGREE, plane[1] * DEGREE, view.roll * DEGREE];
  const unit = pixelsPerUnit(view);
  const right = north * Math.sin(roll) - east * Math.cos(roll);
  const up = north * Math.cos(roll) + east * Math.sin(roll);
  return [view.width / 2 + right * unit, view.height / 2 - up * unit];
}

/** The position of the sky (degrees) that appears at a pixel of the view. */
export function pixelToSky(view: View, x: number, y: number): [ra: number, dec: number] {
  const unit = pixelsPerUnit(view);
  const [right, up] = [(x - view.width / 2) / unit, (view.height / 2 - y) / unit];
  const roll = view.roll * DEGREE;
  const west = right * Math.cos(roll) - up * Math.sin(roll);
  const north = up * Math.cos(roll) + right * Math.sin(roll);
  return planeToSky(-west / DEGREE, north / DEGREE, [view.ra, view.dec]);
}

/** Which way north and east are in the center of the view: unit vectors to the right and down. */
export function compass({ roll }: Camera): { north: [number, number]; east: [number, number] } {
  const [cos, sin] = [Math.cos(roll * DEGREE), Math.sin(roll * DEGREE)];
  return { north: [sin, -cos], east: [-cos, -sin] };
}

const SECOND = 1 / 3600;
const ROUND = [1, 2, 5, 10, 20, 30].flatMap((count) => [count, count / 60, count * SECOND, (count * SECOND) / 1000]);
ROUND.push(...[0.1, 0.2, 0.5].map((count) => count * SECOND), 45);
ROUND.sort((a, b) => b - a);

/** A round angle (degrees) and how many pixels long it is in the center of the view: the longest that fits into `room` pixels. */
export function scaleBar(view: View, room: number): { angle: number; length: number } {
  const lengthOf = (angle: number) => 2 * pixelsPerUnit(view) * Math.tan((angle * DEGREE) / 2);
  const angle = ROUND.find((each) => lengthOf(each) <= room) ?? ROUND.at(-1)!;
  return { angle, length: lengthOf(angle) };
}
