/** Alignment: stars are clicked in the image, and where they belong is clicked in the sky or typed. Two or more place the image. */

import type { Place } from "../../geometry/tangent.ts";
import type { PlacingStatus } from "../../protocol.ts";
import type { Placed } from "../image_on_sky.ts";
import { button, select } from "../tools/toolbar.ts";
import { placeOf, placeText, twoNumbers } from "./format.ts";
import type { Mark } from "./outline.ts";
import { pixelOf, toPixel, toSky } from "./pixels.ts";

const STILL = 4; // pixels that a pointer may move and still click; more turns the sky
const LEAST = 2;
const MOST = 8;

export interface StarsActions {
  align(
    stars: [pixel: [number, number], place: Place | string][],
    parity: number | null,
    size: [number, number] | null,
  ): void;
  /** What is drawn over the sky has changed. */
  changed(): void;
}

interface Row {
  pixel: HTMLInputElement;
  place: HTMLInputElement;
}

export class PlacingStars {
  readonly element = document.createElement("div");
  /** Called when it is closed from elsewhere. */
  onClose: () => void = () => {};
  #image: { readonly placed: Placed | null };
  #actions: StarsActions;
  #status: PlacingStatus | null = null;
  #rows: Row[] = [];
  #list = document.createElement("ol");
  #message = document.createElement("div");
  /** What the next click on the sky fills. */
  #next: HTMLInputElement | null = null;
  /** The user has typed into it: the next click fills another field. */
  #typed = false;
  #parity = select("Parity", "Three stars determine it; with two, either parity fits", () => {});

