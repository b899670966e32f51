/**
 * Changes on their way to the kernel: one at a time, in order. What is newer in the same gesture takes the place of what still waits, so
 * that a drag is as smooth as the kernel is quick, ends where the pointer ended, and is not lost while the kernel is busy.
 */

import { Closed } from "../shared/comm";

export interface Sent extends Record<string, unknown> {
  op: string;
  /** The parts of one drag share it. Each says all of it, from where it began. */
  gesture?: string;
}

export class PlacingQueue {
  #ask: (change: Sent) => Promise<void>;
  #waiting: Sent[] = [];
  #busy = false;
  #refused = "";
  /** Called when all has been answered. */
  onIdle: () => void = () => {};
  /** Called with words when the kernel has refused a change; nothing more of its gesture is sent. */
  onRefused: (words: string) => void = () => {};

  constructor(ask: (change: Sent) => Promise<void>) {
    this.#ask = ask;
  }

  get idle(): boolean {
    return !this.#busy;
  }

  send(change: Sent): void {
    if (change.gesture && change.gesture === this.#refused) return;
    const last = this.#waiting.at(-1);
    if (change.gesture && last?.gesture === change.gesture) this.#waiting.pop();
    this.#waiting.push(change);
    if (!this.#busy) void this.#run();
  }

  async #run(): Promise<void> {
    this.#busy = true;
    for (let change = this.#waiting.shift(); change; change = this.#waiting.shift()) {
      try {
        await this.#ask(change);
      } catch (error) {
        if (error instanceof Closed) break;
        this.#refuse(change.gesture ?? "", error instanceof Error ? error.message : String(error));
      }
    }
    this.#busy = false;
    this.onIdle();
  }

  #refuse(gesture: string, words: string): void {
    this.#refused = gesture;
    if (gesture) this.#waiting = this.#waiting.filter((each) => each.gesture !== gesture);
    this.onRefused(words);
  }
}
