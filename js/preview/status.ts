/** The progress of the preview: two lines of text for users, data attributes of the element for tests. */

import { div } from "./tools/toolbar.ts";

/** `loading` until the app runs, `ready` until the image is drawn, `shown`, `waiting` for the kernel or for values, `paused`, `failed`. */
export type Progress = "loading" | "ready" | "shown" | "waiting" | "paused" | "failed";

const SILENT =
  "The kernel is not responding. If it is running another cell, the preview continues afterwards; if it was restarted, run the cell again.";

const GONE = "The kernel was restarted or shut down. Run the cell again for a live preview.";

export class Status {
  #element: HTMLElement;
  /** In the middle, over a darkened sky: nothing is shown yet, or it failed. */
  #cover = line("cxw-preview-cover");
  /** At the foot of the sky: what the preview waits for. */
  #message = line("cxw-preview-message");
  #progress: Progress = "loading";
  #waiting = "";
  #silent = false;
  #gone = false;
  /** Called when the progress changes. */
  onProgress: (progress: Progress) => void = () => {};

  constructor(element: HTMLElement, stage: HTMLElement) {
    this.#element = element;
    stage.append(this.#cover, this.#message);
  }

  get progress(): Progress {
    return this.#progress;
  }

  set(progress: Progress, text = ""): void {
    this.#progress = progress;
    this.#cover.textContent = text;
    this.#update();
    this.onProgress(progress);
  }

  /** The sky is up to date with this revision of the draft. */
  shown(revision: number): void {
    this.#element.dataset.cxwRevision = String(revision);
    this.set("shown");
  }

  /** Show why the sky is not up to date, "" if it is. */
  wait(text: string): void {
    this.#waiting = text;
    this.#update();
  }

  silent(silent: boolean): void {
    this.#silent = silent;
    this.#update();
  }

  /** The kernel's half is gone, which explains its silence. */
  gone(gone: boolean): void {
    this.#gone = gone;
    this.#update();
  }

  #update(): void {
    this.#message.textContent = this.#gone ? GONE : this.#silent ? SILENT : this.#waiting;
    this.#element.dataset.cxwPreviewState = this.#silent ? "waiting" : this.#progress;
  }
}

function line(className: string): HTMLElement {
  const element = div(className);
  element.setAttribute("role", "status");
  return element;
}
