/** Words over the upper edge of the sky: what did not work, and to whom the sky in view is owed. */

import { iconButton } from "./toolbar";

const CROSS = "M4 4l8 8M12 4l-8 8";

export class Notes {
  #note = document.createElement("div");
  #words = document.createElement("span");
  #dismiss = iconButton("Dismiss", CROSS, () => this.say(""));
  #credit = document.createElement("a");

  constructor(stage: HTMLElement) {
    this.#note.className = "cxw-preview-note";
    this.#words.setAttribute("role", "status");
    this.#note.append(this.#words, this.#dismiss);
    this.say("");
    this.#credit.className = "cxw-preview-credit";
    Object.assign(this.#credit, { target: "_blank", rel: "noopener noreferrer" });
    stage.append(this.#credit, this.#note);
  }

  /** Stays until something else is said or somebody has read it; "" takes it away. */
  say(words: string): void {
    this.#dismiss.hidden = words === "";
    this.#words.textContent = words;
  }

  /** `address` tells more; "" and "" end it. */
  credit(words: string, address: string): void {
    this.#credit.textContent = words;
    if (address) this.#credit.href = address;
    else this.#credit.removeAttribute("href");
  }
}
