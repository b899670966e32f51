/**
 * Draws only when there is something new to draw. The engine requests a frame, draws it and requests the next, forever, at nearly
 * two cores of CPU with software WebGL. So the frame's `requestAnimationFrame` is ours: callbacks are held while the view is hidden
 * and while nothing happens. The app's own intervals only report the view: they pause with it.
 */

import type { Realm } from "./intercept.ts";

const AWAKE = 1200; // ms of full speed after the last event; the engine's camera needs some frames to come to rest
const BEAT = 1000; // ms between frames after that
const LAST_BEAT = 5000; // ms after the last event; by then whatever it set off has come
const FRAME = 16; // ms; what comes faster is drawn together, and more and more of it while the browser brings nothing to the screen

export class Throttle {
  #held = new Map<number, FrameRequestCallback>();
  #next = 1;
  #native: (callback: FrameRequestCallback) => number;
  #pending = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lastEvent = performance.now();
  #lastFrame = 0;
  #frames = 0;
  #drawing = false;
  /** Frames drawn since the browser last requested one. */
  #unasked = 0;
  #soon: ReturnType<typeof setTimeout> | undefined;
  #seen = true;
  #stopped = false;
  /** Called after each frame. */
  afterFrame: () => void = () => {};
  /** Whether the next frame would equal the last one if nothing happens. While that is unknown, frames are drawn at a slow rate. */
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
      let reported = -1;
      return setInterval(() => {
        if (reported === this.#frames || this.#stopped) return;
        reported = this.#frames;
        callback();
      }, wait);
    }) as typeof realm.setInterval;
    for (const event of ["pointermove", "pointerdown", "pointerup", "wheel", "keydown", "touchmove", "resize"]) {
      realm.addEventListener(event, this.wake, { capture: true, passive: true });
    }
  }

  /** Whether the view may be visible. */
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

  /** Something has changed that is all here: draw it in this task, or soon. After a rest the browser may take 50 ms and more to ask for a frame. */
  drawSoon(): void {
    this.wake();
    const wait = FRAME * 2 ** this.#unasked - (performance.now() - this.#lastFrame);
    if (wait <= 0) this.#drawUnasked();
    else this.#soon ??= setTimeout(() => this.#drawUnasked(), wait);
  }

  /** Draws a frame at once, whether or not anybody sees it. */
  drawNow(): void {
    this.#run(performance.now());
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#soon);
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
    else if (quiet < LAST_BEAT || !this.atRest())
      this.#timer = setTimeout(() => this.#draw(), Math.max(0, BEAT - (now - this.#lastFrame)));
  }

  #draw(): void {
    this.#timer = undefined;
    this.#pending = true;
    this.#native((time) => {
      this.#pending = false;
      this.#unasked = 0;
      if (!this.#seen || this.#stopped) return; // held until the view is visible
      this.#run(time);
      this.#schedule();
    });
  }

  #drawUnasked(): void {
    this.#soon = undefined;
    if (!this.#seen || this.#stopped) return;
    this.#unasked += 1;
    this.drawNow();
  }

  #run(time: number): void {
    if (this.#drawing) return; // requested by the frame that has just been drawn
    this.#drawing = true;
    clearTimeout(this.#soon);
    this.#soon = undefined;
    this.#lastFrame = performance.now();
    this.#frames += 1;
    const callbacks = [...this.#held.values()];
    this.#held.clear();
    try {
      for (const callback of callbacks) callback(time);
      this.afterFrame();
    } finally {
      this.#drawing = false;
    }
  }
}
