/**
 * The placement editor: a mode in which the image is moved, rotated, scaled and mirrored on the sky. The draft in the kernel is the only
 * state: each change is sent as it is made, and the image follows when the draft's change comes back. Meanwhile the outline follows
 * the pointer.
 */

import type { Place } from "../../geometry/tangent.ts";
import "./placement_editor.css";
import type { PlaceResponse, PlacingEvent, PlacingStatus } from "../../protocol.ts";
import type { KernelLink } from "../../shared/kernel_link.ts";
import { pixelToSky, type View } from "../engine/projection.ts";
import type { ImageOnSky } from "../image_on_sky.ts";
import type { App, Part } from "../part.ts";
import type { Notes } from "../tools/notes.ts";
import { shortened, toggle } from "../tools/toolbar.ts";
import type { ViewState } from "../view_state.ts";
import type { WheelGuard } from "../wheel_guard.ts";
import { PlacingBar } from "./bar.ts";
import { cornerWords, placementWords } from "./format.ts";
import { PlacingKeys } from "./keys.ts";
import { PlacingOutline } from "./outline.ts";
import { type Outline, outlineOf } from "./pixels.ts";
import { PlacingQueue } from "./queue.ts";
import { type Change, factorOf, positionAngle, taken, wrapped } from "./sky.ts";
import { PlacingStars } from "./stars.ts";

const UNKNOWN: PlacingStatus = {
  refusal: "The kernel has not responded yet.",
  locked: false,
  undo: "",
  redo: "",
  size: null,
  pixel: null,
  mirrored: null,
  snap: { phase: "idle", progress: 0, message: "", facts: [], doubt: "" },
};

/** A drag or a key press from beginning to end: one step for undo. */
interface Gesture {
  id: string;
  /** The outline at the beginning. */
  from: Outline;
  change: Change | null;
}

export class PlacementEditor implements Part {
  /** Over the sky. */
  readonly layer = document.createElement("div");
  readonly bar: PlacingBar;
  #kernel: KernelLink;
  #viewState: ViewState;
  #image: ImageOnSky;
  #notes: Notes;
  #wheel: WheelGuard;
  #app: App | null = null;
  #status = UNKNOWN;
  #outline = new PlacingOutline();
  #stars: PlacingStars;
  #queue: PlacingQueue;
  #gesture: Gesture | null = null;
  #letGo = true;
  #gestures = 0;
  readonly #session = Math.random().toString(36).slice(2);
  #drawnFor = "";
  #on = toggle("Adjust placement", "Move, rotate, scale and mirror the image on the sky", () => this.#toggled());
  readonly controls = [shortened(this.#on.element, "Adjust", " placement")];

  constructor(kernel: KernelLink, viewState: ViewState, image: ImageOnSky, notes: Notes, wheel: WheelGuard) {
    this.#wheel = wheel;
    this.#kernel = kernel;
    this.#viewState = viewState;
    this.#image = image;
    this.#notes = notes;
    this.#queue = new PlacingQueue((change) => this.#request(change));
    this.#queue.onIdle = () => this.#onIdle();
    this.#queue.onRefused = (message) => this.#onRefused(message);
    this.#stars = new PlacingStars(image, {
      align: (stars, parity, size) => this.#queue.send({ op: "align", stars, parity, size }),
      changed: () => this.#draw(),
    });
    this.bar = new PlacingBar(this.#stars, {
      undo: () => this.#step("undo"),
      redo: () => this.#step("redo"),
      mirror: () => this.#mirror(),
      snap: (kind) => kernel.send({ kind }),
      changed: () => this.#draw(),
    });
    this.#prepareLayer();
    image.onState = (status) => this.#onStatus(status);
    kernel.onMessage<PlacingEvent>("placing", ({ placing }) => this.#onStatus(placing));
  }

  appReady(app: App): void {
    this.#app = app;
    this.#drawnFor = "";
    const realm = app.frame.realm!;
    realm.addEventListener("keydown", this.escape);
    this.#stars.listen(realm, (x, y) => this.#skyAt(x, y));
  }

