/**
 * Decides whether the wheel zooms the sky or scrolls the page. A preview is as wide as its cell: it zooms only while it is in use,
 * that is after a click in it, with the focus in it or in full screen, and whenever Ctrl is held.
 */

import type { App, Part } from "./part.ts";

const HINT = "Click the sky or hold Ctrl to zoom";
const HINT_SHOWN = 1500; // ms

export class WheelGuard implements Part {
  #element: HTMLElement;
  #hint = document.createElement("div");
  #inUse = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #listening = new AbortController();

  constructor(element: HTMLElement, stage: HTMLElement) {
    this.#element = element;
    this.#hint.className = "cxw-preview-hint";
    this.#hint.ariaHidden = "true"; // a wheel is of no use to those who can't see it
    this.#hint.textContent = HINT;
    this.#hint.hidden = true;
    stage.append(this.#hint);
    const follow = (event: Event) => {
      this.#inUse = event.composedPath().includes(element);
    };
    const options = { capture: true, signal: this.#listening.signal };
    document.addEventListener("pointerdown", follow, options);
    document.addEventListener("focusin", follow, options);
  }

  appReady({ frame }: App): void {
    const realm = frame.realm!;
    // The engine cancels the events that it gets. Others scroll the page, as the frame itself can't be scrolled.
    const guard = (event: WheelEvent) => {
      if (!this.allows(event)) event.stopImmediatePropagation();
    };
    realm.addEventListener("wheel", guard, { capture: true, passive: true });
    const use = () => {
      this.#inUse = true;
    };
    // Events in the frame do not reach the document around it.
    realm.addEventListener("focus", use);
    realm.addEventListener("blur", () => {
      this.#inUse = false;
    });
    realm.addEventListener(
      "pointerdown",
      () => {
        realm.focus();
        use();
      },
      { capture: true },
    );
  }

  /** Whether this wheel event zooms the sky; a hint shows how if it does not. */
  allows(event: Pick<WheelEvent, "ctrlKey" | "metaKey">): boolean {
    const allowed = this.#inUse || event.ctrlKey || event.metaKey || this.#element.matches(":fullscreen");
    this.#hint.hidden = allowed;
    clearTimeout(this.#timer);
    if (!allowed) {
      this.#timer = setTimeout(() => {
        this.#hint.hidden = true;
      }, HINT_SHOWN);
    }
    return allowed;
  }

  remove(): void {
    this.#listening.abort();
    clearTimeout(this.#timer);
  }
}
