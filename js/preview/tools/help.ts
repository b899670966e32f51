/** How the sky is moved by pointer and keys, in a popover over it. */

import type { Part } from "../part.ts";
import { button, CROSS, iconButton } from "./toolbar.ts";

// The keys are those of WWT's app, and + and − of zoom.ts.
const ACTIONS: readonly [keys: string, action: string][] = [
  ["Drag", "Pan"],
  ["Wheel", "Zoom, after a click on the sky or with Ctrl"],
  ["+ −, Z X, Page Up Page Down", "Zoom in and out"],
  ["Arrow keys, I J K L", "Pan; with Shift in larger steps"],
  ["Alt + arrow keys", "Rotate and tilt"],
  ["Tab, then ← →", "Move along the toolbar"],
];

export class Help implements Part {
  readonly element = document.createElement("div");
  #button = button("?", () => this.#show(this.element.hidden !== false));
  readonly controls = [this.#button];

  constructor() {
    const id = `cxw-help-${Math.random().toString(36).slice(2)}`;
    this.element.id = id;
    this.element.className = "cxw-preview-help";
    this.element.setAttribute("role", "note");
    this.element.setAttribute("aria-label", "Pointer and keys");
    const list = document.createElement("dl");
    for (const [keys, action] of ACTIONS) list.append(line("dt", keys), line("dd", action));
    const close = iconButton("Close", CROSS, () => {
      this.#show(false);
      this.#button.focus();
    });
    this.element.append(list, close);
    this.#button.title = "Help: pointer and keys";
    this.#button.setAttribute("aria-label", this.#button.title);
    this.#button.setAttribute("aria-controls", id);
    this.#show(false);
  }

  /** Escape anywhere in the preview closes it. */
  escape = (event: KeyboardEvent): void => {
    if (event.key !== "Escape" || this.element.hidden) return;
    event.preventDefault();
    event.stopPropagation();
    this.#show(false);
  };

  #show(shown: boolean): void {
    this.#button.ariaExpanded = String(shown);
    this.element.hidden = !shown;
  }
}

function line(tag: string, text: string): HTMLElement {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}
