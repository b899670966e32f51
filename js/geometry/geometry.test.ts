import { describe, expect, it } from "vitest";
import table from "../../tests/geometry/cases.json";
import { type Placement, Plane, padded } from "./plane.ts";
import { type Place, planeToSky, separation, skyToPlane } from "./tangent.ts";

// The table that constellations_widgets/geometry is held to as well: see tests/geometry/make_cases.py.
describe("the tangent plane", () => {
  for (const { center, plane, sky } of table.tangent as unknown as {
    center: Place;
    plane: [number, number];
    sky: Place;
  }[]) {
    it(`at ${center} has ${plane} where astropy has it`, () => {
      expect(separation(planeToSky(...plane, center), sky)).toBeLessThan(1e-9);
      const found = skyToPlane(sky, center)!;
      expect(Math.hypot(found[0] - plane[0], found[1] - plane[1])).toBeLessThan(1e-8);
    });
  }

  it("has no place for the far side", () => {
    expect(skyToPlane([180, 0], [0, 0])).toBeNull();
  });
});

describe("the pixels of an image", () => {
  for (const { name, placement, size, points } of table.images) {
    it(`lie where the engine draws them: ${name}`, () => {
      const plane = Plane.of(placement as Placement, size as [number, number])!;
      for (const { pixel, sky } of points as unknown as { pixel: [number, number]; sky: Place }[]) {
        expect(separation(plane.sky(...pixel), sky)).toBeLessThan(1e-6 * plane.scale + 1e-8);
        const back = plane.pixel(sky)!;
        expect(Math.hypot(back[0] - pixel[0], back[1] - pixel[1])).toBeLessThan(1e-3);
      }
    });
  }

  it("are twice as many across where the root is two tiles wide", () => {
    const { placement } = table.images[0]!;
    expect(padded(placement as Placement)).toEqual([1024, 1024]);
    expect(padded({ ...placement, width_factor: 1 } as Placement)).toEqual([2048, 1024]);
  });

  it("of an image that is not flat are nowhere", () => {
    expect(Plane.of({ ...(table.images[0]!.placement as Placement), projection: "Toast" }, [1, 1])).toBeNull();
  });
});
