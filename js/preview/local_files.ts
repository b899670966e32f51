/**
 * The image's files in this page. Each comes from the kernel once, however many views show it and however often the app is built
 * anew; a small pyramid comes whole, before the engine asks for it.
 */

import type { Bytes } from "./addresses";
import type { Comm } from "../shared/comm";
import { pageWide } from "../shared/page_wide";

/** What the kernel says of the files: see `ImageFiles.state` in Python. */
export interface FilesState {
  /** Another one for each state of the files on disk. */
  key: string;
  /** They are few enough to be sent in one message. */
  whole: boolean;
  /** What is wrong with them, in words. */
  fault: string | null;
  /** What else is to be said of them, "" if nothing is. */
  words: string;
}

const LIMIT = 64 * 2 ** 20; // bytes, in one page

interface Store {
  /** By key and path; the one that was used last is last. */
  files: Map<string, Bytes>;
  size: number;
  /** Keys of pyramids that are here whole: what is not in them is a hole. */
  whole: Set<string>;
  coming: Map<string, Promise<void>>;
}

const newStore = (): Store => ({ files: new Map(), size: 0, whole: new Set(), coming: new Map() });

export class LocalFiles {
  #comm: Pick<Comm, "ask" | "file">;
  #store: Store;
  #limit: number;
  #key = "";

  constructor(comm: Pick<Comm, "ask" | "file">, store = pageWide("local_files.1", newStore), limit = LIMIT) {
    this.#comm = comm;
    this.#store = store;
    this.#limit = limit;
  }

  /** From now on the files are as the kernel says; what this page lacks of a small pyramid is sent for. */
  expect(state: FilesState | null): void {
    this.#key = state?.key ?? "";
    const { whole, coming } = this.#store;
    if (!state?.whole || whole.has(state.key) || coming.has(state.key)) return;
    coming.set(
      state.key,
      this.#fetchAll(state.key).finally(() => coming.delete(state.key)),
    );
  }

  /** The bytes at `path`; null if there is no such file. */
  async file(path: string): Promise<Bytes | null> {
    const key = this.#key;
    await this.#store.coming.get(key);
    const name = `${key}\n${path}`;
    const found = this.#store.files.get(name);
    if (found) {
      this.#keep(name, found);
      return found;
    }
    if (this.#store.whole.has(key) && path.startsWith("image/")) return null;
    const bytes = await this.#comm.file(path);
    if (bytes && key) this.#keep(name, bytes);
    return bytes;
  }

  async #fetchAll(key: string): Promise<void> {
    try {
      const { content, buffers } = await this.#comm.ask("whole");
      if (content.key !== key) return; // somebody has written to the files since
      (content.names as string[]).forEach((name, index) => this.#keep(`${key}\n${name}`, buffers[index]!));
      if (content.complete === true && [...buffers.keys()].every((index) => this.#store.files.has(`${key}\n${(content.names as string[])[index]}`))) {
        this.#store.whole.add(key);
      }
    } catch {
      // Then the engine asks for them one by one, and whatever is wrong is said there.
    }
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
