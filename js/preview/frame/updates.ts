/**
 * Which updates a view needs. Out of sight and without an app it shows nothing, so the kernel need not send it each change. When it
 * comes into sight, or its app starts, it requests the present state, and what it had before does not count until that has come.
 */

import type { OpenedPreview } from "../../protocol.ts";
import { ClosedError, type KernelLink, messageOf } from "../../shared/kernel_link.ts";

export class Updates {
  #kernel: Pick<KernelLink, "request" | "subscribe" | "gone">;
  #idle = false;
  #current = true;
  #requests = 0;
  /** Called when the view ceases to need updates, or needs them again. */
  onIdle: (idle: boolean) => void = () => {};
  /** Called with the state that was requested. */
  onState: (state: OpenedPreview) => void = () => {};
  /** Called when it becomes unknown whether the view has the present state, and when that is known again. */
  onCurrent: (current: boolean) => void = () => {};
  /** Called with the reason for which the kernel refuses the state. */
  onError: (message: string) => void = () => {};

  constructor(kernel: Pick<KernelLink, "request" | "subscribe" | "gone">) {
    this.#kernel = kernel;
    // With the kernel the draft is gone: nothing changes any more.
    kernel.subscribe(() => kernel.gone && !this.#idle && this.#setCurrent(true));
  }

  /** Whether the view is known to have the present state. */
  get current(): boolean {
    return this.#current;
  }

  set idle(idle: boolean) {
    if (idle === this.#idle) return;
    this.#idle = idle;
    this.onIdle(idle);
    this.#requests += 1;
    if (idle) this.#setCurrent(false);
    else if (this.#kernel.gone) this.#setCurrent(true);
    else void this.#request(this.#requests);
  }

  async #request(number: number): Promise<void> {
    try {
      this.onState((await this.#kernel.request<OpenedPreview>("open")).content);
    } catch (error) {
      if (error instanceof ClosedError) return;
      this.onError(messageOf(error));
    }
    if (number === this.#requests) this.#setCurrent(true);
  }

  #setCurrent(current: boolean): void {
    if (current === this.#current) return;
    this.#current = current;
    this.onCurrent(current);
  }
}