  drawn(): void {
    if (this.#on.on) this.#draw();
  }

  appGone(): void {
    this.#app = null;
    this.#end();
    this.#outline.element.style.display = "none";
  }

  // Messages of the kernel.

  #onStatus(status: PlacingStatus): void {
    this.#status = status;
    this.#stars.know(status);
    this.bar.show(status);
    if (status.locked && this.#on.on) this.#leave(status.refusal);
    this.#describe();
    if (this.#on.on) this.#draw();
  }

  async #request(change: Record<string, unknown>): Promise<void> {
    this.layer.ariaBusy = "true";
    const { content } = await this.#kernel.request<PlaceResponse>("place", change);
    this.#onStatus(content.placing);
    if (change.op === "align") this.#stars.showMessage(content.message);
    else if (content.message) this.bar.announce(content.message);
  }

  #onRefused(message: string): void {
    this.#end();
    if (this.#stars.open) this.#stars.showMessage(message);
    else this.#notes.show(message);
  }

  /** The kernel has responded to every change, so the draft's change has arrived, too: the image is where the outline is. */
  #onIdle(): void {
    this.layer.ariaBusy = "false";
    if (this.#letGo) this.#gesture = null;
    this.#describe();
    this.#draw();
  }

  // The mode.

  #toggled(): void {
    if (!this.#on.on) {
      this.#leave();
      return;
    }
    if (this.#status.refusal) {
      this.#on.on = false;
      this.#notes.show(this.#status.refusal);
      return;
    }
    this.#notes.show("");
    this.layer.hidden = this.bar.element.hidden = false;
    this.#app?.wake();
    this.#draw();
    this.#describe();
    this.layer.focus();
  }

