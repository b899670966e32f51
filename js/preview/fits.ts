/** How the pixels of FITS files are looked at: stretch, colours, and the values that are drawn darkest and brightest. */

import { Closed, type Comm } from "../shared/comm";
import type { Colouring } from "./imagesets";
import { isFits, type State } from "./state";
import { group, select, type Choice } from "./toolbar";

/** What the kernel knows of the pixels: see `ImageFiles.look` in Python. */
interface Pixels {
  cuts: [low: number, high: number];
  /** Values below which equal parts of the pixels are, from none to all. */
  quantiles: number[];
  words: string;
}

const ONLY_A_LOOK = "A look, in this page only: Constellations keeps no stretch, no cuts and no colours.";

const PICTURE: Choice = ["picture", "The picture"];
const STRETCHES: Choice[] = [
  ["linear", "Linear"],
  ["log", "Logarithm"],
  ["power", "Power"],
  ["sqrt", "Square root"],
  ["equalised", "Histogram equalisation"],
];
const IN_SHADER: Record<string, Colouring["stretch"]> = { linear: 0, log: 1, power: 2, sqrt: 3, equalised: 0 };
// By the names that the engine knows, which are matplotlib's.
const COLOURS: Choice[] = [
  ..."Viridis Gray Greys Plasma Inferno Magma Cividis Purples Blues Greens Oranges Reds".split(" ").map((name): Choice => [name.toLowerCase(), name]),
  ["rdylbu", "Red, yellow, blue"],
];
const AS_WWT = "viridis";
const STEPS = 2048; // of a colour map of our own

export class FitsLook {
  #comm: Comm;
  #changed: () => void;
  #key: string | null = null;
  #pixels: Pixels | null = null;
  #failed = "";
  #stretch = select("Stretch", `How values become brightness. ${ONLY_A_LOOK}`, () => this.#choose());
  #colours = select("Colours", `Colour map. ${ONLY_A_LOOK}`, () => this.#changed());
  #low = cut("Darkest", () => this.#cut());
  #high = cut("Brightest", () => this.#cut());
  readonly element = group("Look of the FITS pixels", this.#stretch.element, this.#colours.element, this.#low.element, this.#high.element);

  /** `changed` is told when the image is to be drawn in another way. */
  constructor(comm: Comm, changed: () => void) {
    this.#comm = comm;
    this.#changed = changed;
    this.#colours.offer(COLOURS);
    this.element.hidden = true;
  }

  /** Whether somebody wants to see the pixels where there is a picture, too. */
  get wanted(): boolean {
    return this.#stretch.value !== PICTURE[0];
  }

  /** What is to be said of the pixels, "" if nothing is. */
  get words(): string {
    return this.#failed || (this.wanted && this.#pixels ? this.#pixels.words : "");
  }

  /** How the pixels are to be drawn; null as long as nobody knows which values they have. */
  get colouring(): Colouring | null {
    const pixels = this.#pixels;
    if (!pixels) return null;
    const [low, high] = [this.#low.value ?? pixels.cuts[0], this.#high.value ?? pixels.cuts[1]];
    const steps = this.#stretch.value === "equalised" ? equalised(pixels.quantiles, low, high) : null;
    return { low, high, stretch: IN_SHADER[this.#stretch.value] ?? 0, colours: this.#colours.value, steps };
  }

  /** What of FITS there is to look at now. */
  receive({ files, pixels, name, imageset, wtml, size }: State): void {
    const drawn = name !== null && imageset && wtml !== null ? { name, imageset, wtml, size } : null;
    const only = drawn !== null && isFits(drawn) && files !== null;
    this.element.hidden = !only && !pixels;
    if (this.element.hidden) return;
    if (this.#key === null) this.#colours.value = only ? AS_WWT : "gray";
    this.#stretch.offer(only ? STRETCHES : [PICTURE, ...STRETCHES]);
    this.#show();
    if (files!.key !== this.#key && !files!.fault) void this.#ask(files!.key);
  }

  /** Without a way into the engine there is nothing to choose. */
  hide(): void {
    this.element.hidden = true;
    this.#stretch.offer([PICTURE]);
  }

  async #ask(key: string): Promise<void> {
    this.#key = key;
    try {
      const { content } = await this.#comm.ask("look");
      if (key !== this.#key) return;
      this.#pixels = content as unknown as Pixels;
      this.#failed = "";
      for (const [field, value] of [[this.#low, this.#pixels.cuts[0]], [this.#high, this.#pixels.cuts[1]]] as const) {
        field.placeholder = String(Number(value.toPrecision(5)));
      }
    } catch (error) {
      if (error instanceof Closed || key !== this.#key) return;
      this.#key = null;
      this.#failed = (error as Error).message;
    }
    this.#changed();
  }

  #choose(): void {
    this.#show();
    this.#changed();
  }

  #show(): void {
    for (const { element } of [this.#colours, this.#low, this.#high]) element.hidden = !this.wanted;
  }

  #cut(): void {
    const [low, high] = [this.#low.value ?? this.#pixels?.cuts[0], this.#high.value ?? this.#pixels?.cuts[1]];
    if (low !== undefined && high !== undefined && low < high) this.#changed();
  }
}

/** Where each of STEPS equal steps from `low` to `high` is among the pixels between those, 0 to 1. */
export function equalised(quantiles: readonly number[], low: number, high: number): number[] {
  const [first, last] = [partBelow(quantiles, low), partBelow(quantiles, high)];
  return Array.from({ length: STEPS }, (_, step) => {
    const part = partBelow(quantiles, low + ((high - low) * step) / (STEPS - 1));
    return last > first ? Math.min(Math.max((part - first) / (last - first), 0), 1) : step / (STEPS - 1);
  });
}

/** The part of the pixels, 0 to 1, whose value is below `value`. */
function partBelow(quantiles: readonly number[], value: number): number {
  const end = quantiles.length - 1;
  let [from, to] = [0, end]; // quantiles[from] <= value < quantiles[to]
  if (value < quantiles[0]!) return 0;
  if (value >= quantiles[end]!) return 1;
  while (to - from > 1) {
    const middle = (from + to) >> 1;
    if (quantiles[middle]! <= value) from = middle;
    else to = middle;
  }
  return (from + (value - quantiles[from]!) / (quantiles[to]! - quantiles[from]!)) / end;
}

/** A field for a number that stands for itself while it is empty. */
function cut(label: string, changed: () => void) {
  const input = document.createElement("input");
  Object.assign(input, { type: "number", step: "any", title: `The pixel value that is drawn ${label.toLowerCase()}. ${ONLY_A_LOOK}` });
  input.className = "cxw-preview-cut";
  input.addEventListener("input", changed);
  const element = document.createElement("label");
  element.append(label, input);
  return {
    element,
    get value(): number | null {
      return Number.isNaN(input.valueAsNumber) ? null : input.valueAsNumber;
    },
    set placeholder(text: string) {
      input.placeholder = text;
    },
  };
}
