/**
 * Relays messages of pywwt's Python API to the app, and the app's messages to the program. Without such a program nothing is sent. The
 * kernel keeps all messages that still matter, so that a restarted app, here or in another view, receives them.
 */

import type { AppEvent, AppMessages } from "../protocol.ts";
import type { KernelLink } from "../shared/kernel_link.ts";
import type { Camera } from "./engine/camera.ts";
import { SKY } from "./frame/addresses.ts";
import type { AppMessage } from "./frame/frame.ts";
import type { App, Part } from "./part.ts";
import type { Notes } from "./tools/notes.ts";
import { TURNING, type ViewState } from "./view_state.ts";

type Message = Record<string, unknown>;

const THREAD = "pywwt-"; // prefix of the ids of the program's requests
// The preview's own, by the names that the program gives them.
const OFFLINE_SKY = "Offline sky";
const DRAFT_IMAGE = "Image of the draft";

// These name an image, and do nothing until it is loaded: they, and all messages after them, wait for its collection.
const NAME_AN_IMAGE = [
  "set_background_by_name",
  "set_foreground_by_name",
  "set_viewer_mode",
  "set_foreground_opacity",
  "image_layer_create",
];
const SHOW_BY_NAME = ["set_background_by_name", "set_foreground_by_name", "set_viewer_mode"];
const LOADING_AT_MOST = 35_000; // ms; the kernel tries to fetch one for 30 s, and what it can't fetch the app takes as loaded
const REPORT_EVERY = 500; // ms, of the view while it moves
const REAL_TIME = 1;
// ms after the last message at which a frame is drawn even if the view is hidden: the app reports view and time as of the last
// frame. By then it has processed the message, loaded its files and moved the view.
const REDRAW_AFTER = [300, 1500, 6000];

const changesMode = ({ event, setting }: Message) => event === "set_viewer_mode" || TURNING.includes(String(setting));
const eventOf = (message: Message) => String(message.event ?? message.type);

export class Relay implements Part {
  #kernel: KernelLink;
  #viewState: ViewState;
  #image: Part;
  #notes: Pick<Notes, "show">;
  #begin: () => void;
  #awaited = false;
  #app: App | null = null;
  #wanted = false;
  /** Number of the last message that the app has received; null until it has received all earlier ones. */
  #delivered: number | null = null;
  /** Number of the last message that this view has followed, in any app that it had. */
  #followed = 0;
  #early: AppEvent[] = [];
  /** The addresses of collections that are loading, each with the timer of its timeout. */
  #loading = new Map<unknown, ReturnType<typeof setTimeout>>();
  /** Messages to the app, in order; they wait if the first one names an image and a collection is loading. */
  #queue: Message[] = [];
  #foreground: Message | null = null;
  #opacity: Message | null = null;
  #moving = false;
  /** The view before this app started; null if it has never been moved. */
  #camera: Camera | null = null;
  #view: Message | null = null;
  #timers = new Set<ReturnType<typeof setTimeout>>();
  #frames: ReturnType<typeof setTimeout>[] = [];
  #resting = false;

  /**
   * `image` is the part that shows the draft's own image, again at each `appReady`. `begin` starts the app, if possible. `notes` shows
   * what could not be shown on the sky.
   */
  constructor(kernel: KernelLink, viewState: ViewState, image: Part, begin: () => void, notes: Pick<Notes, "show">) {
    this.#kernel = kernel;
    this.#viewState = viewState;
    this.#image = image;
    this.#notes = notes;
    this.#begin = begin;
    kernel.onMessage<AppEvent>("app", (event) => this.#receive(event));
  }

  /** Handle the kernel's response to the request for the preview's state. */
  opened({ wwt, awaited }: Message): void {
    this.#awaited = awaited === true;
    if (wwt) this.#want();
  }

  /** Whether the program waits for the app to begin. */
  get awaited(): boolean {
    return this.#awaited;
  }

  /** There is a program: relay its messages from now on. */
  #want(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    if (this.#app) void this.#catchUp(this.#app);
  }

