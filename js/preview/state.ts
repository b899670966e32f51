/** What the kernel says of the image: see `Preview._state` in Python. */

/** An imageset's fields by their names in the API; `url` is where the engine is to look, without the part that makes it unique. */
export interface Imageset {
  center_x: number;
  center_y: number;
  rotation: number;
  base_degrees_per_tile: number;
  offset_x: number;
  offset_y: number;
  bottoms_up: boolean;
  projection: string;
  tile_levels: number;
  width_factor: number;
  file_type: string;
  quad_tree_map: string;
  url: string;
}

export interface State {
  /** Grows with every change; a lower one that comes late is dropped. */
  revision: number;
  /** What is to be on the sky, null while values are missing. */
  imageset: Imageset | null;
  /** The same as WTML, with a name and an address that only this revision has. */
  wtml: string | null;
  /** Width and height of the whole image in pixels, where the kernel knows them. */
  size: [number, number] | null;
  /** Fields whose value can't be drawn, by their label, and why. */
  waiting: [field: string, why: string][];
}

/** The name that the WTML of a revision gives its imageset. With blank and stop it is no part of another: the engine finds the first that holds it. */
export const nameOf = (revision: number) => `cxw ${revision}.`;

// These decide which tiles there are; everything else can be changed on the tiles that are loaded.
const DECIDE_TILES = ["url", "projection", "tile_levels", "file_type", "quad_tree_map", "width_factor"] as const;

/** Whether `next` needs other tiles than `shown`. A tiled image with its bottom up has other tiles, too. */
export function needsReload(shown: Imageset, next: Imageset): boolean {
  if (DECIDE_TILES.some((field) => shown[field] !== next[field])) return true;
  return shown.bottoms_up !== next.bottoms_up && next.projection !== "SkyImage";
}