  constructor(image: { readonly placed: Placed | null }, actions: StarsActions) {
    this.#image = image;
    this.#actions = actions;
    this.element.className = "cxw-placing-stars";
    this.element.setAttribute("role", "group");
    this.element.setAttribute("aria-label", "Align stars");
    this.element.hidden = true;
    this.#message.setAttribute("role", "status");
    this.#parity.offer([
      ["", "From the stars"],
      ["1", "Normal"],
      ["-1", "Mirrored"],
    ]);
    const more = button("Add star", () => {
      if (this.#rows.length < MOST) this.#aim(this.#addRow().pixel);
    });
    const buttons = document.createElement("div");
    buttons.append(
      more,
      this.#parity.element,
      button("Align", () => this.#align()),
      button("Clear", () => this.#clear()),
    );
    this.element.append(this.#message, this.#list, buttons);
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target instanceof HTMLInputElement) this.#align();
    });
  }

  get open(): boolean {
    return !this.element.hidden;
  }

  show(): void {
    this.element.hidden = false;
    if (this.#rows.length === 0) this.#clear();
    else this.#aim(this.#next ?? this.#rows[0]!.pixel);
  }

  close(): void {
    this.element.hidden = true;
    this.onClose();
  }

  know(status: PlacingStatus): void {
    this.#status = status;
  }

  showMessage(text: string): void {
    this.#message.textContent = text;
  }

  /** Crosses and rings over the sky. */
  get marks(): Mark[] {
    if (!this.open) return [];
    return this.#rows.map(({ pixel, place }, index) => {
      const at = twoNumbers(pixel.value);
      return { label: String(index + 1), now: at && this.#skyOf(at), there: placeOf(place.value) };
    });
  }

  /** A click in the app's frame, which is no drag, fills the field that waits for it. `at` gives the place of the sky at a pixel. */
  listen(realm: Window, at: (x: number, y: number) => Place | null): void {
    let down: [x: number, y: number] | null = null;
    realm.addEventListener(
      "pointerdown",
      ({ clientX, clientY, button }) => (down = button === 0 ? [clientX, clientY] : null),
    );
    realm.addEventListener("pointerup", ({ clientX, clientY }) => {
      if (!this.open || !down || Math.hypot(clientX - down[0], clientY - down[1]) > STILL) return;
      const place = at(clientX, clientY);
      if (place) this.#pick(place);
    });
  }

  #pick(place: Place): void {
    const field = this.#typed ? this.#empty : this.#next;
    const row = this.#rows.find((each) => each.pixel === field || each.place === field);
    if (!field || !row) return;
    if (field === row.pixel) {
      const pixel = this.#pixelOf(place);
      if (!pixel) return;
      field.value = pixel.map((value) => String(Math.round(value * 100) / 100)).join(", ");
    } else field.value = placeText(place, this.#status?.pixel ?? 1e-4);
    this.#aim(this.#empty);
    this.#actions.changed();
  }

  /** The first field with nothing in it. */
  get #empty(): HTMLInputElement | null {
    return this.#rows.flatMap((each) => [each.pixel, each.place]).find((each) => each.value.trim() === "") ?? null;
  }

  /** The next click fills this field. */
  #aim(field: HTMLInputElement | null): void {
    if (field && field !== document.activeElement) field.focus(); // comes back as `focusin`, if the page has the focus
    [this.#next, this.#typed] = [field, false];
    for (const row of this.#rows) {
      for (const each of [row.pixel, row.place]) each.classList.toggle("cxw-placing-next", each === field);
    }
    const index = this.#rows.findIndex((row) => row.pixel === field || row.place === field);
    if (index < 0)
      this.showMessage("Press Align, or add a star: three or more also determine the parity and how well they fit.");
    else if (field === this.#rows[index]!.pixel)
      this.showMessage(`Click star ${index + 1} in the image. Drag to pan, scroll to zoom.`);
    else
      this.showMessage(
        `Click the position of star ${index + 1} on the sky, or enter its right ascension and declination.`,
      );
  }

  #clear(): void {
    this.#rows = [];
    this.#list.replaceChildren();
    for (let count = 0; count < LEAST; count++) this.#addRow();
    this.#aim(this.#rows[0]!.pixel);
    this.#actions.changed();
  }

  #addRow(): Row {
    const number = this.#rows.length + 1;
    const element = document.createElement("li");
    const pixel = this.#field(`Star ${number} in the image: x, y in pixels, right and down`, "x, y (pixels)");
    const place = this.#field(
      `Star ${number} on the sky: right ascension and declination`,
      "degrees, or 10h00m12s +20d10m",
    );
    element.append(pixel, "→", place);
    const row = { pixel, place };
    this.#rows.push(row);
    this.#list.append(element);
    return row;
  }

  #field(label: string, placeholder: string): HTMLInputElement {
    const field = document.createElement("input");
    Object.assign(field, { type: "text", placeholder, ariaLabel: label, autocomplete: "off", spellcheck: false });
    field.addEventListener("focus", () => this.#next !== field && this.#aim(field));
    field.addEventListener("input", () => {
      this.#typed = true;
      this.#actions.changed();
    });
    return field;
  }

  #align(): void {
    const given = this.#rows.filter(({ pixel, place }) => pixel.value.trim() || place.value.trim());
    const stars: [[number, number], Place | string][] = [];
    for (const { pixel, place } of given) {
      const number = this.#rows.findIndex((row) => row.pixel === pixel) + 1;
      const at = twoNumbers(pixel.value);
      if (!at || !place.value.trim()) {
        this.showMessage(
          at
            ? `Star ${number} has no position on the sky yet.`
            : `Star ${number} needs its position in the image: two numbers, x, y.`,
        );
        return;
      }
      stars.push([at, twoNumbers(place.value) ?? place.value.trim()]);
    }
    if (stars.length < LEAST) {
      this.showMessage("Select at least two stars, better three.");
      return;
    }
    this.showMessage("");
    this.#actions.align(stars, this.#parity.value ? Number(this.#parity.value) : null, this.#size);
  }

  /** Of the image in its own pixels, which may be more than those that are drawn. */
  get #size(): [number, number] | null {
    const [placed, factor] = [this.#image.placed, this.#factor];
    return (
      this.#status?.size ??
      (placed && factor ? [Math.round(placed.size[0] * factor), Math.round(placed.size[1] * factor)] : null)
    );
  }

  /** How many of the image's own pixels one that is drawn is wide. */
  get #factor(): number | null {
    const [placed, pixel] = [this.#image.placed, this.#status?.pixel];
    return placed && pixel ? pixelOf(placed.imageset) / pixel : null;
  }

  /** The size that pixels are counted in: the kernel's for tiles, the drawn one for a single file. */
  get #counted(): readonly [number, number] | null {
    const placed = this.#image.placed;
    return placed && (placed.imageset.projection === "Tan" ? (this.#status?.size ?? null) : placed.size);
  }

  #pixelOf(place: Place): [number, number] | null {
    const [placed, size, factor] = [this.#image.placed, this.#counted, this.#factor];
    const at = placed && size && factor && toPixel(placed.imageset, size, place);
    return at ? [at[0] * factor, at[1] * factor] : null;
  }

  #skyOf([x, y]: [number, number]): Place | null {
    const [placed, size, factor] = [this.#image.placed, this.#counted, this.#factor];
    return placed && size && factor ? toSky(placed.imageset, size, [x / factor, y / factor]) : null;
  }
}
