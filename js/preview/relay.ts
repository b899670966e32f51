/**
 * Carries what a program says with pywwt's Python API to the app, and what the app says to the program. Where there is no such
 * program nothing is sent. The kernel remembers all that still matters, so that an app that begins anew, here or in another view,
 * is told everything.
 */

import { SKY } from "./addresses";
import type { Camera } from "./camera";
import type { Comm } from "../shared/comm";
import type { AppMessage } from "./frame";
import type { Gaze } from "./gaze";
import type { App, Part } from "./part";

type Message = Record<string, unknown>;

/** What the program said up to message number `last`: the latest few, or all that still matters. */
interface Words {
  last: number;
  messages: Message[];
  /** It waits for the app to begin, seen or not. */
  awaited?: boolean;
}

const THREAD = "pywwt-"; // how the questions of the program begin
// The preview's own, by the names that the program gives them.
const OFFLINE_SKY = "Offline sky";
const DRAFT_IMAGE = "Image of the draft";

// These name an image, and do nothing while it is not known.
const NAME_AN_IMAGE = ["set_background_by_name", "set_foreground_by_name", "set_viewer_mode", "set_foreground_opacity", "image_layer_create"];
const LOADING_AT_MOST = 10_000; // ms; a collection that can't be loaded is never said to be
const TELL_EVERY = 500; // ms, of the view while it moves
const REAL_TIME = 1;
// ms after the last word at which a frame is drawn even if nobody sees it: the app tells where the view is, and what time, as of the
// last frame. By then it has understood, its files have come, it has flown to where it was sent.
const LOOK_AGAIN = [300, 1500, 6000];

/** Where a message sends the view; what it does not say stays as it is. */
function cameraOf({ ra, dec, fov, roll }: Message): Partial<Camera> {
  return Object.fromEntries(Object.entries({ ra, dec, fov, roll }).filter(([, value]) => typeof value === "number"));
}

export class Relay implements Part {
  #comm: Comm;
  #gaze: Gaze;
  #image: Part;
  #begin: () => void;
  #awaited = false;
  #app: App | null = null;
  #wanted = false;
  /** Number of the last message that the app has been told; null until it was told everything. */
  #told: number | null = null;
  #early: Words[] = [];
  /** Collections on their way, and what is to be said when they are there. */
  #loading = new Set<unknown>();
  #held: Message[] = [];
  #foreground: Message | null = null;
  #opacity: Message | null = null;
  #moving = false;
  #view: Message | null = null;
  #timers = new Set<ReturnType<typeof setTimeout>>();
  #frames: ReturnType<typeof setTimeout>[] = [];
  #resting = false;

  /**
   * `image` is the part that shows the draft's own image, and does so again when it is told that the app is ready. `begin` brings up
   * the app, if it can.
   */
  constructor(comm: Comm, gaze: Gaze, image: Part, begin: () => void) {
    this.#comm = comm;
    this.#gaze = gaze;
    this.#image = image;
    this.#begin = begin;
    comm.on("app", (words) => this.#receive(words as unknown as Words));
  }

  /** What the kernel says when it is asked for the preview's state. */
  opened({ wwt, awaited }: Message): void {
    this.#awaited = awaited === true;
    if (wwt) this.#want();
  }

  /** Whether the program waits for the app to begin. */
  get awaited(): boolean {
    return this.#awaited;
  }

  /** There is a program: from now on the app is told what it says. */
  #want(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    if (this.#app) void this.#catchUp(this.#app);
  }

