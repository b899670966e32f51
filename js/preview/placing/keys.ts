/** The image placed by keys. Presses of one kind that come quickly after each other are one gesture, and one step for undo. */

import type { Place } from "../../geometry/tangent.ts";
import { pixelToSky, skyToPixel, type View } from "../engine/projection.ts";
import type { Change } from "./sky.ts";

export interface Placer {
  /** Begins a gesture; false if there is nothing to move. */
  begin(): boolean;
  end(): void;
  /** The image's middle where the gesture began. */
  middle(): Place | null;
  view(): View | null;
  change(change: Change): void;
  undo(): void;
  redo(): void;
  mirror(): void;
}

const PAUSE = 1000; // ms after which the next press is a gesture of its own
const ARROWS: Record<string, readonly [x: number, y: number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};
const TURNS: Record<string, number> = { l: 0.1, r: -0.1 }; // degrees
const SCALES: Record<string, number> = { "+": 1.001, "=": 1.001, "-": 1 / 1.001, PageUp: 1.01, PageDown: 1 / 1.01 };

export const KEYS =
  "Drag the image to move it, a corner to scale it, the round handle to rotate it; drag beside the image to pan, scroll to zoom. " +
  "Keys: arrows move it by one screen pixel, L and R rotate it by 0.1°, + and − scale it by 0.1 %, M mirrors it; " +
  "Shift makes moves and rotations ten times as large, Alt all ten times as small, Page Up and Page Down scale by 1 %. " +
  "Ctrl+Z undoes, Esc exits.";

export class PlacingKeys {
  #placer: Placer;
  #kind: Change["op"] | null = null;
  /** What the presses of this gesture make together: pixels of the screen, degrees, a factor. */
  #sum: [x: number, y: number] = [0, 0];
  #by = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(placer: Placer) {
    this.#placer = placer;
  }

  /** Takes the keys that it knows, and leaves all others to the page. */
  down(event: KeyboardEvent): void {
    const { key, shiftKey, altKey } = event;
    // With Alt some systems make other letters; the key itself is the same.
    const letter = (altKey && /^Key[A-Z]$/.test(event.code) ? event.code.slice(3) : key).toLowerCase();
    const command = event.ctrlKey || event.metaKey;
    const size = (shiftKey ? 10 : 1) * (altKey ? 0.1 : 1);
    if (command) {
      if (altKey || !["z", "y"].includes(letter)) return;
      this.finish();
      if (letter === "y" || shiftKey) this.#placer.redo();
      else this.#placer.undo();
    } else if (ARROWS[key]) this.#move(ARROWS[key], size);
    else if (TURNS[letter]) this.#turn(TURNS[letter] * size);
    else if (SCALES[key]) this.#scale(SCALES[key] ** (altKey ? 0.1 : 1));
    else if (letter === "m") {
      if (event.repeat) return;
      this.finish();
      this.#placer.mirror();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** The next press begins another gesture. */
  finish(): void {
    clearTimeout(this.#timer);
    if (this.#kind) this.#placer.end();
    this.#kind = null;
  }

  #move([x, y]: readonly [number, number], size: number): void {
    if (!this.#goOn("move", 0)) return;
    const [view, start] = [this.#placer.view(), this.#placer.middle()];
    const at = view && start && skyToPixel(view, ...start);
    if (!at) return;
    this.#sum = [this.#sum[0] + x * size, this.#sum[1] + y * size];
    this.#placer.change({ op: "move", start, end: pixelToSky(view, at[0] + this.#sum[0], at[1] + this.#sum[1]) });
  }

  #turn(angle: number): void {
    if (!this.#goOn("turn", 0)) return;
    this.#by += angle;
    this.#placer.change({ op: "turn", about: this.#placer.middle()!, by: this.#by });
  }

  #scale(factor: number): void {
    if (!this.#goOn("scale", 1)) return;
    this.#by *= factor;
    this.#placer.change({ op: "scale", about: this.#placer.middle()!, by: this.#by });
  }

  #goOn(kind: Change["op"], none: number): boolean {
    if (this.#kind !== kind) {
      this.finish();
      if (!this.#placer.begin()) return false;
      [this.#kind, this.#sum, this.#by] = [kind, [0, 0], none];
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.finish(), PAUSE);
    return true;
  }
}
