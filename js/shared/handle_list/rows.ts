// The rows that this page has: fetched as the kernel gets them, each once.

import type { HandleRowEvent, HandleRowsResponse } from "../../protocol.ts";
import type { KernelLink } from "../kernel_link.ts";
import type { Row } from "./status.ts";

export class RowStore<R extends Row> {
  rows: R[] = [];
  #kernel: Pick<KernelLink, "request" | "onMessage">;
  #redraw: () => void;
  #version = 0;
  #fetching = false;
  #expected = 0;

  constructor(kernel: Pick<KernelLink, "request" | "onMessage">, redraw: () => void) {
    this.#kernel = kernel;
    this.#redraw = redraw;
    kernel.onMessage<HandleRowEvent>("row", ({ row: changed }) => {
      this.rows = this.rows.map((old) => (old.id === changed.id ? (changed as unknown as R) : old));
      redraw();
    });
  }

  /** The kernel has so many rows of this version of the list. */
  expect(version: number, loaded: number): void {
    if (version !== this.#version) {
      this.#version = version;
      this.rows = [];
    }
    this.#expected = loaded;
    if (!this.#fetching && (this.rows.length < loaded || loaded === 0)) void this.#fetch();
  }

  async #fetch(): Promise<void> {
    this.#fetching = true;
    try {
      do {
        const start = this.rows.length;
        const { content } = await this.#kernel.request<HandleRowsResponse>("rows", { start });
        if (content.version !== this.#version || start !== this.rows.length) continue; // the list was reloaded in the meantime
        const rows = content.rows as unknown as R[];
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
}
