// The rows and records that this page has: fetched as the kernel gets them, each once.

import type { Comm } from "../shared/comm.ts";
import type { Picture, Row } from "./status.ts";

const TOGETHER = 80; // milliseconds in which the records of several rows are asked for as one: a fast scroll asks for none of what flies by

export class RowStore {
  rows: Row[] = [];
  #comm: Pick<Comm, "ask" | "on">;
  #redraw: () => void;
  #version = 0;
  #fetching = false;
  #expected = 0;
  #pictures = new Map<string, Picture | null>(); // null while it is on its way
  #inSight: string[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(comm: Pick<Comm, "ask" | "on">, redraw: () => void) {
    this.#comm = comm;
    this.#redraw = redraw;
    comm.on("records", ({ records }) => this.#take(records as Record<string, Picture>));
    comm.on("row", ({ row, record }) => {
      const changed = row as Row;
      this.rows = this.rows.map((old) => (old.id === changed.id ? changed : old));
      this.#take({ [changed.id]: record as Picture });
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
        const { content } = await this.#comm.ask("rows", { start });
        if (content.version !== this.#version || start !== this.rows.length) continue; // it began anew meanwhile
        const rows = content.rows as Row[];
        if (rows.length === 0) break;
        this.rows = [...this.rows, ...rows];
        this.#redraw();
      } while (this.rows.length < this.#expected);
    } catch {
      // The kernel is gone or the view is closed; the view says so.
    } finally {
      this.#fetching = false;
    }
  }

  async #askForRecords(ids: string[]): Promise<void> {
    if (ids.length === 0) return;
    for (const id of ids) this.#pictures.set(id, null);
    try {
      const { content } = await this.#comm.ask("records", { ids });
      this.#take(content.records as Record<string, Picture>);
    } catch {
      for (const id of ids) this.#pictures.delete(id);
    }
  }

  #take(records: Record<string, Picture>): void {
    for (const [id, picture] of Object.entries(records)) this.#pictures.set(id, picture);
    this.#redraw();
  }
}
