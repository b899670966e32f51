/** The image's files as the kernel sends them: single ones collected into few requests, or a whole small pyramid in parts. */

import type { AllFilesResponse, FilesPart } from "../../protocol.ts";
import type { KernelLink, Response } from "../../shared/kernel_link.ts";
import type { Bytes } from "./addresses.ts";

const COALESCE = 2; // ms; all files wanted within this time go into one request

export class KernelFiles {
  #kernel: Pick<KernelLink, "request" | "requestParts">;
  #wanted: { path: string; resolve: (bytes: Bytes | null) => void }[] = [];
  /** Called with a message when a file of the image that ought to exist can't be read. */
  onFault: (message: string) => void = () => {};

  constructor(kernel: Pick<KernelLink, "request" | "requestParts">) {
    this.#kernel = kernel;
  }

  /** A file of the draft's image; null if there is none (a hole in the pyramid). */
  file(path: string): Promise<Bytes | null> {
    return new Promise((resolve) => {
      if (this.#wanted.push({ path, resolve }) === 1) setTimeout(() => this.#requestAll(), COALESCE);
    });
  }

  /** Some files of a small pyramid, from number `start` on. */
  part(start: number): Promise<Response<AllFilesResponse>> {
    return this.#kernel.request<AllFilesResponse>("all_files", { start });
  }

  /** The response to many files comes in several parts: those of the first are shown while the kernel reads others. */
  #requestAll(): void {
    const batch = this.#wanted;
    this.#wanted = [];
    const missing = new Set(batch.keys());
    const take = (part: Response) => {
      const { content, buffers } = part as unknown as Response<FilesPart>;
      for (const message of new Set(Object.values(content.faults ?? {}))) this.onFault(message);
      let index = content.start;
      let next = 0;
      for (const exists of content.found) {
        batch[index]!.resolve(exists ? (buffers[next++] ?? null) : null);
        missing.delete(index++);
      }
      return missing.size === 0;
    };
    const paths = batch.map((file) => file.path);
    const giveUp = () => {
      for (const { resolve } of batch) resolve(null);
    };
    this.#kernel.requestParts("files", { paths }, take, giveUp);
  }
}
