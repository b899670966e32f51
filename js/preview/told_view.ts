/** Tells the kernel where the view looks: some time after it has moved, not at every frame. */

import type { Comm } from "../shared/comm";
import type { Gaze } from "./gaze";
import type { App, Part } from "./part";

const AFTER = 200; // ms

export class ToldView implements Part {
  #comm: Pick<Comm, "tell">;
  #gaze: Pick<Gaze, "view">;
  #told = "";
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(comm: Pick<Comm, "tell">, gaze: Pick<Gaze, "view">) {
    this.#comm = comm;
    this.#gaze = gaze;
  }

  drawn(app: App): void {
    this.#timer ??= setTimeout(() => this.#tell(app), AFTER);
  }

  appGone(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #tell(app: App): void {
    this.#timer = undefined;
    const view = this.#gaze.view(app);
    if (!view || !(view.width > 0 && view.height > 0)) return;
    const [ra, dec, height, roll] = [view.ra, view.dec, view.fov, view.roll];
    const looks = { ra, dec, height, aspect: view.width / view.height, roll };
    const text = JSON.stringify(looks);
    if (text === this.#told) return;
    this.#told = text;
    this.#comm.tell("looks", looks);
  }
}
