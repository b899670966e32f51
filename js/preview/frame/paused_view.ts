/** What a preview shows while its app is not running: a snapshot of the sky with a message, and as a whole a button that resumes it. */

import "./paused_view.css";

export class PausedView {
  readonly element = document.createElement("button");
  #picture = document.createElement("img");
  #words = document.createElement("span");

  constructor(stage: HTMLElement, wake: () => void) {
    this.element.type = "button";
    this.element.className = "cxw-preview-paused";
    this.element.hidden = true;
    this.element.addEventListener("click", wake);
    this.element.addEventListener("focus", wake);
    this.element.append(this.#picture, this.#words);
    stage.append(this.element);
  }

  /** The picture's address, "" if there is none. */
  get picture(): string {
    return this.#picture.getAttribute("src") ?? "";
  }

  set picture(address: string) {
    this.#picture.src = address;
  }

  show(words: string): void {
    this.#picture.alt = this.picture && "Snapshot of the sky.";
    this.#picture.hidden = !this.picture;
    this.#words.textContent = words;
    this.element.inert = false;
    this.element.hidden = false;
  }

  /** The app is being started behind it: the picture stays until there is another. */
  wake(): void {
    this.#words.textContent = "";
    this.element.inert = true;
  }

  hide(): void {
    this.element.hidden = true;
  }
}
