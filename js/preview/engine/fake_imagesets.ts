// Images for the tests: one of 700 by 500 pixels, as it is and as tiles.

import type { Imageset } from "../../protocol.ts";

export const UNTILED: Imageset = {
  center_x: 150,
  center_y: 20,
  rotation: 0,
  base_degrees_per_tile: 0.001,
  offset_x: 350,
  offset_y: 250,
  bottoms_up: false,
  projection: "SkyImage",
  tile_levels: 0,
  width_factor: 2,
  file_type: ".png",
  quad_tree_map: "",
  url: "http://localhost:1/image/a.png",
};
const DEGREE = Math.PI / 180;
/** 1024 pixels of 0.001 degrees, as the angle that the engine draws. */
export const BASE = (2 * Math.atan((1.024 * DEGREE) / 2)) / DEGREE;
export const TILED: Imageset = {
  ...UNTILED,
  projection: "Tan",
  tile_levels: 2,
  base_degrees_per_tile: BASE,
  offset_x: 0,
  offset_y: 0,
};
