/**
 * One preview in one cell: brings together the kernel, the frame with the app, and the parts that the preview is made of. The app
 * comes and goes: it is built when the preview is seen, given up when others need its place, and built again when the browser has
 * taken it away. What the parts know stays.
 */

import { Addresses } from "./addresses";
import { appFiles, type AppFiles } from "./app_files";
import { Closed, type Comm } from "../shared/comm";
import { pictured } from "../shared/keepsake";
import { Constellations } from "./constellations";
import { Engine } from "./engine";
import { Fading } from "./fading";
import { Frame, type Loss } from "./frame";
import { Gaze } from "./gaze";
import { ImageOnSky } from "./image_on_sky";
import { Notes } from "./notes";
import { Overlay } from "./overlay";
import { Parked } from "./parked";
import { enter, leave, offerPlaces, takePlace, type Berth } from "./parking";
import type { App, Part } from "./part";
import { Placing } from "./placing";
import { Relay } from "./relay";
import { Sky } from "./sky";
import { smallPicture } from "./snapshot";
import { dropSpareLater, prepareSpare, takeSpare } from "./spare";
import type { State } from "./state";
import { Status, type Progress } from "./status";
import { ToldView } from "./told_view";
import { toolbar } from "./toolbar";
import { Tools } from "./tools";

const NO_WEBGL = "The preview needs WebGL, which this browser does not have or has switched off. Everything else works without.";
const STUCK = "WWT did not start in this page. Its console may say why: a policy of the page may forbid what WWT needs.";
const LOADING = "Loading WorldWide Telescope …";
const UNSEEN = "WorldWide Telescope starts when this is seen.";
const FULL = "More previews are in sight than can be alive at the same time. Click to start this one.";
const ASIDE = "The sky as it was when this preview was put aside. Click to go on.";
const TAKEN = "The browser takes this preview's graphics memory away again and again: too much of it is in use. Click to try once more.";
const APART = "This page keeps the preview's frame apart from itself (a sandbox without “allow-same-origin”), and so WWT can't be started in it.";

const STUCK_AFTER = 30_000;
const PASSING = 150; // ms; what is scrolled past faster is not started
const IN_TIME = 100; // ms; a slow disk takes longer
const LOSSES = 3; // of graphics memory, within LOSSES_WITHIN ms: then it takes a click
const LOSSES_WITHIN = 60_000;

export class PreviewView {
  readonly element = document.createElement("div");
  #comm: Comm;
  #stage = document.createElement("div");
  #status: Status;
  #parked: Parked;
  #image: ImageOnSky;
  #relay: Relay;
  #parts: Part[];
  #files: AppFiles | null = null;
  #app: App | null = null;
  #removed = false;
  #name = "";
  #losses: number[] = [];
  #stuck: ReturnType<typeof setTimeout> | undefined;
  #passing: ReturnType<typeof setTimeout> | undefined;
  #berth: Berth = { live: false, starting: false, inSight: false, pictured: false, used: 0, park: () => this.#park(), placeFree: () => this.#start() };
  #watcher = new IntersectionObserver((entries) => this.#saw(entries.at(-1)!.isIntersecting));

