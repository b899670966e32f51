/**
 * Draws only when there is something new to draw. The engine asks for a frame, draws it and asks for the next, for ever, at nearly
 * two cores of CPU with software WebGL. So the frame's `requestAnimationFrame` is ours: callbacks are held while nobody sees them,
 * and run once a second while nothing happens.
 */

import type { Realm } from "./intercept";

const AWAKE = 1200; // ms after the last event; the engine's camera needs some frames to come to rest
const IDLE = 1000; // ms between frames while nothing happens

export class Throttle {
  #held = new Map<number, FrameRequestCallback>();
  #next = 1;
  #native: (callback: FrameRequestCallback) => number;
  #pending = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #awakeUntil = performance.now() + AWAKE;
  #lastFrame = 0;
  #seen = true;
  #watcher: IntersectionObserver;
  /** Called after each frame. */
  afterFrame: () => void = () => {};

  constructor(realm: Realm, frame: HTMLIFrameElement) {
    this.#native = realm.requestAnimationFrame.bind(realm);
    realm.requestAnimationFrame = (callback) => {
      const id = this.#next++;
      this.#held.set(id, callback);
      this.#schedule();
      return id;
    };
    realm.cancelAnimationFrame = (id) => void this.#held.delete(id);
    for (const event of ["pointermove", "pointerdown", "pointerup", "wheel", "keydown", "touchmove", "resize"]) {
      realm.addEventListener(event, this.wake, { capture: true, passive: true });
    }
    this.#watcher = new IntersectionObserver((entries) => {
      this.#seen = entries.at(-1)!.isIntersecting;
      if (this.#seen) this.wake();
    });
    this.#watcher.observe(frame);
  }

  /** Something happened: draw at full speed for a while. */
  wake = (): void => {
    this.#awakeUntil = performance.now() + AWAKE;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#schedule();
  };

  /** Draws a frame at once, whether or not anybody sees it. */
  drawNow(): void {
    this.#run(performance.now());
  }

  stop(): void {
    this.#watcher.disconnect();
    clearTimeout(this.#timer);
    this.#held.clear();
    this.#seen = false;
  }

  #schedule(): void {
    if (this.#pending || this.#timer !== undefined || this.#held.size === 0 || !this.#seen) return;
    if (performance.now() < this.#awakeUntil) this.#draw();
    else this.#timer = setTimeout(() => this.#draw(), Math.max(0, IDLE - (performance.now() - this.#lastFrame)));
  }

  #draw(): void {
    this.#timer = undefined;
    this.#pending = true;
    this.#native((time) => {
      this.#pending = false;
      if (!this.#seen) return; // held until somebody looks
      this.#run(time);
      this.#schedule();
    });
  }

  #run(time: number): void {
    this.#lastFrame = performance.now();
    const callbacks = [...this.#held.values()];
    this.#held.clear();
    for (const callback of callbacks) callback(time);
    this.afterFrame();
  }
}
