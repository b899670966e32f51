// The status line of a handle's list, and the search in it.

import type { HandleListStatus } from "../../protocol.ts";
import { isolated } from "../foreign.ts";
import { count, plural } from "../numbers.ts";

export type { HandleListStatus as Status };

/** What every row has. */
export interface Row {
  id: string;
  created: string;
}

/** How many records there are, are loaded and are found: one sentence, announced when it changes. */
export function inWords(status: HandleListStatus, noun: string, search: string, found: number): string {
  const { loaded, total, phase } = status;
  if (total === null) return phase === "loading" ? `Loading ${noun}s …` : "";
  if (total === 0) return `@${isolated(status.handle)} has no ${noun}s yet.`;
  const here = loaded < total ? `${count(loaded)} of ${plural(total, noun)} are loaded` : plural(total, noun);
  const loading = phase === "loading" ? "; loading more …" : ".";
  if (search.trim() === "") return here + loading;
  const unseen = loaded < total ? ` ${count(total - loaded)} are not loaded and were not searched.` : "";
  return `${count(found)} found. ${here}${loading}${unseen}`;
}

const LONG = 6; // letters of a word that may be meant as an id: every second id has an "a1" in it

/** The rows in which every word of `search` occurs: in the text that `textOf` returns, or in the id. */
export function matching<R extends Row>(rows: R[], search: string, textOf: (row: R) => string): R[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return rows;
  return rows.filter((row) => {
    const text = textOf(row).toLowerCase();
    return words.every((word) => text.includes(word) || (word.length >= LONG && row.id.includes(word)));
  });
}
