/** What the kernel says of the image: see `Preview._state` in Python. */

import type { FilesState } from "./local_files";

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

/** One way to draw the image. */
export interface Drawn {
  /** By which the engine knows it: no other one has it, now or later. */
  name: string;
  imageset: Imageset;
  /** The same as WTML, with an address that no other one has. */
  wtml: string;
  /** Width and height of the whole image in pixels, where the kernel knows them. */
  size: [number, number] | null;
}

/** The image as it is to be on the sky; all null while values are missing. */
export interface State extends Nullable<Drawn> {
  /** Grows with every change; a lower one that comes late is dropped. */
  revision: number;
  /** The same image, drawn from the pixels of a FITS file rather than as a picture. */
  pixels: Drawn | null;
  /** The image's files, if they are on the kernel's disk. */
  files: FilesState | null;
  /** Fields whose value can't be drawn, by their label, and why. */
  waiting: [field: string, why: string][];
  placing: PlacingStatus;
}

/** What can be done to the placement now: see `PlacingByEye.status` in Python. */
export interface PlacingStatus {
  /** Why it can't be changed, "" if it can. */
  refusal: string;
  /** Whether that will not pass while somebody goes on typing. */
  locked: boolean;
  /** What the steps are that can be taken back and made again, "" if there are none. */
  undo: string;
  redo: string;
  /** Width and height in pixels of the image itself, of all tiles together where no more is known; null for one file that the kernel does not know. */
  size: [number, number] | null;
  /** Degrees that one of the image's pixels takes. */
  pixel: number | null;
  mirrored: boolean | null;
}

type Nullable<T> = { [K in keyof T]: T[K] | null };

export const isFits = (drawn: Drawn) => drawn.imageset.file_type.toLowerCase().includes("fits");

// These decide which tiles there are; everything else can be changed on the tiles that are loaded.
const DECIDE_TILES = ["url", "projection", "tile_levels", "file_type", "quad_tree_map", "width_factor"] as const;

/** Whether `next` needs other tiles than `shown`. A tiled image with its bottom up has other tiles, too. */
export function needsReload(shown: Imageset, next: Imageset): boolean {
  if (DECIDE_TILES.some((field) => shown[field] !== next[field])) return true;
  return shown.bottoms_up !== next.bottoms_up && next.projection !== "SkyImage";
}
