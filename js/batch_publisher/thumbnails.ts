// Thumbnails of local images, made by the kernel: requested when their row is drawn, many at once.

import type { BatchThumbnails } from "../protocol.ts";
import { dataAddress } from "../shared/data_address.ts";
import type { KernelLink } from "../shared/kernel_link.ts";

const MOST = 48; // in one question

export class Thumbnails {
  #kernel: Pick<KernelLink, "request">;
  #redraw: () => void;
  #known = new Map<number, string>(); // "" while it is being loaded, or if there is none
  #wanted: number[] = [];

  constructor(kernel: Pick<KernelLink, "request">, redraw: () => void) {
    this.#kernel = kernel;
    this.#redraw = redraw;
  }

  /** The picture as an address, "" while there is none. */
  of(number: number): string {
    const known = this.#known.get(number);
    if (known === undefined) {
      this.#known.set(number, "");
      if (this.#wanted.push(number) === 1) setTimeout(() => void this.#ask(), 60);
    }
    return known ?? "";
  }

  async #ask(): Promise<void> {
    const rows = this.#wanted.splice(0, MOST);
    if (this.#wanted.length > 0) setTimeout(() => void this.#ask(), 0);
    try {
      const { content, buffers } = await this.#kernel.request<BatchThumbnails>("thumbnails", { rows });
      let next = 0;
      content.types.forEach((type, index) => {
        if (type) this.#known.set(rows[index]!, dataAddress(buffers[next++]!, type));
      });
      this.#redraw();
    } catch {
      // A list does without.
    }
  }
}