  appReady(app: App): void {
    this.#forget();
    this.#awaited = false;
    this.#app = app;
    this.#camera = this.#viewState.isSet ? this.#viewState.camera : null;
    if (this.#wanted) void this.#catchUp(app);
  }

  appGone(): void {
    this.#forget();
  }

  onMessage(message: Message): void {
    if (message.event === "load_image_collection_completed") this.#loaded(message.url);
    if (message.type === "wwt_view_state") {
      this.#view = message;
      this.#reportView();
    } else if (
      message.type === "wwt_application_state" ||
      message.type === "wwt_selection_state" ||
      String(message.threadId).startsWith(THREAD)
    ) {
      this.#toKernel(message);
    }
  }

  /** Keep drawing while a fast clock or a tour moves the view. */
  drawn(app: App): void {
    if (this.#moving) app.wake();
  }

  #forget(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#app = this.#delivered = this.#foreground = this.#opacity = null;
    this.#early = [];
    this.#queue = [];
    this.#loading.clear();
    this.#moving = this.#resting = false;
  }

  async #catchUp(app: App): Promise<void> {
    let batch: AppMessages;
    try {
      batch = (await this.#kernel.request<AppMessages>("app_messages")).content;
    } catch {
      return; // the comm is closed, or the kernel was restarted: the view reports that elsewhere
    }
    if (this.#app !== app || this.#delivered !== null) return;
    // A view that the user or the image has moved since keeps its position.
    const goes = !this.#viewState.isSet || (batch.moved ?? 0) > this.#followed;
    for (const message of batch.messages) {
      if (message.event === "center_on_coordinates" && !goes) continue;
      this.#enqueue(
        message.event === "image_layer_create" ? { ...message, goto: message.goto === true && goes } : message,
      );
    }
    // In another mode the same camera position is another place on the sky.
    if (!goes && this.#camera && batch.messages.some(changesMode))
      this.#enqueue({ event: "center_on_coordinates", ...this.#camera, instant: true });
    this.#delivered = this.#followed = batch.last;
    this.#redrawLater();
    for (const early of this.#early.splice(0)) this.#receive(early);
    this.#reportView();
  }

  #receive(batch: AppEvent): void {
    this.#want();
    if (batch.awaited) {
      this.#awaited = true;
      this.#begin();
    }
    if (!this.#app) return;
    if (this.#delivered === null) {
      this.#early.push(batch);
      return;
    }
    const fresh = batch.last - this.#delivered;
    if (fresh <= 0) return;
    this.#delivered = this.#followed = batch.last;
    for (const message of batch.messages.slice(-fresh)) this.#enqueue(message);
    this.#redrawLater();
  }

  /** Send `message` to the app, after all earlier ones. */
  #enqueue(message: Message): void {
    this.#queue.push(message);
    this.#postNext();
  }

  #postNext(): void {
    while (this.#queue[0] && !(this.#loading.size > 0 && NAME_AN_IMAGE.includes(eventOf(this.#queue[0])))) {
      const message = this.#queue.shift()!;
      this.#post(eventOf(message), message);
    }
  }

  #post(event: string, message: Message): void {
    this.#viewState.follow(message);
    if (event === "load_image_collection") this.#expect(message.url);
    if (event === "resume_time") this.#moving = Math.abs(Number(message.rate)) > REAL_TIME;
    else if (event === "load_tour" || event === "resume_tour") this.#moving = true;
    else if (event === "pause_time" || event === "pause_tour") this.#moving = false;
    if (event === "set_foreground_opacity") this.#opacity = message;
    if (event === "set_foreground_by_name") {
      if (message.name === DRAFT_IMAGE) {
        this.#showDraft();
        return;
      }
      this.#foreground = message;
    }
    if (message.name === OFFLINE_SKY) this.#toApp({ ...message, name: SKY.name });
    else {
      this.#checkKnown(event, message);
      this.#toApp(message);
    }
  }

  /** Report a message that shows an image which is not loaded: the app ignores it silently. */
  #checkKnown(event: string, { name, mode, url }: Message): void {
    const layer = event === "image_layer_create" && mode === "preloaded";
    if (!layer && !SHOW_BY_NAME.includes(event)) return;
    if (this.#app!.engine?.knows(layer ? { url } : { name: mode ?? name }) !== false) return;
    const why = "no such image is loaded. Its collection could not be loaded, or does not have it.";
    this.#notes.show(`“${name ?? (layer ? url : mode)}” can't be shown: ${why}`);
  }

  #showDraft(): void {
    if (!this.#foreground) return; // it is shown already, or loading
    this.#foreground = null;
    this.#toApp({ event: "set_foreground_by_name", name: SKY.name }); // the sky itself, so that there is no foreground
    this.#image.appReady?.(this.#app!);
  }

  #toApp(message: Message): void {
    this.#app!.post(message as unknown as AppMessage);
  }

  #expect(url: unknown): void {
    this.#cancel(this.#loading.get(url));
    const timer = this.#later(() => this.#giveUp(url), LOADING_AT_MOST);
    this.#loading.set(url, timer);
  }

  /** Stop waiting for a collection, so that the other messages are sent. */
  #giveUp(url: unknown): void {
    const { name, mode, url: address } = this.#queue[0] ?? {};
    const what = [name, mode, address].find((each) => typeof each === "string" && each !== "");
    const seconds = LOADING_AT_MOST / 1000;
    this.#notes.show(
      `${what ? `“${what}” may be missing: a` : "A"} collection of images has not loaded within ${seconds} s.`,
    );
    this.#loaded(url);
  }

  #loaded(url: unknown): void {
    const timer = this.#loading.get(url);
    if (timer !== undefined) {
      this.#cancel(timer);
      this.#loading.delete(url);
      this.#postNext();
      this.#redrawLater();
    } else if (this.#app) {
      // The draft's image has moved to the front; restore what the program has put there.
      for (const message of [this.#foreground, this.#opacity]) if (message) this.#toApp(message);
    }
  }

  #redrawLater(): void {
    for (const frame of this.#frames) this.#cancel(frame);
    this.#frames = REDRAW_AFTER.map((time) => this.#later(() => this.#app?.frame.throttle?.drawNow(), time));
  }

  /** Report the view: at once, and throttled while it moves. */
  #reportView(): void {
    if (this.#resting || !this.#view || this.#delivered === null) return;
    this.#toKernel(this.#view);
    this.#view = null;
    this.#resting = true;
    this.#later(() => {
      this.#resting = false;
      this.#reportView();
    }, REPORT_EVERY);
  }

  #toKernel(message: Message): void {
    if (this.#wanted) this.#kernel.sendOnce({ kind: "from_app", message });
  }

  #later(action: () => void, time: number): ReturnType<typeof setTimeout> {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, time);
    this.#timers.add(timer);
    return timer;
  }

  #cancel(timer: ReturnType<typeof setTimeout> | undefined): void {
    if (timer === undefined) return;
    clearTimeout(timer);
    this.#timers.delete(timer);
  }
}
