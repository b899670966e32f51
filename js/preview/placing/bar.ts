/** The row of controls below the toolbar while the image is being placed, and a text description of the placement. */

import type { PlacingStatus } from "../../protocol.ts";
import { button, div, group, iconButton, toggle, toolbar } from "../tools/toolbar.ts";
import { KEYS } from "./keys.ts";
import { PlacingSnap } from "./snap.ts";
import type { PlacingStars } from "./stars.ts";

const UNDO = "M5.5 3 2.5 6l3 3M3 6h6.5a3.5 3.5 0 0 1 0 7H6";
const REDO = "M10.5 3l3 3-3 3M13 6H6.5a3.5 3.5 0 0 0 0 7H10";

export interface BarActions {
  undo(): void;
  redo(): void;
  mirror(): void;
  /** Tell the kernel what to do about "Snap to sky". */
  snap(kind: string): void;
  /** Something that is drawn over the sky has changed. */
  changed(): void;
}

export class PlacingBar {
  readonly element = document.createElement("div");
  /** Id of the help text. */
  readonly helpId = `cxw-placing-help-${Math.random().toString(36).slice(2)}`;
  #snap: PlacingSnap;
  #undo: HTMLButtonElement;
  #redo: HTMLButtonElement;
  #where = div("cxw-placing-where");
  #corners = div("cxw-placing-corners");
  #message = "";
  #place = "";
  #inSight = true;

  constructor(stars: PlacingStars, actions: BarActions) {
    this.#undo = iconButton("Undo", UNDO, () => this.#undo.ariaDisabled !== "true" && actions.undo());
    this.#redo = iconButton("Redo", REDO, () => this.#redo.ariaDisabled !== "true" && actions.redo());
    const mirror = button("Mirror", actions.mirror);
    mirror.title = "Swap left and right of the image";
    const corners = toggle(
      "Corners",
      "Show the positions of the image's corners",
      () => (this.#corners.hidden = !corners.on),
    );
    const align = toggle("Align stars", "Fit the image to stars with known positions", () => {
      if (align.on) stars.show();
      else stars.close();
      actions.changed();
    });
    this.#snap = new PlacingSnap({ send: actions.snap, focus: () => this.#snap.start.focus() });
    stars.onClose = () => (align.on = false);
    const help = div("cxw-placing-help");
    help.id = this.helpId;
    help.textContent = KEYS;
    const how = toggle("Help", "How to place the image by pointer and keys", () => (help.hidden = !how.on));
    this.#corners.hidden = help.hidden = true;
    this.#where.setAttribute("role", "status");
    this.element.className = "cxw-placing-bar";
    this.element.hidden = true;
    const tools = toolbar(
      [group("Steps", this.#undo, this.#redo), mirror, align.element, this.#snap.start, corners.element, how.element],
      "Placement",
    );
    this.element.append(tools, stars.element, this.#snap.element, this.#where, this.#corners, help);
  }

  /** Whether a placement that was found waits for a decision. */
  get waits(): boolean {
    return this.#snap.waits;
  }

  show({ undo, redo, snap }: PlacingStatus): void {
    this.#snap.show(snap);
    name(this.#undo, "Undo", undo);
    name(this.#redo, "Redo", redo);
  }

  /** Show `message` before the next description. */
  announce(message: string): void {
    this.#message = message;
  }

  describe(where: string, corners: string): void {
    this.#place = [this.#message, where].filter(Boolean).join(" ");
    this.#message = "";
    this.#corners.textContent = corners;
    this.#update();
  }

  /** Whether the view shows some of the image. */
  set inSight(seen: boolean) {
    this.#inSight = seen;
    this.#update();
  }

  #update(): void {
    const text = this.#inSight ? this.#place : "The image is out of view. “Fit to image” shows it.";
    if (this.#where.textContent !== text) this.#where.textContent = text;
  }
}

function name(element: HTMLButtonElement, action: string, step: string): void {
  element.ariaDisabled = String(step === "");
  element.title = step ? `${action}: ${step}` : `Nothing to ${action.toLowerCase()}`;
  element.ariaLabel = element.title;
}