  appReady(app: App): void {
    this.#forget();
    this.#awaited = false;
    this.#app = app;
    if (this.#wanted) void this.#catchUp(app);
  }

  appGone(): void {
    this.#forget();
  }

  heard(message: Message): void {
    if (message.event === "load_image_collection_completed") this.#loaded(message.url);
    if (message.type === "wwt_view_state") {
      this.#view = message;
      this.#tellView();
    } else if (message.type === "wwt_application_state" || message.type === "wwt_selection_state" || String(message.threadId).startsWith(THREAD)) {
      this.#tell(message);
    }
  }

  /** Time that runs fast and tours move without anybody touching anything. */
  drawn(app: App): void {
    if (this.#moving) app.wake();
  }

  #forget(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#app = this.#told = this.#foreground = this.#opacity = null;
    this.#early = [];
    this.#held = [];
    this.#loading.clear();
    this.#moving = this.#resting = false;
  }

  async #catchUp(app: App): Promise<void> {
    let words: Words;
    try {
      words = (await this.#comm.ask("wwt")).content as unknown as Words;
    } catch {
      return; // the comm is closed, or the kernel has forgotten: the view says so elsewhere
    }
    if (this.#app !== app || this.#told !== null) return;
    const goes = !this.#gaze.isSet; // else this view has its own place, and keeps it
    for (const message of words.messages) {
      if (message.event === "center_on_coordinates" && !goes) continue;
      this.#say(message.event === "image_layer_create" ? { ...message, goto: message.goto === true && goes } : message);
    }
    this.#told = words.last;
    this.#lookAgain();
    for (const early of this.#early.splice(0)) this.#receive(early);
    this.#tellView();
  }

  #receive(words: Words): void {
    this.#want();
    if (words.awaited) {
      this.#awaited = true;
      this.#begin();
    }
    if (!this.#app) return;
    if (this.#told === null) {
      this.#early.push(words);
      return;
    }
    const fresh = words.last - this.#told;
    if (fresh <= 0) return;
    this.#told = words.last;
    for (const message of words.messages.slice(-fresh)) this.#say(message);
    this.#lookAgain();
  }

  #say(message: Message): void {
    const event = String(message.event ?? message.type);
    if (event === "load_image_collection") this.#expect(message.url);
    if (this.#loading.size > 0 && NAME_AN_IMAGE.includes(event)) this.#held.push(message);
    else this.#post(event, message);
  }

  #post(event: string, message: Message): void {
    if (event === "center_on_coordinates") this.#gaze.claim(cameraOf(message));
    else if (event === "image_layer_create" && message.goto !== false) this.#gaze.claim();
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
    this.#toApp(message.name === OFFLINE_SKY ? { ...message, name: SKY.name } : message);
  }

  #showDraft(): void {
    if (!this.#foreground) return; // it is there already, or on its way
    this.#foreground = null;
    this.#toApp({ event: "set_foreground_by_name", name: SKY.name }); // where there is no image, there is the sky
    this.#image.appReady?.(this.#app!);
  }

  #toApp(message: Message): void {
    this.#app!.post(message as unknown as AppMessage);
  }

  #expect(url: unknown): void {
    this.#loading.add(url);
    this.#later(() => this.#loaded(url), LOADING_AT_MOST);
  }

  #loaded(url: unknown): void {
    if (this.#loading.delete(url)) {
      if (this.#loading.size > 0) return;
      for (const message of this.#held.splice(0)) this.#post(String(message.event), message);
      this.#lookAgain();
    } else if (this.#app) {
      // The draft's image has come to the front, as it does; what the program has put there stays there.
      for (const message of [this.#foreground, this.#opacity]) if (message) this.#toApp(message);
    }
  }

  #lookAgain(): void {
    for (const frame of this.#frames) {
      clearTimeout(frame);
      this.#timers.delete(frame);
    }
    this.#frames = LOOK_AGAIN.map((time) => this.#later(() => this.#app?.frame.throttle?.drawNow(), time));
  }

  /** Says where the view is: at once, and while it moves no more often than need be. */
  #tellView(): void {
    if (this.#resting || !this.#view || this.#told === null) return;
    this.#tell(this.#view);
    this.#view = null;
    this.#resting = true;
    this.#later(() => {
      this.#resting = false;
      this.#tellView();
    }, TELL_EVERY);
  }

  #tell(message: Message): void {
    if (this.#wanted) this.#comm.tell("heard", { message });
  }

  #later(action: () => void, time: number): ReturnType<typeof setTimeout> {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, time);
    this.#timers.add(timer);
    return timer;
  }
}
