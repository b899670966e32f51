// Thumbnails: requested a few at a time, only for images that are in the page, and kept no longer than these.

import type { LibraryThumbnail } from "../protocol.ts";
import { dataAddress } from "../shared/data_address.ts";
import type { KernelLink } from "../shared/kernel_link.ts";

const AT_ONCE = 6;

export type Thumb = { src: string; error: "" } | { src: ""; error: string };

interface Wanted {
  id: string;
  show: (thumb: Thumb) => void;
}

export class Thumbs {
  #kernel: KernelLink;
  #wanted: Wanted[] = [];
  #asking = 0;

  constructor(kernel: KernelLink) {
    this.#kernel = kernel;
  }

  /** Call `show` when the thumbnail is loaded; returns a function that cancels the request. */
  want(id: string, show: (thumb: Thumb) => void): () => void {
    const wanted = { id, show };
    this.#wanted.push(wanted);
    // Images that scroll by quickly are not requested.
    setTimeout(() => this.#next(), 30);
    return () => {
      wanted.show = () => {};
      this.#wanted = this.#wanted.filter((other) => other !== wanted);
    };
  }

  #next(): void {
    while (this.#asking < AT_ONCE && this.#wanted.length > 0) {
      const wanted = this.#wanted.shift()!;
      this.#asking += 1;
      this.#kernel
        .request<LibraryThumbnail>("thumb", { image: wanted.id })
        .then(({ content, buffers }) => wanted.show(thumbOf(content, buffers[0])))
        .catch((error: Error) => wanted.show({ src: "", error: error.message }))
        .finally(() => {
          this.#asking -= 1;
          this.#next();
        });
    }
  }
}

/** The thumbnail of a response. */
export function thumbOf(content: LibraryThumbnail, picture: Uint8Array | undefined): Thumb {
  if (content.error || !picture) return { src: "", error: content.error || "No picture." };
  return { src: dataAddress(picture, content.type === "image/png" ? content.type : "image/jpeg"), error: "" };
}