  #leave(message = ""): void {
    this.#end();
    this.#on.on = false;
    const focused = this.layer.matches(":focus-within") || this.bar.element.matches(":focus-within");
    this.layer.hidden = this.bar.element.hidden = true;
    this.#stars.close();
    if (message) this.#notes.show(message);
    if (focused) this.#on.element.focus();
  }

  /** Escape anywhere in the preview cancels the drag, closes the alignment, discards what was found, or leaves the mode. */
  escape = (event: KeyboardEvent): void => {
    if (event.key !== "Escape" || !this.#on.on) return;
    event.preventDefault();
    event.stopPropagation();
    if (this.#gesture && !this.#letGo) this.#cancelGesture();
    else if (this.#stars.open) this.#closeStars();
    else if (this.bar.waits) this.#kernel.send({ kind: "snap_discard" });
    else this.#leave();
  };

  #closeStars(): void {
    this.#stars.close();
    this.layer.focus();
    this.#draw();
  }

  // Gestures.

  #prepareLayer(): void {
    this.layer.className = "cxw-placing-layer";
    this.layer.hidden = true;
    this.layer.tabIndex = 0;
    this.layer.setAttribute("role", "application");
    this.layer.setAttribute("aria-label", "Placement of the image");
    this.layer.setAttribute("aria-describedby", this.bar.helpId);
    this.layer.append(this.#outline.element);
    this.layer.addEventListener("pointerdown", (event) => this.#take(event));
    // A finger on the image moves the image; browsers would scroll the page after the first few pixels, whatever the CSS of the SVG.
    const stay = (event: TouchEvent) => void (PlacingOutline.holdAt(event.target) && event.preventDefault());
    this.layer.addEventListener("touchstart", stay, { passive: false });
    this.layer.addEventListener("wheel", (event) => this.#pass(event), { passive: false });
    const keys = new PlacingKeys({
      begin: () => this.#begin(),
      end: () => this.#release(),
      middle: () => this.#gesture?.from.middle ?? null,
      view: () => this.#view,
      change: (change) => this.#change(change),
      undo: () => this.#step("undo"),
      redo: () => this.#step("redo"),
      mirror: () => this.#mirror(),
    });
    this.layer.addEventListener("keydown", (event) => keys.down(event));
    this.layer.addEventListener("blur", () => keys.finish());
  }

  #take(event: PointerEvent): void {
    if (!event.isPrimary) {
      this.#cancelGesture(); // a second finger: this is not a drag
      return;
    }
    const hold = PlacingOutline.holdAt(event.target);
    const [view, start] = [this.#view, this.#skyUnder(event)];
    if (!hold || event.button !== 0 || !view || !start || !this.#begin()) return;
    event.preventDefault();
    this.layer.focus({ preventScroll: true });
    const { middle } = this.#gesture!.from;
    const drag = (now: PointerEvent) => {
      const end = this.#skyUnder(now);
      if (!end || now.pointerId !== event.pointerId) return;
      if (hold === "move") this.#change({ op: "move", start, end });
      else if (hold === "scale") this.#change({ op: "scale", about: middle, by: factorOf(middle, start, end) });
      else
        this.#change({
          op: "turn",
          about: middle,
          by: wrapped(positionAngle(middle, end) - positionAngle(middle, start)),
        });
    };
    const [gesture, over] = [this.#gesture, new AbortController()];
    const drop = (now: PointerEvent) => {
      if (now.pointerId !== event.pointerId) return;
      over.abort();
      if (this.#gesture === gesture) this.#release();
    };
    const move = (now: PointerEvent) => void (this.#gesture === gesture && drag(now));
    this.layer.setPointerCapture(event.pointerId);
    this.layer.addEventListener("pointermove", move, over);
    this.layer.addEventListener("pointerup", drop, over);
    this.layer.addEventListener("pointercancel", drop, over);
  }

  /** Begin a gesture; return false if there is no image to move. */
  #begin(): boolean {
    const from = this.#shown;
    if (!from) return false;
    this.#notes.show("");
    this.#gestures += 1;
    this.#gesture = { id: `${this.#session} ${this.#gestures}`, from, change: null };
    this.#letGo = false;
    return true;
  }

  #change(change: Change): void {
    if (!this.#gesture || this.#letGo) return;
    this.#gesture.change = change;
    this.#queue.send({ ...change, gesture: this.#gesture.id });
    this.#draw();
  }

  #release(): void {
    this.#letGo = true;
    if (this.#queue.idle) this.#onIdle();
  }

  /** Undo the current drag. */
  #cancelGesture(): void {
    if (!this.#gesture || this.#letGo) return;
    const { change } = this.#gesture;
    if (change?.op === "move") this.#change({ ...change, end: change.start });
    else if (change?.op === "turn") this.#change({ ...change, by: 0 });
    else if (change?.op === "scale") this.#change({ ...change, by: 1 });
    this.#release();
  }

  #end(): void {
    this.#gesture = null;
    this.#letGo = true;
  }

  #step(op: "undo" | "redo"): void {
    this.#end();
    this.#queue.send({ op });
  }

  #mirror(): void {
    const from = this.#shown;
    if (!from || !this.#begin()) return;
    this.#change({ op: "mirror", about: from.middle });
    this.#release();
  }

  // Drawing.

  get #view(): View | null {
    return this.#app && this.#viewState.view(this.#app);
  }

  /** The outline of the image, or where it will be when the kernel has applied the change. */
  get #shown(): Outline | null {
    const { from, change } = this.#gesture ?? {};
    if (!from || !change) return this.#gesture?.from ?? this.#placed;
    const [a, b, c, d] = from.corners.map((corner) => taken(change, corner)) as [Place, Place, Place, Place];
    return { corners: [a, b, c, d], middle: taken(change, from.middle) };
  }

  get #placed(): Outline | null {
    const placed = this.#image.placed;
    return placed && outlineOf(placed.imageset, placed.size);
  }

  #draw(): void {
    const [view, outline] = [this.#view, this.#shown];
    const now = JSON.stringify([view, outline, this.#stars.marks, this.#stars.open]);
    if (now === this.#drawnFor || !this.#on.on) return;
    this.#drawnFor = now;
    this.layer.classList.toggle("cxw-placing-picks", this.#stars.open);
    this.#outline.element.style.display = view && outline ? "" : "none";
    if (view && outline) this.bar.inSight = this.#outline.draw(view, outline, this.#stars.marks);
  }

  /** Describe the placement while no gesture is in progress. */
  #describe(): void {
    const [placed, pixel] = [this.#placed, this.#status.pixel];
    if (!this.#on.on || !placed || !pixel || !this.#letGo || !this.#queue.idle) return;
    this.bar.describe(placementWords(placed, pixel, this.#status.mirrored === true), cornerWords(placed, pixel));
  }

  #skyAt(x: number, y: number): Place | null {
    const view = this.#view;
    return view && pixelToSky(view, x, y);
  }

  #skyUnder({ clientX, clientY }: PointerEvent): Place | null {
    const { left, top } = this.layer.getBoundingClientRect();
    return this.#skyAt(clientX - left, clientY - top);
  }

  /** Pass wheel events over the image on to the sky. */
  #pass(event: WheelEvent): void {
    const { engine, frame } = this.#app ?? {};
    if (!engine || !frame?.realm || !this.#wheel.allows(event)) return;
    event.preventDefault();
    const { left, top } = this.layer.getBoundingClientRect();
    const { deltaX, deltaY, deltaMode, ctrlKey } = event;
    const there = {
      deltaX,
      deltaY,
      deltaMode,
      ctrlKey,
      clientX: event.clientX - left,
      clientY: event.clientY - top,
      bubbles: true,
      cancelable: true,
    };
    engine.canvas.dispatchEvent(new frame.realm.WheelEvent("wheel", there));
  }
}
