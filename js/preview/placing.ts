/**
 * Placing by eye: a mode in which the image is moved, turned, scaled and mirrored on the sky. The draft in the kernel is the only state:
 * what is done here is told to it as it is done, and the image follows when the draft's change comes back. Meanwhile the outline is
 * where the hand is.
 */

import "./placing.css";
import type { Comm } from "../shared/comm";
import type { Gaze } from "./gaze";
import type { ImageOnSky } from "./image_on_sky";
import type { Notes } from "./notes";
import type { App, Part } from "./part";
import { PlacingBar } from "./placing_bar";
import { PlacingKeys } from "./placing_keys";
import { PlacingOutline } from "./placing_outline";
import { PlacingQueue } from "./placing_queue";
import { PlacingStars } from "./placing_stars";
import { type Outline, outlineOf } from "./placing_pixels";
import { type Change, factorOf, type Place, positionAngle, taken, wrapped } from "./placing_sky";
import { cornerWords, placementWords } from "./placing_words";
import { pixelToSky, type View } from "./projection";
import type { PlacingStatus } from "./state";
import { group, toggle } from "./toolbar";

const UNKNOWN: PlacingStatus = { refusal: "The kernel has not answered yet.", locked: false, undo: "", redo: "", size: null, pixel: null, mirrored: null };

/** What a hand or a key does from its beginning to its end: one step for undo. */
interface Gesture {
  id: string;
  /** The outline where it began. */
  from: Outline;
  change: Change | null;
}

export class Placing implements Part {
  /** Over the sky. */
  readonly layer = document.createElement("div");
  readonly bar: PlacingBar;
  #comm: Comm;
  #gaze: Gaze;
  #image: ImageOnSky;
  #notes: Notes;
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
  #on = toggle("Adjust placement", "Move, turn, scale and mirror the image on the sky", () => this.#toggled());
  readonly controls = [group("Placement", this.#on.element)];

  constructor(comm: Comm, gaze: Gaze, image: ImageOnSky, notes: Notes) {
    this.#comm = comm;
    this.#gaze = gaze;
    this.#image = image;
    this.#notes = notes;
    this.#queue = new PlacingQueue((change) => this.#tell(change));
    this.#queue.onIdle = () => this.#settled();
    this.#queue.onRefused = (words) => this.#refused(words);
    this.#stars = new PlacingStars(image, {
      align: (stars, parity, size) => this.#queue.send({ op: "align", stars, parity, size }),
      changed: () => this.#draw(),
    });
    this.bar = new PlacingBar(this.#stars, {
      undo: () => this.#step("undo"),
      redo: () => this.#step("redo"),
      mirror: () => this.#mirror(),
      changed: () => this.#draw(),
    });
    this.#prepareLayer();
    image.onState = (status) => this.#hear(status);
    comm.on("placing", ({ placing }) => this.#hear(placing as PlacingStatus));
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

  // What the kernel says.

  #hear(status: PlacingStatus): void {
    this.#status = status;
    this.#stars.know(status);
    this.bar.show(status);
    if (status.locked && this.#on.on) this.#leave(status.refusal);
    this.#say();
    if (this.#on.on) this.#draw();
  }

  async #tell(change: Record<string, unknown>): Promise<void> {
    this.layer.ariaBusy = "true";
    const { content } = await this.#comm.ask("place", change);
    this.#hear(content.placing as PlacingStatus);
    if (change.op === "align") this.#stars.say(String(content.words));
    else if (content.words) this.bar.say(String(content.words));
  }

  #refused(words: string): void {
    this.#end();
    if (this.#stars.open) this.#stars.say(words);
    else this.#notes.say(words);
  }

  /** All is answered, so the draft's change has come back, too: the image is where the outline is. */
  #settled(): void {
    this.layer.ariaBusy = "false";
    if (this.#letGo) this.#gesture = null;
    this.#say();
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
      this.#notes.say(this.#status.refusal);
      return;
    }
    this.#notes.say("");
    this.layer.hidden = this.bar.element.hidden = false;
    this.#app?.wake();
    this.#draw();
    this.#say();
    this.layer.focus();
  }

  #leave(words = ""): void {
    this.#end();
    this.#on.on = false;
    const focused = this.layer.matches(":focus-within") || this.bar.element.matches(":focus-within");
    this.layer.hidden = this.bar.element.hidden = true;
    this.#stars.close();
    if (words) this.#notes.say(words);
    if (focused) this.#on.element.focus();
  }

  /** Escape anywhere in the preview gives up the drag, closes the alignment, or leaves the mode. */
  escape = (event: KeyboardEvent): void => {
    if (event.key !== "Escape" || !this.#on.on) return;
    event.preventDefault();
    event.stopPropagation();
    if (this.#gesture && !this.#letGo) this.#takeBack();
    else if (this.#stars.open) this.#closeStars();
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
    this.layer.dataset.lmSuppressShortcuts = "true";
    this.layer.append(this.#outline.element);
    this.layer.addEventListener("pointerdown", (event) => this.#take(event));
    // A finger on the image moves the image; browsers would scroll the page after the first few pixels, whatever CSS says of SVG.
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
    if (!event.isPrimary) return this.#takeBack(); // with a second finger nobody means to drag
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
      else this.#change({ op: "turn", about: middle, by: wrapped(positionAngle(middle, end) - positionAngle(middle, start)) });
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

  /** False if there is nothing to take hold of. */
  #begin(): boolean {
    const from = this.#shown;
    if (!from) return false;
    this.#notes.say("");
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
    if (this.#queue.idle) this.#settled();
  }

  /** As it was when the hand took hold of it. */
  #takeBack(): void {
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

  // What is seen.

  get #view(): View | null {
    return this.#app && this.#gaze.view(this.#app);
  }

  /** Where the image is, or will be as soon as the kernel has heard of it. */
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

  /** In words, while no hand is on it. */
  #say(): void {
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

  /** The wheel zooms the sky, whatever it is over. */
  #pass(event: WheelEvent): void {
    const { engine, frame } = this.#app ?? {};
    if (!engine || !frame?.realm) return;
    event.preventDefault();
    const { left, top } = this.layer.getBoundingClientRect();
    const { deltaX, deltaY, deltaMode } = event;
    const there = { deltaX, deltaY, deltaMode, clientX: event.clientX - left, clientY: event.clientY - top, bubbles: true, cancelable: true };
    engine.canvas.dispatchEvent(new frame.realm.WheelEvent("wheel", there));
  }
}
