// The page's view of a draft: shows the kernel's values, sends edits, and recognizes its own echo when it comes back.

import type { DraftState, EditMessage, Problem, Value } from "../protocol.ts";
import type { KernelLink } from "./kernel_link.ts";
import { Repeater } from "./repeater.ts";

const EMPTY: DraftState = { name: "", values: {}, problems: [], locked: false, by: { client: "", seq: 0, paths: [] } };

/** The last edit of a field that the kernel has not named yet. */
interface PendingEdit {
  value: Value;
  seq: number;
  /** The first such edit of this field, and the field's text before it. */
  since: number;
  base: string;
}

export class DraftLink {
  readonly client = crypto.randomUUID?.() ?? String(Math.random());
  readonly kernel: KernelLink;
  #state: DraftState;
  #seq = 0;
  /** Shown as if the kernel had taken them, and repeated until it has: a connection can break. */
  #pending = new Map<string, PendingEdit>();
  #repeater = new Repeater(() => this.#repeat());
  /** Counts the changes of a field that were made elsewhere, so that an input in use knows when to give way. */
  #foreign = new Map<string, number>();
  #listeners = new Set<() => void>();
  #stopListening: (() => void)[];

  constructor(kernel: KernelLink) {
    this.kernel = kernel;
    this.#state = kernel.trait<DraftState | undefined>("state") ?? EMPTY;
    this.#stopListening = [kernel.onTrait("state", () => this.#onState()), kernel.subscribe(() => this.#notify())];
  }

  dispose(): void {
    for (const stop of this.#stopListening) stop();
    this.#listeners.clear();
    this.#repeater.stop();
  }

  get name(): string {
    return this.#state.name;
  }

  get locked(): boolean {
    return this.#state.locked;
  }

  get problems(): Problem[] {
    return this.#state.problems;
  }

  /** Edits that wait for the kernel: while there are any, problems may be out of date. */
  get waiting(): boolean {
    return this.#pending.size > 0;
  }

  /** Whether the kernel's half is gone. */
  get gone(): boolean {
    return this.kernel.gone;
  }

  value(path: string): Value {
    const pending = this.#pending.get(path);
    return pending ? pending.value : (this.#state.values[path] ?? null);
  }

  text(path: string): string {
    const value = this.value(path);
    return typeof value === "string" ? value : "";
  }

  foreign(path: string): number {
    return this.#foreign.get(path) ?? 0;
  }

  edit(changes: Record<string, Value>): void {
    const seq = ++this.#seq;
    for (const [path, value] of Object.entries(changes)) {
      const { since, base } = this.#pending.get(path) ?? { since: seq, base: this.text(path) };
      this.#pending.set(path, { value, seq, since, base });
    }
    this.#transmit(seq, Object.keys(changes));
    this.#repeater.start();
    this.#notify();
  }

  /** Let the kernel make the changes that a problem's fix proposes. */
  fix(problem: Problem): void {
    this.send({ kind: "fix", code: problem.code, field: problem.field });
  }

  /** Send a command; see `KernelLink`. */
  send(message: { kind: string } & Record<string, unknown>): void {
    this.kernel.send(message);
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Send the edit of this number. With its texts goes what they were: the kernel keeps what others have typed there meanwhile. */
  #transmit(seq: number, paths: string[]): void {
    const message: EditMessage = { kind: "edit", client: this.client, seq, changes: {}, base: {}, since: {} };
    for (const path of paths) {
      const { value, base, since } = this.#pending.get(path)!;
      message.changes[path] = value;
      if (typeof value !== "string") continue;
      message.base![path] = base;
      message.since![path] = since;
    }
    this.kernel.sendOnce(message);
  }

  #repeat(): boolean {
    const pending = [...this.#pending];
    for (const seq of [...new Set(pending.map(([, edit]) => edit.seq))].sort((a, b) => a - b))
      this.#transmit(
        seq,
        pending.filter(([, edit]) => edit.seq === seq).map(([path]) => path),
      );
    return pending.length > 0;
  }

  #onState(): void {
    const before = this.#state;
    const state = this.kernel.trait<DraftState>("state");
    this.#state = state;
    const own = state.by.client === this.client;
    if (own) {
      for (const path of state.by.paths) if (this.#pending.get(path)?.seq === state.by.seq) this.#pending.delete(path);
    }
    const paths = new Set([...Object.keys(before.values), ...Object.keys(state.values)]);
    for (const path of paths) {
      const isOwn = own && state.by.paths.includes(path) && !state.by.merged?.includes(path);
      if (before.values[path] === state.values[path] || isOwn) continue;
      this.#foreign.set(path, this.foreign(path) + 1);
    }
    this.#notify();
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }
}
