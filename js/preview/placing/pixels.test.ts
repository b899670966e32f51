import { describe, expect, it } from "vitest";
import { separation } from "../../geometry/tangent.ts";
import type { Imageset } from "../../protocol.ts";
import { UNTILED as AN_UNTILED_ONE, BASE } from "../engine/fake_imagesets.ts";
import { outlineOf, pixelOf, toPixel, toSky } from "./pixels.ts";

const UNTILED: Imageset = {
  ...AN_UNTILED_ONE,
  center_x: 359.95,
  center_y: 70,
  rotation: 30,
  offset_x: 310,
  offset_y: 280,
};
const SIZE = [700, 500] as const;
// The same as tiles: see `Plane.tiled` in Python.
const TILED: Imageset = {
  ...UNTILED,
  projection: "Tan",
  tile_levels: 2,
  base_degrees_per_tile: BASE,
  offset_x: (40 * BASE) / 1024,
  offset_y: (-30 * BASE) / 1024,
};
const MIRRORED: Imageset = { ...UNTILED, bottoms_up: true };

describe("a pixel of the picture", () => {
  for (const [name, imageset] of Object.entries({ UNTILED, TILED, MIRRORED })) {
    it(`of ${name.toLowerCase()} images is found in the sky, and back`, () => {
      for (const pixel of [
        [0, 0],
        [700, 0],
        [123.4, 456.7],
        [350, 250],
      ] as const) {
        const [x, y] = toPixel(imageset, SIZE, toSky(imageset, SIZE, pixel))!;
        expect(x).toBeCloseTo(pixel[0], 6);
        expect(y).toBeCloseTo(pixel[1], 6);
      }
    });

    it(`of ${name.toLowerCase()} images is where the outline has its corners and its middle`, () => {
      const { corners, middle } = outlineOf(imageset, SIZE)!;
      const pixels = [
        [0, 500],
        [700, 500],
        [700, 0],
        [0, 0],
      ] as const;
      pixels.forEach((pixel, index) =>
        expect(separation(corners[index]!, toSky(imageset, SIZE, pixel))).toBeLessThan(1e-9),
      );
      expect(separation(middle, toSky(imageset, SIZE, [350, 250]))).toBeLessThan(1e-9);
    });
  }

  it("lies where a file and its tiles both have it", () => {
    expect(pixelOf(TILED)).toBeCloseTo(pixelOf(UNTILED), 12);
    expect(separation(toSky(TILED, SIZE, [12, 34]), toSky(UNTILED, SIZE, [12, 34]))).toBeLessThan(1e-9);
  });

  it("of the other side of the sky is none", () => {
    expect(toPixel(UNTILED, SIZE, [180, -70])).toBeNull();
  });

  it("of an image that is not flat has no outline", () => {
    expect(outlineOf({ ...UNTILED, projection: "Toast" }, SIZE)).toBeNull();
  });
});
