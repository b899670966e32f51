/**
 * Draws only when there is something new to draw. The engine asks for a frame, draws it and asks for the next, for ever, at nearly
 * two cores of CPU with software WebGL. So the frame's `requestAnimationFrame` is ours: callbacks are held while nobody sees them
 * and while nothing happens. The app's own intervals only tell where the view is: they rest with it.
 */

import type { Realm } from "./intercept";

const AWAKE = 1200; // ms of full speed after the last event; the engine's camera needs some frames to come to rest
const BEAT = 1000; // ms between frames after that
const LAST_BEAT = 5000; // ms after the last event; by then whatever it set off has come

export class Throttle {
  #held = new Map<number, FrameRequestCallback>();
  #next = 1;
  #native: (callback: FrameRequestCallback) => number;
  #pending = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lastEvent = performance.now();
  #lastFrame = 0;
  #frames = 0;
  #seen = true;
  #stopped = false;
  /** Called after each frame. */
  afterFrame: () => void = () => {};
  /** Whether the next frame would look like the last one, if nothing happens. While nobody knows, there is a slow beat. */
  atRest: () => boolean = () => false;

  constructor(realm: Realm) {
    this.#native = realm.requestAnimationFrame.bind(realm);
    realm.requestAnimationFrame = (callback) => {
      const id = this.#next++;
      this.#held.set(id, callback);
      this.#schedule();
      return id;
    };
    realm.cancelAnimationFrame = (id) => void this.#held.delete(id);
    const setInterval = realm.setInterval.bind(realm) as (callback: () => void, wait?: number) => number;
    realm.setInterval = ((callback: () => void, wait?: number) => {
      let told = -1;
      return setInterval(() => {
        if (told === this.#frames || this.#stopped) return;
        told = this.#frames;
        callback();
      }, wait);
    }) as typeof realm.setInterval;
    for (const event of ["pointermove", "pointerdown", "pointerup", "wheel", "keydown", "touchmove", "resize"]) {
      realm.addEventListener(event, this.wake, { capture: true, passive: true });
    }
  }

  /** Whether somebody may see what is drawn. */
  set seen(seen: boolean) {
    this.#seen = seen;
    if (seen) this.wake();
    else this.#rest();
  }

  /** Something happened: draw at full speed for a while. */
  wake = (): void => {
    this.#lastEvent = performance.now();
    this.#rest();
    this.#schedule();
  };

  /** Draws a frame at once, whether or not anybody sees it. */
  drawNow(): void {
    this.#run(performance.now());
  }

  stop(): void {
    this.#stopped = true;
    this.#rest();
    this.#held.clear();
  }

  #rest(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #schedule(): void {
    if (this.#pending || this.#timer !== undefined || this.#held.size === 0 || !this.#seen || this.#stopped) return;
    const now = performance.now();
    const quiet = now - this.#lastEvent;
    if (quiet < AWAKE) this.#draw();
    else if (quiet < LAST_BEAT || !this.atRest()) this.#timer = setTimeout(() => this.#draw(), Math.max(0, BEAT - (now - this.#lastFrame)));
  }

  #draw(): void {
    this.#timer = undefined;
    this.#pending = true;
    this.#native((time) => {
      this.#pending = false;
      if (!this.#seen || this.#stopped) return; // held until somebody looks
      this.#run(time);
      this.#schedule();
    });
  }

  #run(time: number): void {
    this.#lastFrame = performance.now();
    this.#frames += 1;
    const callbacks = [...this.#held.values()];
    this.#held.clear();
    for (const callback of callbacks) callback(time);
    this.afterFrame();
  }
}
