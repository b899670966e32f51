/** Words over the upper edge of the sky: what did not work, and to whom the sky in view is owed. */

export class Notes {
  #note = document.createElement("div");
  #credit = document.createElement("div");

  constructor(overlay: HTMLElement) {
    this.#note.className = "cxw-preview-note";
    this.#note.setAttribute("role", "status");
    this.#credit.className = "cxw-preview-credit";
    overlay.append(this.#note, this.#credit);
  }

  /** Stays until something else is said; "" takes it away. */
  say(words: string): void {
    this.#note.textContent = words;
  }

  credit(words: string): void {
    this.#credit.textContent = words;
  }
}
