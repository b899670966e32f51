// The page's view of the draft: shows the kernel's values, sends edits, and knows its own echo when it comes back.

import type { AnyModel } from "@anywidget/types";
import type { DraftState, Problem, Value } from "./types.ts";

const EMPTY: DraftState = { name: "", values: {}, problems: [], locked: false, by: { client: "", seq: 0, paths: [] } };

export class DraftLink {
  readonly client = crypto.randomUUID?.() ?? String(Math.random());
  #model: AnyModel;
  #state: DraftState;
  #seq = 0;
  #gone = false;
  /** Edits that the kernel has not answered yet: shown as if it had. */
  #pending = new Map<string, { value: Value; seq: number }>();
  /** Counts the changes of a field that were made elsewhere, so that an input in use knows when to give way. */
  #foreign = new Map<string, number>();
  #listeners = new Set<() => void>();

  constructor(model: AnyModel) {
    this.#model = model;
    this.#state = (model.get("state") as DraftState | undefined) ?? EMPTY;
    model.on("change:state", this.#onState);
  }

  dispose(): void {
    this.#model.off("change:state", this.#onState);
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

  /** Whether the kernel's half is gone: found out when something is sent to it. */
  get gone(): boolean {
    return this.#gone;
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
    for (const [path, value] of Object.entries(changes)) this.#pending.set(path, { value, seq: this.#seq });
    this.send({ kind: "edit", client: this.client, seq: this.#seq, changes });
    this.#tell();
  }

  /** Let the kernel make the changes that a problem's fix proposes. */
  fix(problem: Problem): void {
    this.send({ kind: "fix", code: problem.code, field: problem.field });
  }

  /** Tell the kernel something. A closed comm throws: that must not undo what is being typed, and has to be said. */
  send(message: { kind: string } & Record<string, unknown>): void {
    try {
      this.#model.send(message);
    } catch {
      this.#gone = true;
      this.#tell();
    }
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #onState = (): void => {
    const before = this.#state;
    const state = (this.#state = this.#model.get("state") as DraftState);
    const own = state.by.client === this.client;
    if (own) {
      for (const [path, pending] of this.#pending) if (pending.seq <= state.by.seq) this.#pending.delete(path);
    }
    const paths = new Set([...Object.keys(before.values), ...Object.keys(state.values)]);
    for (const path of paths) {
      if (before.values[path] === state.values[path] || (own && state.by.paths.includes(path))) continue;
      this.#foreign.set(path, this.foreign(path) + 1);
    }
    this.#tell();
  };

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
