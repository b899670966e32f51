import { describe, expect, it } from "vitest";
import { needsReload } from "../state.ts";
import { cameraFor, guessSize, isSameView } from "./camera.ts";
import { TILED, UNTILED } from "./fake_imagesets.ts";

describe("the camera that shows an image", () => {
  it("looks at its middle and lets it fill 70 % of the height", () => {
    for (const imageset of [UNTILED, TILED]) {
      const camera = cameraFor(imageset, [700, 500], 2);
      expect(camera.ra).toBeCloseTo(150, 9);
      expect(camera.dec).toBeCloseTo(20, 9);
      expect(camera.fov).toBeCloseTo(0.5 / 0.7, 4);
    }
  });

  it("makes room for the width in a narrow view, and for the corners of a turned image", () => {
    expect(cameraFor(UNTILED, [700, 500], 0.5).fov).toBeCloseTo(0.7 / 0.5 / 0.7, 3);
    expect(cameraFor({ ...UNTILED, rotation: 90 }, [700, 500], 2).fov).toBeCloseTo(0.7 / 0.7, 3);
  });

  it("finds the middle where offsets put it: an untiled image's are pixels from its lower left corner", () => {
    const camera = cameraFor({ ...UNTILED, offset_x: 0, offset_y: 0, center_y: 0 }, [700, 500], 2);
    expect(camera.ra).toBeCloseTo(150 - 0.35, 4); // to the right is west
    expect(camera.dec).toBeCloseTo(0.25, 4);
    const mirrored = cameraFor({ ...UNTILED, offset_x: 0, offset_y: 0, center_y: 0, bottoms_up: true }, [700, 500], 2);
    expect(mirrored.ra).toBeCloseTo(150 + 0.35, 4);
  });

  it("and a tiled image's are degrees, to the right and up", () => {
    const camera = cameraFor({ ...TILED, offset_x: 0.2, offset_y: 0.1, center_y: 0 }, [700, 500], 2);
    expect(camera.ra).toBeCloseTo(150 - 0.2, 4);
    expect(camera.dec).toBeCloseTo(0.1, 4);
  });

  it("turns counter-clockwise", () => {
    const camera = cameraFor({ ...TILED, offset_x: 0.2, center_y: 0, rotation: 90 }, [700, 500], 2);
    expect(camera.ra).toBeCloseTo(150, 4);
    expect(camera.dec).toBeCloseTo(0.2, 4);
  });

  it("stays on the sphere at the poles and over RA 0", () => {
    const pole = cameraFor({ ...TILED, center_y: 90, offset_y: 0.1 }, [700, 500], 2);
    expect(pole.dec).toBeCloseTo(89.9, 4);
    const zero = cameraFor({ ...TILED, center_x: 0, center_y: 0, offset_x: 0.2 }, [700, 500], 2);
    expect(zero.ra).toBeCloseTo(359.8, 4);
  });

  it("shows much of the sky for what is no flat image", () => {
    expect(cameraFor({ ...TILED, projection: "Toast" }, [256, 256], 2).fov).toBe(60);
  });

  it("guesses a size where none is known", () => {
    expect(guessSize(UNTILED)).toEqual([700, 500]);
    expect(guessSize({ ...UNTILED, offset_x: -5 })).toEqual([1000, 500]);
    expect(guessSize(TILED)).toEqual([1024, 1024]);
  });
});

describe("a change", () => {
  it("needs other tiles only where it decides which tiles there are", () => {
    for (const change of [
      { rotation: 5 },
      { center_x: 5 },
      { center_y: 5 },
      { offset_x: 1 },
      { offset_y: 1 },
      { base_degrees_per_tile: 2 },
    ]) {
      expect(needsReload(UNTILED, { ...UNTILED, ...change })).toBe(false);
    }
    for (const change of [
      { url: "x" },
      { projection: "Tan" },
      { tile_levels: 1 },
      { file_type: ".jpg" },
      { width_factor: 1 },
      { quad_tree_map: "0" },
    ]) {
      expect(needsReload(UNTILED, { ...UNTILED, ...change })).toBe(true);
    }
  });

  it("of parity is one of place for a single file, and one of tiles for a tree", () => {
    expect(needsReload(UNTILED, { ...UNTILED, bottoms_up: true })).toBe(false);
    expect(needsReload(TILED, { ...TILED, bottoms_up: true })).toBe(true);
  });
});

it("tells whether two cameras show the same, across right ascension 0 too", () => {
  const at = { ra: 359.9999, dec: 60, fov: 1, roll: 0 };
  expect(isSameView(at, { ...at, ra: 0.0001 })).toBe(true);
  for (const other of [{ ra: 0.01 }, { dec: 60.01 }, { fov: 1.01 }, { roll: 1 }])
    expect(isSameView(at, { ...at, ...other })).toBe(false);
});
