// The thumbnails of the images in sight: their records are fetched when they are wanted, each once.

import type { HandleImagePicture, HandleRecordsEvent, HandleRecordsResponse, HandleRowEvent } from "../protocol.ts";
import type { KernelLink } from "../shared/kernel_link.ts";

const TOGETHER = 80; // milliseconds in which the records of several rows are collected into one request; rows that scroll by quickly are left out

export class Pictures {
  #kernel: Pick<KernelLink, "request" | "onMessage">;
  #redraw: () => void;
  #version = 0;
  #pictures = new Map<string, HandleImagePicture | null>(); // null while it is being loaded
  #inSight: string[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(kernel: Pick<KernelLink, "request" | "onMessage">, redraw: () => void) {
    this.#kernel = kernel;
    this.#redraw = redraw;
    kernel.onMessage<HandleRecordsEvent>("records", ({ records }) => this.#take(records));
    kernel.onMessage<HandleRowEvent>("row", ({ row, record }) => record && this.#take({ [row.id]: record }));
  }

  /** The list is in this version: pictures of an earlier one are read again. */
  expect(version: number): void {
    if (version !== this.#version) this.#pictures.clear();
    this.#version = version;
  }

  /** The picture of a row, if its record is here. */
  of(id: string): HandleImagePicture | null {
    return this.#pictures.get(id) ?? null;
  }

  /** These rows are in sight, and their records are wanted. */
  want(ids: string[]): void {
    this.#inSight = ids;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#askForRecords(this.#inSight.filter((id) => !this.#pictures.has(id)));
    }, TOGETHER);
  }

  async #askForRecords(ids: string[]): Promise<void> {
    if (ids.length === 0) return;
    for (const id of ids) this.#pictures.set(id, null);
    try {
      const { content } = await this.#kernel.request<HandleRecordsResponse>("records", { ids });
      this.#take(content.records);
    } catch {
      for (const id of ids) this.#pictures.delete(id);
    }
  }

  #take(records: Record<string, HandleImagePicture>): void {
    for (const [id, picture] of Object.entries(records)) this.#pictures.set(id, picture);
    this.#redraw();
  }
}
