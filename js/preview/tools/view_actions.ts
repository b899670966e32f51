/** Actions on the whole view: save it as a picture or a page, show it in full screen. */

import type { SavedPage } from "../../protocol.ts";
import { type KernelLink, messageOf } from "../../shared/kernel_link.ts";
import type { App, Part } from "../part.ts";
import type { Notes } from "./notes.ts";
import type { Overlay } from "./overlay.ts";
import { copySky, pngOf } from "./snapshot.ts";
import { group, iconButton } from "./toolbar.ts";

const SAVE = "M8 2v8M4.5 7 8 10.5 11.5 7M3 13.5h10";
const PAGE = "M5.5 4.5 2 8l3.5 3.5M10.5 4.5 14 8l-3.5 3.5M9 3.5l-2 9";
const FULL = "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10";

export class ViewActions implements Part {
  #element: HTMLElement;
  #notes: Notes;
  #overlay: Overlay;
  #app: App | null = null;
  #kernel: Pick<KernelLink, "request"> | null;
  #page = iconButton("Save as HTML", PAGE, () => void this.#savePage());
  #full = iconButton("Full screen", FULL, () => void this.#fullScreen());
  readonly more = [
    group(
      "View",
      iconButton("Save picture", SAVE, () => void this.#save()),
      this.#page,
      this.#full,
    ),
  ];

  /** `element` is what fills the screen; without a `kernel`, nothing can save a page. */
  constructor(element: HTMLElement, notes: Notes, overlay: Overlay, kernel: Pick<KernelLink, "request"> | null) {
    this.#element = element;
    this.#kernel = kernel;
    this.#page.hidden = !kernel;
    this.#notes = notes;
    this.#overlay = overlay;
    element.addEventListener("fullscreenchange", () => (this.#full.ariaPressed = String(this.#isFull)));
    this.#full.ariaPressed = "false";
  }

  appReady(app: App): void {
    this.#app = app;
  }

  appGone(): void {
    this.#app = null;
  }

  get #isFull(): boolean {
    return this.#element.matches(":fullscreen"); // also where a host has put the cell into a shadow tree
  }

  async #save(): Promise<void> {
    this.#notes.show("");
    try {
      if (!this.#app) throw new Error("The sky is not running yet.");
      const picture = copySky(this.#app);
      this.#overlay.drawOn(picture);
      download(await pngOf(picture), "sky.png");
    } catch (error) {
      this.#notes.show(`The picture can't be saved: ${messageOf(error)}`);
    }
  }

  /** The kernel writes the page to its disk, where the notebook is. */
  async #savePage(): Promise<void> {
    this.#notes.show("Saving …");
    this.#page.disabled = true;
    try {
      const { content } = await this.#kernel!.request<SavedPage>("save_html");
      this.#notes.show(`Saved as ${content.path}. Any browser opens it, offline and without a kernel.`);
    } catch (error) {
      this.#notes.show(`The page can't be saved: ${messageOf(error)}`);
    } finally {
      this.#page.disabled = false;
    }
  }

  async #fullScreen(): Promise<void> {
    this.#notes.show("");
    try {
      if (this.#isFull) await document.exitFullscreen();
      else await this.#element.requestFullscreen();
    } catch {
      this.#notes.show("This page or browser does not allow full screen.");
    }
  }
}

function download(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
