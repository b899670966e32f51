/** What the image's values mean for drawing it. */

import type { DrawnImage, Imageset } from "../protocol.ts";

/** Whether the engine gets FITS files. Of the types that a HiPS names it takes pictures first. */
export function isFits({ imageset }: Pick<DrawnImage, "imageset">): boolean {
  const type = imageset.file_type.toLowerCase();
  return type.includes("fits") && !(imageset.projection === "Healpix" && /png|jpe?g|tsv/.test(type));
}

// These decide which tiles there are; everything else can be changed on the tiles that are loaded.
const DECIDE_TILES = ["url", "projection", "tile_levels", "file_type", "quad_tree_map", "width_factor"] as const;

/** Whether `next` needs other tiles than `shown`. A tiled image with its bottom up has other tiles, too. */
export function needsReload(shown: Imageset, next: Imageset): boolean {
  if (DECIDE_TILES.some((field) => shown[field] !== next[field])) return true;
  return shown.bottoms_up !== next.bottoms_up && next.projection !== "SkyImage";
}
