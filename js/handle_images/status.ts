// What the kernel tells of a handle's images; see constellations_widgets/widgets/handle_images.py, which writes it.

export interface Status {
  handle: string;
  api_url: string;
  /** Whether pictures are wanted to begin with. */
  pictures: boolean;
  /** Another one when the list begins anew. */
  version: number;
  loaded: number;
  /** Of the handle; null while the server has not told. */
  total: number | null;
  phase: "idle" | "loading" | "complete" | "failed";
  message: string;
  /** What is shown below the list. */
  opened: { what: "" | "form" | "sky"; id: string; phase: "" | "opening" | "open" | "failed"; message: string };
}

export interface Row {
  id: string;
  note: string;
  /** When it was published, ISO 8601; "" if that is not known. */
  created: string;
  /** Of the image's pixels. */
  url: string;
  record: string;
  wtml: string;
}

/** What only the whole record has. */
export interface Picture {
  thumbnail: string;
  alt: string;
}

export const count = (number: number) => number.toLocaleString("en");

/** "1 image", "1,000 images" */
export const images = (number: number) => `${count(number)} image${number === 1 ? "" : "s"}`;

/** How many are there, how many are here, how many of these are found: one sentence, read aloud when it changes. */
export function inWords(status: Status, search: string, found: number): string {
  const { loaded, total, phase } = status;
  if (total === null) return phase === "loading" ? "Asking the server for the images …" : "";
  if (total === 0) return `@${status.handle} has no images yet.`;
  const here = loaded < total ? `${count(loaded)} of ${images(total)} are loaded` : `${images(total)} in all`;
  const loading = phase === "loading" ? ", more are on their way …" : ".";
  if (search.trim() === "") return here + (phase === "loading" ? loading : ".");
  const unseen = loaded < total ? ` ${count(total - loaded)} are not loaded, and were not searched.` : "";
  return `${count(found)} found. ${here}${loading}${unseen}`;
}

const LONG = 6; // letters of a word that may be meant as an id: every second id has an "a1" in it

/** The rows in which every word of `search` occurs: in the note, the address or the id. */
export function matching(rows: Row[], search: string): Row[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return rows;
  return rows.filter((row) => {
    const text = `${row.note} ${row.url}`.toLowerCase();
    return words.every((word) => text.includes(word) || (word.length >= LONG && row.id.includes(word)));
  });
}
