/**
 * Changes on their way to the kernel: one at a time, in order. What is newer in the same gesture takes the place of what still waits, so
 * that a drag is as smooth as the kernel is quick, ends where the pointer ended, and is not lost while the kernel is busy.
 */

import { ClosedError, messageOf } from "../../shared/kernel_link.ts";

export interface Sent extends Record<string, unknown> {
  op: string;
  /** The parts of one drag share it. Each describes the whole drag, from its start. */
  gesture?: string;
}

export class PlacingQueue {
  #request: (change: Sent) => Promise<void>;
  #waiting: Sent[] = [];
  #busy = false;
  #refusedGesture = "";
  /** Called when the kernel has responded to every change. */
  onIdle: () => void = () => {};
  /** Called with a message when the kernel has refused a change; the rest of its gesture is dropped. */
  onRefused: (message: string) => void = () => {};

  constructor(request: (change: Sent) => Promise<void>) {
    this.#request = request;
  }

  get idle(): boolean {
    return !this.#busy;
  }

  send(change: Sent): void {
    if (change.gesture && change.gesture === this.#refusedGesture) return;
    const last = this.#waiting.at(-1);
    if (change.gesture && last?.gesture === change.gesture) this.#waiting.pop();
    this.#waiting.push(change);
    if (!this.#busy) void this.#run();
  }

  async #run(): Promise<void> {
    this.#busy = true;
    for (let change = this.#waiting.shift(); change; change = this.#waiting.shift()) {
      try {
        await this.#request(change);
      } catch (error) {
        if (error instanceof ClosedError) break;
        this.#refuse(change.gesture ?? "", messageOf(error));
      }
    }
    this.#busy = false;
    this.onIdle();
  }

  #refuse(gesture: string, message: string): void {
    this.#refusedGesture = gesture;
    if (gesture) this.#waiting = this.#waiting.filter((each) => each.gesture !== gesture);
    this.onRefused(message);
  }
}
