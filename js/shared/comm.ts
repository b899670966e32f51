/** Requests to the kernel over the widget's comm: `{id, kind, …}` out, `{id, ok, …}` and binary buffers back. */

import type { AnyModel } from "@anywidget/types";

export interface Reply {
  content: Record<string, unknown>;
  buffers: Uint8Array<ArrayBuffer>[];
}

/** The kernel answered, and the answer is no. */
export class Refused extends Error {}

/** The comm was closed before an answer came. */
export class Closed extends Error {
  override readonly name = "Closed"; // by which another evaluation of this module knows it, see page_wide.ts
}

interface Open {
  message: { id: number; kind: string } & Record<string, unknown>;
  buffers: ArrayBuffer[];
  sent: number;
  wait: number;
  /** Takes one part of the answer; true if it was the last one. */
  take: (part: Reply) => boolean;
  reject: (error: Error) => void;
}

// The first message of a page can get stuck behind the running cell (JupyterLab is still making the subshell that would answer it):
// ask again soon until somebody answers. After that only what is really late is asked again.
const FIRST_RETRY = 400;
const LATE_RETRY = 2000;
const SLOWEST_RETRY = 8000;
const SILENT_AFTER = 3500;
const COALESCE = 2;

// Whole numbers, since ipykernel 7.4 keeps a note of every text id for ever. Several pages may talk to one kernel.
let nextId = Math.floor(Math.random() * 2 ** 31) * 2 ** 20;

export class Comm {
  #model: AnyModel;
  #open = new Map<number, Open>();
  #listeners = new Map<string, (content: Record<string, unknown>) => void>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #answered = false;
  #closed = false;
  #lastAnswer = performance.now();
  #silent = false;
  #files: { path: string; resolve: (bytes: Uint8Array<ArrayBuffer> | null) => void }[] = [];
  /** Called with true when the kernel has been silent for long, with false when it speaks again. */
  onSilence: (silent: boolean) => void = () => {};
  /** Called with words when a file of the image that ought to be there can't be read. */
  onFault: (words: string) => void = () => {};

  constructor(model: AnyModel) {
    this.#model = model;
    model.on("msg:custom", this.#receive);
  }

  /** The answer to one request. Rejects with `Refused` if it is no, with `Closed` if this comm is closed first. */
  ask(kind: string, content: Record<string, unknown> = {}, buffers: ArrayBuffer[] = []): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const take = (reply: Reply) => {
        resolve(reply);
        return true;
      };
      this.#ask(kind, content, buffers, take, reject);
    });
  }

  /** A file of the draft's image; null if there is none (a hole in the pyramid). All asked for within 2 ms go in one message. */
  file(path: string): Promise<Uint8Array<ArrayBuffer> | null> {
    return new Promise((resolve) => {
      if (this.#files.push({ path, resolve }) === 1) setTimeout(() => this.#askForFiles(), COALESCE);
    });
  }

  /** Tells the kernel something that needs no answer; if nobody is there, nothing happens. */
  tell(kind: string, content: Record<string, unknown>): void {
    try {
      this.#model.send({ ...content, kind });
    } catch {
      // The comm is dead; requests say so.
    }
  }

  /** Calls `listener` with what the kernel says unasked. */
  on(kind: string, listener: (content: Record<string, unknown>) => void): void {
    this.#listeners.set(kind, listener);
  }

  close(): void {
    this.#closed = true;
    this.#model.off("msg:custom", this.#receive);
    clearInterval(this.#timer);
    for (const open of this.#open.values()) open.reject(new Closed());
    this.#open.clear();
  }

  #ask(kind: string, content: Record<string, unknown>, buffers: ArrayBuffer[], take: Open["take"], reject: Open["reject"]): void {
    if (this.#closed) {
      reject(new Closed());
      return;
    }
    const id = nextId++;
    const now = performance.now();
    if (this.#open.size === 0) this.#lastAnswer = now; // silence is counted from the question on
    const wait = this.#answered ? LATE_RETRY : FIRST_RETRY;
    const open = { message: { ...content, id, kind }, buffers, sent: now, wait, take, reject };
    this.#open.set(id, open);
    this.#send(open);
    this.#timer ??= setInterval(() => this.#askAgain(), FIRST_RETRY / 2);
  }

  /** Many files come in several messages: those of the first are shown while the kernel reads others. */
  #askForFiles(): void {
    const batch = this.#files;
    this.#files = [];
    const missing = new Set(batch.keys());
    const take = ({ content, buffers }: Reply) => {
      for (const words of new Set(Object.values((content.faults ?? {}) as Record<string, string>))) this.onFault(words);
      let index = content.start as number;
      let next = 0;
      for (const there of content.found as boolean[]) {
        batch[index]!.resolve(there ? (buffers[next++] ?? null) : null);
        missing.delete(index++);
      }
      return missing.size === 0;
    };
    const paths = batch.map((file) => file.path);
    this.#ask("files", { paths }, [], take, () => batch.forEach((file) => file.resolve(null)));
  }

  #send(open: Open): void {
    open.sent = performance.now();
    try {
      if (open.buffers.length > 0) this.#model.send(open.message, undefined, open.buffers);
      else this.#model.send(open.message);
    } catch {
      // The comm is dead: nobody answers, and the view says so in its own time.
    }
  }

  #askAgain(): void {
    const now = performance.now();
    for (const open of this.#open.values()) {
      if (now - open.sent < open.wait) continue;
      if (this.#answered) open.wait = Math.min(open.wait * 2, SLOWEST_RETRY);
      this.#send(open);
    }
    if (this.#open.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    } else if (!this.#silent && now - this.#lastAnswer > SILENT_AFTER) {
      this.#silent = true;
      this.#answered = false;
      this.onSilence(true);
    }
  }

  #receive = (message: Record<string, unknown>, buffers: DataView[]): void => {
    this.#lastAnswer = performance.now();
    if (this.#silent) {
      this.#silent = false;
      this.onSilence(false);
    }
    if (typeof message.id !== "number") {
      this.#listeners.get(String(message.kind))?.(message);
      return;
    }
    const open = this.#open.get(message.id);
    if (!open) return; // asked by another view of this model, or answered twice
    this.#answered = true;
    const ok = message.ok === true;
    open.sent = this.#lastAnswer; // what is on its way is not asked for again
    if (!ok || open.take({ content: message, buffers: (buffers ?? []).map(bytesOf) })) this.#open.delete(message.id);
    if (!ok) open.reject(new Refused(String(message.message ?? "The kernel refused, and did not say why.")));
  };
}

function bytesOf(view: DataView): Uint8Array<ArrayBuffer> {
  return new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength);
}
