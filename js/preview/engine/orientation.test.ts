import { describe, expect, it } from "vitest";
import { orientationOf, type Rotation } from "./orientation.ts";

const DEGREE = Math.PI / 180;

/** A turn about one axis, as the engine's matrices do it to a row vector. */
function turn(axis: "x" | "y" | "z", degrees: number): Rotation {
  const [cos, sin] = [Math.cos(degrees * DEGREE), Math.sin(degrees * DEGREE)];
  return {
    transform: ({ x, y, z }) => {
      if (axis === "x") return { x, y: y * cos - z * sin, z: y * sin + z * cos };
      if (axis === "y") return { x: x * cos + z * sin, y, z: z * cos - x * sin };
      return { x: x * cos - y * sin, y: x * sin + y * cos, z };
    },
  };
}

const chain = (...rotations: Rotation[]): Rotation => ({
  transform: (vector) => rotations.reduce((turned, each) => each.transform(turned), vector),
});

/** The engine's world and view for an equatorial camera. */
const worldAt = (ra: number, dec: number) => chain(turn("y", ra - 90), turn("x", dec));
const viewAt = (roll: number) => turn("z", -roll);

describe("where the view looks", () => {
  it.each([
    [0, 0, 0],
    [83.8, -2, 30],
    [266.4, -28.9, -170],
    [359.5, 89.9, 90],
    [120, -75, 179],
  ])("is found again from the matrices of ra %d, dec %d, roll %d", (ra, dec, roll) => {
    const found = orientationOf(worldAt(ra, dec), viewAt(roll));
    expect(found.ra).toBeCloseTo(ra, 9);
    expect(found.dec).toBeCloseTo(dec, 9);
    expect(found.roll).toBeCloseTo(roll, 9);
  });
});
