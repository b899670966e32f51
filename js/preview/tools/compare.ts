/** The opacity of the image, and the flicker comparison with the sky behind it. */

import type { App, Part } from "../part.ts";
import { slider, toggle } from "./toolbar.ts";

const HALF_PERIOD = 600; // ms that the image is seen, and then the sky; well below three changes a second

export class Compare implements Part {
  #app: App | null = null;
  #hidden = false;
  /** A frame was drawn since the last change, so it was visible. */
  #seen = false;
  #timer: ReturnType<typeof setInterval> | undefined;
  #opacity = slider("Opacity", 0, 100, 100, () => this.#apply());
  #blink = toggle("Flicker compare", "Alternate between the image and the sky behind it", () => this.#pressed());
  readonly controls = [this.#opacity.element];
  readonly more = [this.#blink.element];

  appReady(app: App): void {
    this.#app = app;
    this.#apply();
    if (this.#blink.on) this.#start();
  }

  onMessage(message: Record<string, unknown>): void {
    // A new image comes in full.
    if (message.event === "load_image_collection_completed") this.#apply();
  }

  drawn(): void {
    this.#seen = true;
  }

  appGone(): void {
    this.#stop();
    this.#app = null;
  }

  #pressed(): void {
    this.#stop();
    if (this.#blink.on) this.#start();
    this.#apply();
  }

  #start(): void {
    this.#hidden = true;
    this.#seen = true;
    // With reduced motion, one press shows the sky and the next one the image.
    if (!matchMedia("(prefers-reduced-motion: reduce)").matches)
      this.#timer = setInterval(() => this.#tick(), HALF_PERIOD);
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#hidden = false;
  }

  #tick(): void {
    if (!this.#seen || document.hidden) return;
    this.#hidden = !this.#hidden;
    this.#seen = false;
    this.#apply();
  }

  #apply(): void {
    this.#app?.post({ event: "set_foreground_opacity", value: this.#hidden ? 0 : this.#opacity.value });
  }
}
