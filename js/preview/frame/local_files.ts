/**
 * The image's files in this page. Each comes from the kernel once, however many views show it and however often the app is
 * rebuilt; a small pyramid comes whole, in parts and the coarse levels first, before the engine requests it.
 */

import type { FilesState } from "../../protocol.ts";
import { pageWide } from "../../shared/page_wide.ts";
import type { Bytes } from "./addresses.ts";
import type { KernelFiles } from "./kernel_files.ts";

const LIMIT = 64 * 2 ** 20; // bytes, in one page

interface Store {
  /** By key and path; the one that was used last is last. */
  files: Map<string, Bytes>;
  size: number;
  /** Keys of pyramids that are here whole: what is not in them is a hole. */
  whole: Set<string>;
  /** By key: the end of a pyramid's coming. */
  coming: Map<string, Promise<void>>;
  /** By key: lets the rest of a pyramid come, whose first part is here. */
  goOn: Map<string, () => void>;
  /** By key and path: who waits for a file of a pyramid that is coming. */
  waiting: Map<string, (() => void)[]>;
}

export const newStore = (): Store => ({
  files: new Map(),
  size: 0,
  whole: new Set(),
  coming: new Map(),
  goOn: new Map(),
  waiting: new Map(),
});

export class LocalFiles {
  #kernel: Pick<KernelFiles, "file" | "part">;
  #store: Store;
  #limit: number;
  #key = "";

  constructor(kernel: Pick<KernelFiles, "file" | "part">, store = pageWide("local_files.3", newStore), limit = LIMIT) {
    this.#kernel = kernel;
    this.#store = store;
    this.#limit = limit;
  }

  /** Take the state of the files from the kernel, and fetch what this page lacks of a small pyramid. */
  expect(state: FilesState | null): void {
    this.#key = state?.key ?? "";
    const { whole, coming } = this.#store;
    if (!state?.whole || whole.has(state.key) || coming.has(state.key)) return;
    coming.set(
      state.key,
      this.#fetchAll(state.key).finally(() => coming.delete(state.key)),
    );
  }

  /** The picture is there: what it did not need may come now. */
  fetchRest(): void {
    this.#store.goOn.get(this.#key)?.();
  }

  /** The bytes at `path`; null if there is no such file. */
  async file(path: string): Promise<Bytes | null> {
    const key = this.#key;
    const name = `${key}\n${path}`;
    const coming = this.#store.coming.get(key);
    if (coming && !this.#store.files.has(name)) {
      this.fetchRest();
      await Promise.race([coming, this.#arrival(name)]);
    }
    const found = this.#store.files.get(name);
    if (found) {
      this.#keep(name, found);
      return found;
    }
    if (this.#store.whole.has(key) && path.startsWith("image/")) return null;
    const bytes = await this.#kernel.file(path);
    if (bytes && key) this.#keep(name, bytes);
    return bytes;
  }

  async #fetchAll(key: string): Promise<void> {
    const come: string[] = [];
    let rest: Promise<void> | null = null;
    try {
      for (let start: number | null = 0; start !== null; ) {
        await rest;
        const { content, buffers } = await this.#kernel.part(start);
        if (content.key !== key) return; // the files have changed since
        for (const [index, path] of content.names.entries()) {
          const name = `${key}\n${path}`;
          this.#keep(name, buffers[index]!);
          this.#store.waiting.get(name)?.forEach((goOn) => goOn());
          this.#store.waiting.delete(name);
          come.push(name);
        }
        if (content.complete !== true) return;
        start = content.next;
        rest ??=
          this.#awaited(key).length > 0 ? Promise.resolve() : new Promise((goOn) => this.#store.goOn.set(key, goOn));
      }
      if (come.every((name) => this.#store.files.has(name))) this.#store.whole.add(key);
    } catch {
      // The engine then requests them one by one, and any fault is reported there.
    } finally {
      this.#store.goOn.delete(key);
      for (const name of this.#awaited(key)) this.#store.waiting.delete(name); // they go on now, too
    }
  }

  /** Names of files that are waited for. */
  #awaited(key: string): string[] {
    return [...this.#store.waiting.keys()].filter((name) => name.startsWith(`${key}\n`));
  }

  #arrival(name: string): Promise<void> {
    return new Promise((goOn) => this.#store.waiting.set(name, [...(this.#store.waiting.get(name) ?? []), goOn]));
  }

  #keep(name: string, bytes: Bytes): void {
    const store = this.#store;
    if (bytes.length > this.#limit / 2) return; // it would drive out all others
    if (!store.files.delete(name)) store.size += bytes.length;
    store.files.set(name, bytes);
    for (const [oldest, old] of store.files) {
      if (store.size <= this.#limit) return;
      store.files.delete(oldest);
      store.size -= old.length;
      store.whole.delete(oldest.slice(0, oldest.indexOf("\n")));
    }
  }
}