  constructor(comm: Comm, height: string) {
    this.#comm = comm;
    this.element.className = "cxw-preview";
    this.#stage.className = "cxw-preview-stage";
    this.#parked = new Parked(this.#stage, this.#insist);
    this.#status = new Status(this.element, this.#stage);
    this.#status.onProgress = (progress) => this.#came(progress);
    const gaze = new Gaze(this.element);
    this.#image = new ImageOnSky(comm, gaze, this.#status);
    const overlay = new Overlay(gaze);
    const notes = new Notes(this.#stage);
    const views = new Tools(this.element, notes, overlay);
    this.#relay = new Relay(comm, gaze, this.#image, () => this.#start(true));
    const told = new ToldView(comm, gaze);
    const placing = new Placing(comm, gaze, this.#image, notes);
    this.#parts = [gaze, this.#image, new Fading(), views, new Sky(notes), new Constellations(), overlay, this.#relay, told, placing];
    this.#stage.prepend(overlay.element);
    const tools = toolbar(this.#parts.flatMap((part) => part.controls ?? []));
    tools.addEventListener("pointerdown", this.#insist);
    this.element.addEventListener("pointerenter", () => (this.#berth.used = performance.now()));
    this.element.addEventListener("keydown", placing.escape);
    overlay.follow(placing.layer);
    this.#stage.insertBefore(placing.layer, overlay.element.nextSibling);
    this.element.append(tools, placing.bar.element, this.#stage);
    this.setHeight(height);
    this.#status.set("loading", LOADING);
    comm.onSilence = (silent) => this.#status.silent(silent);
  }

  setHeight(height: string): void {
    this.#stage.style.height = height;
    this.#app?.wake();
  }

  /** Gets what the app is made of, and builds it when it is seen. Whatever goes wrong ends in words in the cell. */
  async start(): Promise<void> {
    enter(this.#berth);
    this.#watcher.observe(this.#stage);
    try {
      const opened = this.#comm.ask("open").then(({ content }) => {
        this.#name = String(content.title ?? "");
        this.#image.receive(content as unknown as State); // its files may come before the app is there
        this.#relay.opened(content);
      });
      await Promise.all([opened, this.#build(opened)]);
      if (this.#relay.awaited) this.#start(true);
    } catch (error) {
      if (!(error instanceof Closed)) this.#status.set("failed", error instanceof Error ? error.message : String(error));
    }
  }

  /**
   * Does not wait for the image: it takes as long as the app takes. But the image's files are asked for before the app starts, as far
   * as the kernel says in time which they are: this page has no time for that while the app starts.
   */
  async #build(opened: Promise<void>): Promise<void> {
    const files = await appFiles(this.#comm);
    await Promise.race([opened.catch(() => {}), pause(IN_TIME)]);
    await pause(0); // what was asked for has left the page
    if (this.#removed) return;
    this.#files = files;
    this.#berth.inSight ||= isInSight(this.#stage); // the browser says so, too, some frames later
    this.#start();
  }

  /** What a saved notebook shows in this preview's place; null while there is no picture. */
  keepsake(): Node | null {
    this.#takePicture();
    return this.#parked.picture ? pictured(this.#parked.picture, "The sky with the image on it.", saved(this.#name)) : null;
  }

  remove(): void {
    this.#removed = true;
    clearTimeout(this.#passing);
    this.#watcher.disconnect();
    this.#end();
    if (leave(this.#berth)) dropSpareLater();
    this.#comm.close();
    this.element.remove();
  }

  #saw(inSight: boolean): void {
    Object.assign(this.#berth, { inSight, used: performance.now() });
    const throttle = this.#app?.frame.throttle;
    if (throttle) throttle.seen = inSight;
    clearTimeout(this.#passing);
    if (!inSight) offerPlaces();
    else if (this.#status.progress === "parked") this.#passing = setTimeout(() => this.#start(), PASSING);
    else this.#start();
  }

  /** Somebody wants this one: if need be another gives its place. */
  #insist = (): void => {
    this.#berth.used = performance.now();
    this.#losses = [];
    this.#start(true);
  };

  #start(insist = false): void {
    if (this.#app || this.#removed || !this.#files) return;
    if (!insist && (!this.#berth.inSight || this.#lostTooOften)) {
      if (this.#status.progress === "loading") this.#status.set("loading", UNSEEN);
      return;
    }
    const place = takePlace(this.#berth, insist);
    if (place === "full") this.#putAside(this.#parked.picture ? ASIDE : FULL);
    if (place !== "taken") return;
    const focused = document.activeElement === this.#parked.element;
    this.#parked.wake();
    this.#status.set("loading", this.#parked.picture ? "" : LOADING);
    const addresses = new Addresses(this.#image.files, this.#files.sky);
    const frame = takeSpare(this.#stage) ?? this.#startFrame(this.#files, addresses);
    if (!frame) return;
    if (focused) frame.element.focus();
    this.#stuck = setTimeout(() => {
      this.#started();
      if (this.#status.progress === "loading") this.#status.set("failed", STUCK);
    }, STUCK_AFTER);
    this.#app = {
      frame,
      addresses,
      engine: null,
      post: (message) => frame.post(message),
      wake: () => frame.throttle?.wake(),
      drawSoon: () => frame.throttle?.drawSoon(),
    };
    frame.belongTo(addresses, {
      ready: () => this.#ready(),
      heard: (message) => this.#parts.forEach((part) => part.heard?.(message)),
      lost: (loss) => this.#lost(loss),
    });
  }

  /** Null if the page forbids it, which is said. */
  #startFrame(files: AppFiles, addresses: Addresses): Frame | null {
    const frame = new Frame(files, addresses);
    this.#stage.prepend(frame.element);
    try {
      frame.start();
      return frame;
    } catch (error) {
      if (!(error instanceof DOMException && error.name === "SecurityError")) throw error;
      frame.remove();
      this.#fail(APART);
      return null;
    }
  }

  #ready(): void {
    const app = this.#app!;
    clearTimeout(this.#stuck);
    app.engine = Engine.find(app.frame.realm!);
    if (!app.engine) console.warn("The preview does not know this version of WWT's engine, and loads the image anew for each change.");
    const throttle = app.frame.throttle!;
    throttle.afterFrame = () => this.#drawn(app);
    throttle.atRest = () => this.#status.progress !== "ready" && (app.engine?.atRest ?? false);
    throttle.seen = this.#berth.inSight;
    app.post({ event: "modify_settings", target: "app", settings: [["hideAllChrome", true]] });
    for (const part of this.#parts) part.appReady?.(app);
    this.#started();
  }

  #started(): void {
    this.#berth.starting = false;
    offerPlaces();
  }

  #drawn(app: App): void {
    if (app.engine && !app.engine.atRest) app.wake();
    for (const part of this.#parts) part.drawn?.(app);
  }

  #came(progress: Progress): void {
    if (["loading", "ready", "parked"].includes(progress)) return;
    this.#parked.hide();
    if (progress === "shown" && this.#files) prepareSpare(this.#files);
    if (this.#berth.pictured) return;
    this.#berth.pictured = true;
    setTimeout(offerPlaces); // another's turn, if there are many
  }

  #park(): void {
    this.#takePicture();
    this.#end();
    this.#putAside(this.#parked.picture ? ASIDE : UNSEEN);
  }

  #takePicture(): void {
    try {
      if (this.#app && this.#berth.pictured) this.#parked.picture = smallPicture(this.#app, this.#stage.clientWidth);
    } catch {
      // The view has no size now: the last picture, if there is one, or words.
    }
  }

  #putAside(words: string): void {
    this.#status.set("parked");
    this.#parked.show(words);
  }

  #lost(loss: Loss): void {
    this.#end();
    if (loss.why === "forbidden" || loss.why === "no WebGL") {
      this.#fail(loss.why === "forbidden" ? forbidden(loss.directive) : NO_WEBGL);
      return;
    }
    const now = performance.now();
    this.#losses = this.#losses.filter((at) => now - at < LOSSES_WITHIN);
    if (loss.why === "context") this.#losses.push(now);
    this.#status.set("loading", LOADING);
    this.#berth.live = this.#berth.starting = false;
    if (this.#lostTooOften) this.#putAside(TAKEN);
    else this.#start();
  }

  get #lostTooOften(): boolean {
    return this.#losses.length >= LOSSES;
  }

  #fail(words: string): void {
    this.#end();
    this.#status.set("failed", words);
    leave(this.#berth);
  }

  /** Gives up the app and all that it holds. */
  #end(): void {
    clearTimeout(this.#stuck);
    if (!this.#app) return;
    for (const part of this.#parts) part.appGone?.();
    this.#app.frame.remove();
    this.#app = null;
  }
}

const pause = (time: number) => new Promise((goOn) => setTimeout(goOn, time));

const saved = (name: string) => `The preview${name && ` of “${name}”`} as it was when this notebook was saved. Run the cell to see it alive.`;

const forbidden = (directive: string) =>
  `The preview can't be shown in this page: its policy (“${directive}” in its Content-Security-Policy) forbids the scripts that WWT is made of. ` +
  "Whoever runs the page can allow them with 'unsafe-inline'; everything else here works without the preview.";

function isInSight(element: HTMLElement): boolean {
  const { top, bottom, width, height } = element.getBoundingClientRect();
  return width > 0 && height > 0 && bottom > 0 && top < window.innerHeight;
}
