/** Reports the view to the kernel: some time after it has moved, not at every frame. */

import type { KernelLink } from "../shared/kernel_link.ts";
import type { App, Part } from "./part.ts";
import type { ViewState } from "./view_state.ts";

const AFTER = 200; // ms

export class ViewReporter implements Part {
  #kernel: Pick<KernelLink, "report">;
  #viewState: Pick<ViewState, "view">;
  #reported = "";
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(kernel: Pick<KernelLink, "report">, viewState: Pick<ViewState, "view">) {
    this.#kernel = kernel;
    this.#viewState = viewState;
  }

  drawn(app: App): void {
    this.#timer ??= setTimeout(() => this.#report(app), AFTER);
  }

  appGone(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

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
