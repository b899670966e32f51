// Thumbnails: asked for one by one, some at a time, only for images that are in the page, and kept no longer than these.

import type { Comm } from "../shared/comm.ts";

const AT_ONCE = 6;

export type Thumb = { src: string; none: "" } | { src: ""; none: string };

interface Wanted {
  id: string;
  tell: (thumb: Thumb) => void;
}

export class Thumbs {
  #comm: Comm;
  #wanted: Wanted[] = [];
  #asking = 0;

  constructor(comm: Comm) {
    this.#comm = comm;
  }

  /** Calls `tell` when the thumbnail has come; call what this returns when it is not needed any more. */
  want(id: string, tell: (thumb: Thumb) => void): () => void {
    const wanted = { id, tell };
    this.#wanted.push(wanted);
    // What scrolls by is not asked for: the turn comes after it is gone.
    setTimeout(() => this.#next(), 30);
    return () => {
      wanted.tell = () => {};
      this.#wanted = this.#wanted.filter((other) => other !== wanted);
    };
  }

  #next(): void {
    while (this.#asking < AT_ONCE && this.#wanted.length > 0) {
      const wanted = this.#wanted.shift()!;
      this.#asking += 1;
      this.#comm
        .ask("thumb", { image: wanted.id })
        .then(({ content, buffers }) => wanted.tell(thumbOf(content, buffers[0])))
        .catch((error: Error) => wanted.tell({ src: "", none: error.message }))
        .finally(() => {
          this.#asking -= 1;
          this.#next();
        });
    }
  }
}

/** What an answer with a small picture in it says. */
export function thumbOf(content: Record<string, unknown>, picture: Uint8Array | undefined): Thumb {
  if (content.none || !picture) return { src: "", none: String(content.none || "No picture.") };
  return { src: dataAddress(picture, String(content.type)), none: "" };
}

/** A data: address, since a strict page allows no blob: ones. */
function dataAddress(bytes: Uint8Array, type: string): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return `data:${type === "image/png" ? type : "image/jpeg"};base64,${btoa(text)}`;
}
