import { describe, expect, it } from "vitest";
import { type Place, separation } from "../../geometry/tangent.ts";
import { type Change, factorOf, halfway, positionAngle, taken } from "./sky.ts";

const near = (one: Place, other: Place) => expect(separation(one, other)).toBeLessThan(1e-9);

describe("a move", () => {
  it("takes what was taken hold of to where it is let go, over RA 0 and over the pole, too", () => {
    for (const [start, end] of [
      [
        [150, 20],
        [150.3, 20.1],
      ],
      [
        [359.9, 10],
        [0.2, 10],
      ],
      [
        [10, 89.9],
        [190, 89.8],
      ],
      [
        [10, -90],
        [10, -89],
      ],
    ] as const) {
      near(taken({ op: "move", start, end }, start), end);
    }
  });

  it("leaves all distances as they are", () => {
    const change: Change = { op: "move", start: [359.9, 89], end: [120, 89.5] };
    const [a, b] = [
      [20, 88],
      [200, 89.9],
    ] as const;
    expect(separation(taken(change, a), taken(change, b))).toBeCloseTo(separation(a, b), 9);
  });

  it("to where it is already changes nothing", () => {
    expect(taken({ op: "move", start: [5, 5], end: [5, 5] }, [7, 8])).toEqual([7, 8]);
  });
});

describe("a turn", () => {
  it("adds to the position angle, from north by east", () => {
    const there = taken({ op: "turn", about: [10, 0], by: 90 }, [10, 1]);
    near(there, [11, 0]); // what was north is east, where right ascension grows
    expect(positionAngle([150, 60], taken({ op: "turn", about: [150, 60], by: 25 }, [150, 60.5]))).toBeCloseTo(25, 9);
  });
});

describe("scaling", () => {
  it("grows in the plane that touches the sky where it scales about", () => {
    const about: Place = [0, 0];
    const there = taken({ op: "scale", about, by: 2 }, [0, 10]);
    expect(Math.tan((there[1] * Math.PI) / 180)).toBeCloseTo(2 * Math.tan((10 * Math.PI) / 180), 12);
    near(taken({ op: "scale", about, by: 3 }, about), about);
  });

  it("follows the pointer, and never ends at nothing or beyond the horizon", () => {
    const about: Place = [20, 50];
    const [start, end] = [
      [20, 50.5],
      [20, 51],
    ] as const;
    near(taken({ op: "scale", about, by: factorOf(about, start, end) }, start), end);
    expect(factorOf(about, start, about)).toBeGreaterThan(0);
    expect(Number.isFinite(factorOf(about, start, [200, -50]))).toBe(true);
  });
});

it("the place between two others is between them where right ascension begins anew, too", () => {
  near(halfway([359, 0], [1, 0]), [0, 0]);
});
