/** What people and tests see of how far the preview is: two lines of words, and the element's data attributes. */

/** `loading` until the app runs, `ready` until the image is drawn, `shown`, `waiting` for the kernel or for values, `parked`, `failed`. */
export type Progress = "loading" | "ready" | "shown" | "waiting" | "parked" | "failed";

const SILENT =
  "The kernel does not answer. If it is running another cell, the preview goes on when that is done; if it was restarted, run the cell again.";

export class Status {
  #element: HTMLElement;
  /** In the middle, over a darkened sky: nothing is to be seen yet, or ever. */
  #cover = line("cxw-preview-cover");
  /** At the foot of the sky: what the preview waits for. */
  #message = line("cxw-preview-message");
  #progress: Progress = "loading";
  #waiting = "";
  #silent = false;
  /** Called when the preview has come further, or fallen back. */
  onProgress: (progress: Progress) => void = () => {};

  constructor(element: HTMLElement, stage: HTMLElement) {
    this.#element = element;
    stage.append(this.#cover, this.#message);
  }

  get progress(): Progress {
    return this.#progress;
  }

  set(progress: Progress, words = ""): void {
    this.#progress = progress;
    this.#cover.textContent = words;
    this.#say();
    this.onProgress(progress);
  }

  /** The sky is up to date with this revision of the draft. */
  shown(revision: number): void {
    this.#element.dataset.cxwRevision = String(revision);
    this.set("shown");
  }

  /** Words on what is not on the sky, "" if all is. */
  wait(words: string): void {
    this.#waiting = words;
    this.#say();
  }

  silent(silent: boolean): void {
    this.#silent = silent;
    this.#say();
  }

  #say(): void {
    this.#message.textContent = this.#silent ? SILENT : this.#waiting;
    this.#element.dataset.cxwPreviewState = this.#silent ? "waiting" : this.#progress;
  }
}

function line(className: string): HTMLElement {
  const element = document.createElement("div");
  element.className = className;
  element.setAttribute("role", "status");
  return element;
}
