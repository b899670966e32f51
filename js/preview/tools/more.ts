/** One row of tools over a narrow sky: those that are used once in a while are behind ⋯. */

import { button } from "./toolbar.ts";

/** Pixels below which a preview has no room for all its tools, and labels are shortened. */
const NARROW = 480;

/** What there is room for: all tools; one row of them; one row with short labels. */
export type Room = "all" | "row" | "short";

export class More {
  /** ⋯, and after it what it opens. */
  readonly controls: readonly HTMLElement[];
  #button = button("⋯", () => this.#open(this.#menu.hidden !== false));
  #menu = document.createElement("div");
  #room: Room = "all";

  constructor(tools: readonly HTMLElement[]) {
    this.#menu.id = `cxw-more-${Math.random().toString(36).slice(2)}`;
    this.#menu.className = "cxw-preview-more";
    this.#menu.setAttribute("role", "group");
    this.#menu.setAttribute("aria-label", "More tools");
    this.#menu.tabIndex = -1; // a click between its tools leaves the focus in it
    this.#menu.append(...tools);
    this.#menu.addEventListener("focusout", this.#left);
    this.#button.addEventListener("focusout", this.#left);
    this.#button.title = "More tools";
    this.#button.setAttribute("aria-label", "More tools");
    this.#button.setAttribute("aria-controls", this.#menu.id);
    this.controls = [this.#button, this.#menu];
    this.room = "all";
  }

  get room(): Room {
    return this.#room;
  }

  set room(room: Room) {
    this.#room = room;
    this.#button.hidden = room === "all";
    this.#menu.classList.toggle("cxw-preview-menu", room !== "all");
    this.#open(room === "all");
  }

  /** Escape closes what ⋯ has opened. */
  escape = (event: KeyboardEvent): void => {
    if (event.key !== "Escape" || event.defaultPrevented || this.#room === "all" || this.#menu.hidden) return;
    event.preventDefault();
    event.stopPropagation();
    if (this.#menu.contains(document.activeElement)) this.#button.focus();
    this.#open(false);
  };

  /** The focus went elsewhere in the page, not to another window. */
  #left = ({ relatedTarget }: FocusEvent): void => {
    const inside = [this.#button, this.#menu].some((part) => part.contains(relatedTarget as Node | null));
    if (!inside && this.#room !== "all" && document.hasFocus()) this.#open(false);
  };

  #open(open: boolean): void {
    this.#menu.hidden = !open;
    this.#button.ariaExpanded = String(open);
  }
}

/** The room that a preview has; in the panel the sky comes first. */
export function roomOf(element: HTMLElement): Room {
  if (element.clientWidth < NARROW) return "short";
  return element.closest(".cxw-panel-sky") && !element.matches(":fullscreen") ? "row" : "all";
}
