/** What a preview shows while its app is not running: a snapshot of the sky with a message, and as a whole a button that resumes it. */

import "./paused_view.css";

const SNAPSHOT = "Snapshot of the sky.";

export class PausedView {
  readonly element = document.createElement("button");
  #picture = document.createElement("img");
  #line = document.createElement("span");
  #words = "";
  #doubt = "";
  /** The revision of the image that the picture shows. */
  revision: number | null = null;

  constructor(stage: HTMLElement, wake: () => void) {
    this.element.type = "button";
    this.element.className = "cxw-preview-paused";
    this.element.hidden = true;
    this.element.addEventListener("click", wake);
    this.element.addEventListener("focus", wake);
    this.element.append(this.#picture, this.#line);
    stage.append(this.element);
  }

  /** The picture's address, "" if there is none. */
  get picture(): string {
    return this.#picture.getAttribute("src") ?? "";
  }

  set picture(address: string) {
    this.#picture.src = address;
  }

  /** Why the picture may not be what the image is now, "" if it is: it is darkened, and the reason stands on it. */
  set doubt(doubt: string) {
    this.#doubt = doubt;
    this.#update();
  }

  show(words: string): void {
    this.#picture.alt = this.picture && SNAPSHOT;
    this.#picture.hidden = !this.picture;
    this.#words = words;
    this.#update();
    this.element.inert = false;
    this.element.hidden = false;
  }

  /** The app is being started behind it: the picture stays until there is another. */
  wake(): void {
    this.#words = "";
    this.#update();
    this.element.inert = true;
  }

  hide(): void {
    this.element.hidden = true;
  }

  #update(): void {
    const doubt = this.picture && this.#doubt;
    const about = doubt || (this.picture && this.#words && SNAPSHOT);
    this.#line.textContent = [about, this.#words].filter(Boolean).join(" ");
    this.element.classList.toggle("cxw-preview-outdated", doubt !== "");
  }
}
