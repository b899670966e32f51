/** Text over the edges of the sky: what did not work, and the credit of the sky survey. */

import { CROSS, iconButton } from "./toolbar.ts";

export class Notes {
  #note = document.createElement("div");
  #text = document.createElement("span");
  #dismiss = iconButton("Dismiss", CROSS, () => this.show(""));
  #credit = document.createElement("a");

  constructor(stage: HTMLElement) {
    this.#note.className = "cxw-preview-note";
    this.#text.setAttribute("role", "status");
    this.#note.append(this.#text, this.#dismiss);
    this.show("");
    this.#credit.className = "cxw-preview-credit";
    Object.assign(this.#credit, { target: "_blank", rel: "noopener noreferrer" });
    stage.append(this.#credit, this.#note);
  }

  /** Show a note until the next one or until it is dismissed; "" removes it. */
  show(text: string): void {
    this.#dismiss.hidden = text === "";
    this.#text.textContent = text;
  }

  /** Show a credit that links to `address`; two empty strings remove it. */
  credit(text: string, address: string): void {
    this.#credit.textContent = text;
    if (address) this.#credit.href = address;
    else this.#credit.removeAttribute("href");
  }
}
