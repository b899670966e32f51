// The rows in this page: all are requested once, then the kernel sends updates. Lost updates are noticed and requested again.

import type { BatchRowsEvent, BatchRowsResponse, RowsMessage } from "../protocol.ts";
import type { KernelLink } from "../shared/kernel_link.ts";
import type { Row } from "./status.ts";

export class RowStore {
  /** Rows as shown: with clicks that the kernel has not applied yet. */
  rows: Row[] = [];
  total = 0;
  #received: Row[] = [];
  #clicked = new Map<number, { click: number; change: Partial<Row> }>();
  #clicks = 0;
  #kernel: Pick<KernelLink, "request" | "onMessage" | "send">;
  #page: string;
  #redraw: () => void;
  /** All updates up to this revision have arrived; -1 before the first complete load. */
  #revision = -1;
  /** Revisions that arrived before others that are still missing. */
  #early = new Set<number>();
  #loading = false;
  #again = false;

  /** `page` is the id of the page, by which the kernel counts its clicks. */
  constructor(kernel: Pick<KernelLink, "request" | "onMessage" | "send">, page: string, redraw: () => void) {
    this.#kernel = kernel;
    this.#page = page;
    this.#redraw = redraw;
    kernel.onMessage<BatchRowsEvent>("rows", ({ rows, revision }) => {
      this.#early.add(revision);
      this.#take(rows);
      this.#catchUp();
    });
  }

  /** Whether all rows are here. */
  get complete(): boolean {
    return this.#revision >= 0;
  }

  /** The kernel has sent updates up to this revision: request all rows if they have not arrived. */
  expect(revision: number): void {
    if (revision > this.#revision && this.#revision >= 0) void this.load();
  }

  async load(): Promise<void> {
    if (this.#loading) {
      this.#again = true;
      return;
    }
    this.#loading = true;
    try {
      do {
        this.#again = false;
        this.#revision = await this.#fetchAll();
        this.#catchUp();
      } while (this.#again);
    } catch {
      // The kernel is gone or the view is closed; the view reports that.
    } finally {
      this.#loading = false;
    }
  }

  /** Choose rows, or decide; show the effect at once, until the kernel has applied it: updates that were sent before do not undo it. */
  click(kind: RowsMessage["kind"], rows: number[], on: boolean): void {
    const click = ++this.#clicks;
    const change = kind === "choose" ? { chosen: on } : { anyway: on };
    this.#kernel.send<RowsMessage>({ kind, rows, on, page: this.#page, click });
    for (const number of rows) {
      this.#clicked.set(number, { click, change: { ...this.#clicked.get(number)?.change, ...change } });
      this.#show(number);
    }
    this.#redraw();
  }

  /** The kernel has applied all clicks up to this one: show its rows from now on. */
  acknowledge(click: number): void {
    for (const [number, clicked] of this.#clicked) {
      if (clicked.click > click) continue;
      this.#clicked.delete(number);
      this.#show(number);
    }
    this.#redraw();
  }

  #show(number: number): void {
    this.rows[number] = { ...this.#received[number]!, ...this.#clicked.get(number)?.change };
  }

  async #fetchAll(): Promise<number> {
    let first = -1;
    for (let start = 0; ; ) {
      const { content } = await this.#kernel.request<BatchRowsResponse>("rows", { start });
      const { rows } = content;
      if (first < 0) first = content.revision;
      this.total = content.total;
      this.#take(rows);
      start += rows.length;
      if (rows.length === 0 || start >= this.total) return first;
    }
  }

  #take(rows: Row[]): void {
    for (const row of rows) {
      if (row.v < (this.#received[row.i]?.v ?? -1)) continue;
      this.#received[row.i] = row;
      this.#show(row.i);
    }
    this.#redraw();
  }

  #catchUp(): void {
    while (this.#early.delete(this.#revision + 1)) this.#revision += 1;
    for (const revision of this.#early) if (revision <= this.#revision) this.#early.delete(revision);
    if (this.#revision >= 0 && this.#early.size > 0) void this.load();
  }
}
