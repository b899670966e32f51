/** Zooming in and out by buttons and by the keys + and −. */

import type { App, Part } from "../part.ts";
import type { ViewState } from "../view_state.ts";
import { group, iconButton } from "./toolbar.ts";

const STEP = 1.5;
const IN = "M8 3v10M3 8h10";
const OUT = "M3 8h10";
const KEYS: Record<string, number> = { "+": 1 / STEP, "=": 1 / STEP, "-": STEP };

export class Zoom implements Part {
  readonly controls: readonly HTMLElement[];
  #viewState: Pick<ViewState, "zoom">;

  constructor(viewState: Pick<ViewState, "zoom">) {
    this.#viewState = viewState;
    this.controls = [
      group(
        "Zoom",
        iconButton("Zoom in", IN, () => viewState.zoom(1 / STEP)),
        iconButton("Zoom out", OUT, () => viewState.zoom(STEP)),
      ),
    ];
  }

  appReady({ frame }: App): void {
    frame.realm!.addEventListener("keydown", (event) => {
      const factor = KEYS[event.key];
      if (factor === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      this.#viewState.zoom(factor);
    });
  }
}
