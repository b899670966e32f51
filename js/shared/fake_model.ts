// A widget model for unit tests: traits that can be set from the kernel's side, and what the page has sent.

import type { AnyModel } from "@anywidget/types";
import type { CommandsMessage } from "../protocol.ts";

export class FakeModel {
  sent: Record<string, unknown>[] = [];
  #traits: Record<string, unknown>;
  #listeners = new Map<string, Set<(...args: unknown[]) => void>>();

  constructor(traits: Record<string, unknown>) {
    this.#traits = traits;
  }

  get = (name: string) => this.#traits[name];
  set = (name: string, value: unknown) => this.change(name, value);

  /** Record the message; of commands each one, which the kernel confirms. */
  send = (message: Record<string, unknown>) => {
    if (message.kind !== "commands") {
      this.sent.push(message);
      return;
    }
    const { page, commands } = message as unknown as CommandsMessage;
    for (const { number: _, ...command } of commands) this.sent.push(command);
    this.receive({ kind: "received", page, number: commands.at(-1)!.number });
  };

  on = (event: string, listener: (...args: unknown[]) => void) => {
    if (!this.#listeners.has(event)) this.#listeners.set(event, new Set());
    this.#listeners.get(event)?.add(listener);
  };

  off = (event: string, listener: (...args: unknown[]) => void) => void this.#listeners.get(event)?.delete(listener);

  /** The kernel changes a trait. */
  change(name: string, value: unknown): void {
    this.#traits[name] = value;
    this.#emit(`change:${name}`);
  }

  /** The kernel sends a message. */
  receive(message: unknown, buffers: unknown[] = []): void {
    this.#emit("msg:custom", message, buffers);
  }

  get model(): AnyModel {
    return this as unknown as AnyModel;
  }

  #emit(event: string, ...args: unknown[]): void {
    for (const listener of this.#listeners.get(event) ?? []) listener(...args);
  }
}
