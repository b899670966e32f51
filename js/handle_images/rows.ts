// The rows and records that this page has: fetched as the kernel gets them, each once.

import type { HandleRecordsEvent, HandleRecordsResponse, HandleRowEvent, HandleRowsResponse } from "../protocol.ts";
import type { KernelLink } from "../shared/kernel_link.ts";
import type { Picture, Row } from "./status.ts";

const TOGETHER = 80; // milliseconds in which the records of several rows are collected into one request; rows that scroll by quickly are left out

export class RowStore {
  rows: Row[] = [];
  #kernel: Pick<KernelLink, "request" | "onMessage">;
  #redraw: () => void;
  #version = 0;
  #fetching = false;
  #expected = 0;
  #pictures = new Map<string, Picture | null>(); // null while it is being loaded
  #inSight: string[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(kernel: Pick<KernelLink, "request" | "onMessage">, redraw: () => void) {
    this.#kernel = kernel;
    this.#redraw = redraw;
    kernel.onMessage<HandleRecordsEvent>("records", ({ records }) => this.#take(records));
    kernel.onMessage<HandleRowEvent>("row", ({ row: changed, record }) => {
      this.rows = this.rows.map((old) => (old.id === changed.id ? changed : old));
      this.#take({ [changed.id]: record });
    });
  }

  /** The kernel has so many rows of this version of the list. */
  expect(version: number, loaded: number): void {
    if (version !== this.#version) {
      this.#version = version;
      this.rows = [];
      this.#pictures.clear();
    }
    this.#expected = loaded;
    if (!this.#fetching && (this.rows.length < loaded || loaded === 0)) void this.#fetch();
  }

  /** The picture of a row, if its record is here. */
  pictureOf(id: string): Picture | null {
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

  async #fetch(): Promise<void> {
    this.#fetching = true;
    try {
      do {
        const start = this.rows.length;
        const { content } = await this.#kernel.request<HandleRowsResponse>("rows", { start });
        if (content.version !== this.#version || start !== this.rows.length) continue; // the list was reloaded in the meantime
        const { rows } = content;
        if (rows.length === 0) break;
        this.rows = [...this.rows, ...rows];
        this.#redraw();
      } while (this.rows.length < this.#expected);
    } catch {
      // The kernel is gone or the view is closed; the view reports that.
    } finally {
      this.#fetching = false;
    }
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

  #take(records: Record<string, Picture>): void {
    for (const [id, picture] of Object.entries(records)) this.#pictures.set(id, picture);
    this.#redraw();
  }
}
