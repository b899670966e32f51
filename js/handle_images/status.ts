// The status line of the list, and the search in it.

import type { HandleImagePicture, HandleImageRow, HandleImagesStatus } from "../protocol.ts";
import { isolated } from "../shared/foreign.ts";

export type { HandleImagePicture as Picture, HandleImageRow as Row, HandleImagesStatus as Status };

export const count = (number: number) => number.toLocaleString("en");

/** "1 image", "1,000 images" */
export const images = (number: number) => `${count(number)} image${number === 1 ? "" : "s"}`;

/** How many images there are, are loaded and are found: one sentence, announced when it changes. */
export function inWords(status: HandleImagesStatus, search: string, found: number): string {
  const { loaded, total, phase } = status;
  if (total === null) return phase === "loading" ? "Loading images …" : "";
  if (total === 0) return `@${isolated(status.handle)} has no images yet.`;
  const here = loaded < total ? `${count(loaded)} of ${images(total)} are loaded` : `${images(total)}`;
  const loading = phase === "loading" ? "; loading more …" : ".";
  if (search.trim() === "") return here + (phase === "loading" ? loading : ".");
  const unseen = loaded < total ? ` ${count(total - loaded)} are not loaded and were not searched.` : "";
  return `${count(found)} found. ${here}${loading}${unseen}`;
}

const LONG = 6; // letters of a word that may be meant as an id: every second id has an "a1" in it

/** The rows in which every word of `search` occurs: in the note, the address or the id. */
export function matching(rows: HandleImageRow[], search: string): HandleImageRow[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return rows;
  return rows.filter((row) => {
    const text = `${row.note} ${row.url}`.toLowerCase();
    return words.every((word) => text.includes(word) || (word.length >= LONG && row.id.includes(word)));
  });
}
