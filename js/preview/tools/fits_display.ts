/** How the pixels of FITS files are displayed: stretch, color map, and low and high cuts. */

import type { FitsPixels, PreviewState } from "../../protocol.ts";
import { ClosedError, type KernelLink } from "../../shared/kernel_link.ts";
import type { Coloring } from "../engine/imagesets.ts";
import { isFits } from "../state.ts";
import { type Choice, group, select } from "./toolbar.ts";

const ONLY_A_LOOK = "For display only: Constellations stores no stretch, cuts or colors.";

const PICTURE: Choice = ["picture", "Picture"];
const STRETCHES: Choice[] = [
  ["linear", "Linear"],
  ["log", "Logarithm"],
  ["power", "Power"],
  ["sqrt", "Square root"],
  ["equalized", "Histogram equalization"],
];
const IN_SHADER: Record<string, Coloring["stretch"]> = { linear: 0, log: 1, power: 2, sqrt: 3, equalized: 0 };
// By the names that the engine knows, which are matplotlib's.
const COLORS: Choice[] = [
  ..."Viridis Gray Greys Plasma Inferno Magma Cividis Purples Blues Greens Oranges Reds"
    .split(" ")
    .map((name): Choice => [name.toLowerCase(), name]),
  ["rdylbu", "Red, yellow, blue"],
];
const AS_WWT = "viridis";
const STEPS = 2048; // of a color map of our own

export class FitsDisplay {
  #kernel: KernelLink;
  #changed: () => void;
  #key: string | null = null;
  #pixels: FitsPixels | null = null;
  #failed = "";
  #stretch = select("Stretch", `How values become brightness. ${ONLY_A_LOOK}`, () => this.#choose());
  #colors = select("Colors", `Color map. ${ONLY_A_LOOK}`, () => this.#changed());
  #low = cut("Low cut", () => this.#cut());
  #high = cut("High cut", () => this.#cut());
  readonly element = group(
    "Display of the FITS pixels",
    this.#stretch.element,
    this.#colors.element,
    this.#low.element,
    this.#high.element,
  );

  /** `changed` is called when the display of the image changes. */
  constructor(kernel: KernelLink, changed: () => void) {
    this.#kernel = kernel;
    this.#changed = changed;
    this.#colors.offer(COLORS);
    this.element.hidden = true;
  }

  /** Whether the pixels are shown although there is a picture. */
  get wanted(): boolean {
    return this.#stretch.value !== PICTURE[0];
  }

  /** A message about the pixels, "" if there is none. */
  get words(): string {
    return this.#failed || (this.wanted && this.#pixels ? this.#pixels.note : "");
  }

  /** How the pixels are drawn; null while their values are unknown. */
  get coloring(): Coloring | null {
    const pixels = this.#pixels;
    if (!pixels) return null;
    const [low, high] = [this.#low.value ?? pixels.cuts[0], this.#high.value ?? pixels.cuts[1]];
    const steps = this.#stretch.value === "equalized" ? equalized(pixels.quantiles, low, high) : null;
    return { low, high, stretch: IN_SHADER[this.#stretch.value] ?? 0, colors: this.#colors.value, steps };
  }

  /** Take a new state of the image. */
  receive({ files, pixels, name, imageset, wtml, size }: PreviewState): void {
    const drawn = name !== null && imageset && wtml !== null ? { name, imageset, wtml, size } : null;
    const only = drawn !== null && isFits(drawn) && files !== null;
    this.element.hidden = !only && !pixels;
    if (this.element.hidden) return;
    if (this.#key === null) this.#colors.value = only ? AS_WWT : "gray";
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
      const { content } = await this.#kernel.request<FitsPixels>("fits_pixels");
      if (key !== this.#key) return;
      this.#pixels = content;
      this.#failed = "";
      for (const [field, value] of [
        [this.#low, this.#pixels.cuts[0]],
        [this.#high, this.#pixels.cuts[1]],
      ] as const) {
        field.placeholder = String(Number(value.toPrecision(5)));
      }
    } catch (error) {
      if (error instanceof ClosedError || key !== this.#key) return;
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
    for (const { element } of [this.#colors, this.#low, this.#high]) element.hidden = !this.wanted;
  }

  #cut(): void {
    const [low, high] = [this.#low.value ?? this.#pixels?.cuts[0], this.#high.value ?? this.#pixels?.cuts[1]];
    if (low !== undefined && high !== undefined && low < high) this.#changed();
  }
}

/** Where each of STEPS equal steps from `low` to `high` is among the pixels between those, 0 to 1. */
export function equalized(quantiles: readonly number[], low: number, high: number): number[] {
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
  Object.assign(input, {
    type: "number",
    step: "any",
    title: `The pixel value that is drawn ${label.toLowerCase()}. ${ONLY_A_LOOK}`,
  });
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
