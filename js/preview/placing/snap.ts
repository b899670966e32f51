/** "Snap to sky": the kernel compares the image with the sky behind it, and what it finds is taken only by a click. */

import type { SnapState } from "../../protocol.ts";
import { button } from "../tools/toolbar.ts";

const FOUND =
  "Match found: the image is shown there. Crosses are its parts, rings their places in the sky, and lines the residuals, enlarged.";

export interface SnapActions {
  /** Tell the kernel: snap, snap_cancel, snap_accept or snap_discard. */
  send(kind: string): void;
  /** The part that had the focus is gone. */
  focus(): void;
}

export class PlacingSnap {
  /** Below the toolbar: progress, result or reason. */
  readonly element = document.createElement("div");
  readonly start: HTMLButtonElement;
  #actions: SnapActions;
  #message = document.createElement("span");
  #progress = document.createElement("progress");
  #facts = document.createElement("dl");
  #doubt = document.createElement("p");
  #cancel: HTMLButtonElement;
  #decision = document.createElement("div");
  #phase: SnapState["phase"] = "idle";

  constructor(actions: SnapActions) {
    this.#actions = actions;
    this.start = button("Snap to sky", () => {
      if (this.start.ariaDisabled !== "true") actions.send("snap");
    });
    this.start.title = "Refine the placement by the sky behind the image; nothing is changed before you accept it";
    this.#cancel = button("Cancel", () => actions.send("snap_cancel"));
    this.#progress.max = 1;
    this.#progress.setAttribute("aria-label", "Progress of the comparison");
    this.#facts.className = "cxw-placing-facts";
    this.#doubt.className = "cxw-placing-doubt";
    this.#decision.append(
      button("Accept", () => actions.send("snap_accept")),
      button("Discard", () => actions.send("snap_discard")),
    );
    this.element.className = "cxw-placing-snap";
    this.element.setAttribute("role", "group");
    this.element.setAttribute("aria-label", "Snap to sky");
    this.#message.setAttribute("role", "status");
    this.element.append(this.#progress, this.#message, this.#cancel, this.#facts, this.#doubt, this.#decision);
    this.show({ phase: "idle", progress: 0, message: "", facts: [], doubt: "" });
  }

  /** Whether a placement that was found waits for a decision. */
  get waits(): boolean {
    return this.#phase === "found";
  }

  show({ phase, progress, message, facts, doubt }: SnapState): void {
    const focused = this.element.contains(document.activeElement);
    const running = phase === "running";
    this.#phase = phase;
    this.start.ariaDisabled = String(running);
    this.#progress.hidden = this.#cancel.hidden = !running;
    this.#progress.value = progress;
    const text = phase === "found" ? FOUND : message;
    if (this.#message.textContent !== text) this.#message.textContent = text;
    this.#message.className = phase === "failed" ? "cxw-placing-failed" : "";
    this.#facts.hidden = this.#decision.hidden = phase !== "found";
    this.#facts.replaceChildren(...facts.map(([name, value]) => fact(name, value)));
    this.#doubt.hidden = doubt === "";
    this.#doubt.textContent = doubt;
    this.element.hidden = phase === "idle" && message === "";
    if (focused && !this.element.contains(visible(document.activeElement))) this.#refocus();
  }

  /** The focus moves on with the state: from Cancel to Accept, and from there to where it began. */
  #refocus(): void {
    const next = this.#phase === "found" ? this.#decision.querySelector("button") : null;
    if (next) next.focus();
    else this.#actions.focus();
  }
}

function visible(element: Element | null): Element | null {
  return element?.closest("[hidden]") ? null : element;
}

function fact(name: string, value: string): HTMLElement {
  const element = document.createElement("div");
  const [term, text] = [document.createElement("dt"), document.createElement("dd")];
  [term.textContent, text.textContent] = [name, value];
  element.append(term, text);
  return element;
}
