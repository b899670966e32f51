/**
 * Reports the view to the kernel: some time after it has moved, not at every frame; but before the user's next act, which may be
 * “Use the current view”.
 */

import type { KernelLink } from "../shared/kernel_link.ts";
import type { App, Part } from "./part.ts";
import type { ViewState } from "./view_state.ts";

const AFTER = 200; // ms
const ACTS = ["pointerdown", "keydown"];

export class ViewReporter implements Part {
  #kernel: Pick<KernelLink, "report">;
  #viewState: Pick<ViewState, "view">;
  #reported = "";
  #app: App | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(kernel: Pick<KernelLink, "report">, viewState: Pick<ViewState, "view">) {
    this.#kernel = kernel;
    this.#viewState = viewState;
  }

  appReady(app: App): void {
    this.#app = app;
    for (const act of ACTS) document.addEventListener(act, this.#acted, { capture: true });
  }

  drawn(app: App): void {
    this.#timer ??= setTimeout(() => this.#report(app), AFTER);
  }

  appGone(): void {
    this.#app = null;
    for (const act of ACTS) document.removeEventListener(act, this.#acted, { capture: true });
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #acted = (): void => {
    if (this.#timer === undefined || !this.#app) return;
    clearTimeout(this.#timer);
    this.#report(this.#app);
  };

  #report(app: App): void {
    this.#timer = undefined;
    const view = this.#viewState.view(app);
    if (view ? !(view.width > 0 && view.height > 0) : !this.#reported) return;
    // A planet or the Solar System instead of the sky: the last report is no longer valid.
    const state = view
      ? { ra: view.ra, dec: view.dec, height: view.fov, aspect: view.width / view.height, roll: view.roll }
      : { sky: false };
    const text = JSON.stringify(state);
    if (text === this.#reported) return;
    this.#reported = text;
    this.#kernel.report({ kind: "view_state", ...state });
  }
}
