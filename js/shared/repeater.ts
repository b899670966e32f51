// Messages without a response that must not be lost: a connection can break while they are sent, and `send` does not report it.

export const LATE_RETRY = 2000; // ms
export const SLOWEST_RETRY = 8000;

/** Sends again what the kernel has not confirmed, less and less often. */
export class Repeater {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #send: () => boolean;

  /** `send` sends all that is not confirmed, and returns whether there was any. */
  constructor(send: () => boolean) {
    this.#send = send;
  }

  /** Something was sent just now. */
  start(wait = LATE_RETRY): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#send() && this.start(Math.min(2 * wait, SLOWEST_RETRY)), wait);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
