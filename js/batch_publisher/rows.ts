// The rows in this page: all are asked for once, then the kernel tells what has changed. What was lost on the way is noticed and asked again.

import type { Comm } from "../shared/comm.ts";
import type { Row } from "./status.ts";

export class RowStore {
  /** As they are shown: with what was clicked and the kernel has not taken yet. */
  rows: Row[] = [];
  total = 0;
  #told: Row[] = [];
  #clicked = new Map<number, { click: number; change: Partial<Row> }>();
  #comm: Pick<Comm, "ask" | "on">;
  #redraw: () => void;
  /** All news up to this one have arrived; -1 before the rows were here once. */
  #heard = -1;
  /** News that came before others that are still missing. */
  #early = new Set<number>();
  #loading = false;
  #again = false;

  constructor(comm: Pick<Comm, "ask" | "on">, redraw: () => void) {
    this.#comm = comm;
    this.#redraw = redraw;
    comm.on("rows", ({ rows, news }) => {
      this.#early.add(news as number);
      this.#take(rows as Row[]);
      this.#catchUp();
    });
  }

  /** Whether all rows are here. */
  get complete(): boolean {
    return this.#heard >= 0;
  }

  /** The kernel has told news up to this one: where they aren't here, all rows are asked for again. */
  expect(news: number): void {
    if (news > this.#heard && this.#heard >= 0) void this.load();
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
        this.#heard = await this.#fetchAll();
        this.#catchUp();
      } while (this.#again);
    } catch {
      // The kernel is gone or the view is closed; the view says so.
    } finally {
      this.#loading = false;
    }
  }

  /** Show at once what the kernel is told by a click, until it has taken that one: older news that are still on their way change it not. */
  set(numbers: number[], change: Partial<Row>, click: number): void {
    for (const number of numbers) {
      this.#clicked.set(number, { click, change: { ...this.#clicked.get(number)?.change, ...change } });
      this.#show(number);
    }
    this.#redraw();
  }

  /** The kernel has taken all clicks up to this one: from now on the rows are as it says. */
  settle(click: number): void {
    for (const [number, clicked] of this.#clicked) {
      if (clicked.click > click) continue;
      this.#clicked.delete(number);
      this.#show(number);
    }
    this.#redraw();
  }

  #show(number: number): void {
    this.rows[number] = { ...this.#told[number]!, ...this.#clicked.get(number)?.change };
  }

  async #fetchAll(): Promise<number> {
    let first = -1;
    for (let start = 0; ; ) {
      const { content } = await this.#comm.ask("rows", { start });
      const rows = content.rows as Row[];
      if (first < 0) first = content.news as number;
      this.total = content.total as number;
      this.#take(rows);
      start += rows.length;
      if (rows.length === 0 || start >= this.total) return first;
    }
  }

  #take(rows: Row[]): void {
    for (const row of rows) {
      if (row.v < (this.#told[row.i]?.v ?? -1)) continue;
      this.#told[row.i] = row;
      this.#show(row.i);
    }
    this.#redraw();
  }

  #catchUp(): void {
    while (this.#early.delete(this.#heard + 1)) this.#heard += 1;
    for (const news of this.#early) if (news <= this.#heard) this.#early.delete(news);
    if (this.#heard >= 0 && this.#early.size > 0) void this.load();
  }
}
