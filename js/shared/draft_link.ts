// The page's view of a draft: shows the kernel's values, sends edits, and recognizes its own echo when it comes back.

import type { DraftState, Problem, Value } from "../protocol.ts";
import type { KernelLink } from "./kernel_link.ts";

const EMPTY: DraftState = { name: "", values: {}, problems: [], locked: false, by: { client: "", seq: 0, paths: [] } };

export class DraftLink {
  readonly client = crypto.randomUUID?.() ?? String(Math.random());
  readonly kernel: KernelLink;
  #state: DraftState;
  #seq = 0;
  /** Edits that the kernel has not taken yet: shown as if it had. */
  #pending = new Map<string, { value: Value; seq: number }>();
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
    this.#seq += 1;
    const base = this.#textsAt(changes);
    for (const [path, value] of Object.entries(changes)) this.#pending.set(path, { value, seq: this.#seq });
    this.send({ kind: "edit", client: this.client, seq: this.#seq, changes, base });
    this.#notify();
  }

  /** Let the kernel make the changes that a problem's fix proposes. */
  fix(problem: Problem): void {
    this.send({ kind: "fix", code: problem.code, field: problem.field });
  }

  send(message: { kind: string } & Record<string, unknown>): void {
    this.kernel.send(message);
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The texts that `changes` change, as they are shown: the kernel keeps what others have typed there meanwhile. */
  #textsAt(changes: Record<string, Value>): Record<string, string> {
    const texts = Object.keys(changes).filter((path) => typeof changes[path] === "string");
    return Object.fromEntries(texts.map((path) => [path, this.text(path)]));
  }

  #onState(): void {
    const before = this.#state;
    const state = this.kernel.trait<DraftState>("state");
    this.#state = state;
    const own = state.by.client === this.client;
    if (own) {
      for (const [path, pending] of this.#pending) if (pending.seq <= state.by.seq) this.#pending.delete(path);
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
