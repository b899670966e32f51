/**
 * One preview in one cell: brings together the kernel, the frame with the app, and the parts that the preview is made of. The app
 * comes and goes: it is built when the preview is seen, given up when others need its place, and built again when the browser has
 * taken it away. What the parts know stays.
 */

import type { OpenedPreview } from "../protocol.ts";
import { withoutMathJax } from "../shared/foreign.ts";
import { keepFromHost } from "../shared/keep_from_host.ts";
import { ClosedError, type KernelLink, messageOf } from "../shared/kernel_link.ts";
import { focusPressed } from "../shared/press.ts";
import { figure } from "../shared/static_fallback.ts";
import { Circles } from "./engine/annotations.ts";
import { Engine } from "./engine/engine.ts";
import { Addresses } from "./frame/addresses.ts";
import { type AppFiles, appFiles } from "./frame/app_files.ts";
import { type AppMessage, Frame, type Loss } from "./frame/frame.ts";
import { enter, leave, offerSlots, type Slot, takeSlot } from "./frame/live_pool.ts";
import { PausedView } from "./frame/paused_view.ts";
import { dropPrewarmedLater, prewarm, takePrewarmed } from "./frame/prewarmed.ts";
import { Updates } from "./frame/updates.ts";
import { ImageOnSky } from "./image_on_sky.ts";
import type { App, Part } from "./part.ts";
import { PlacementEditor } from "./placing/placement_editor.ts";
import { Relay } from "./relay.ts";
import { SceneLayers } from "./scene_layers.ts";
import { type Progress, Status } from "./status.ts";
import { Sky } from "./tools/background.ts";
import { Compare } from "./tools/compare.ts";
import { Constellations } from "./tools/constellations.ts";
import { Help } from "./tools/help.ts";
import { More, roomOf } from "./tools/more.ts";
import { Notes } from "./tools/notes.ts";
import { Overlay } from "./tools/overlay.ts";
import { SkyRequests } from "./tools/sky_request.ts";
import { smallPicture } from "./tools/snapshot.ts";
import { SnapshotRequests } from "./tools/snapshot_request.ts";
import { SolutionMarks } from "./tools/solution.ts";
import { toolbar } from "./tools/toolbar.ts";
import { ViewActions } from "./tools/view_actions.ts";
import { Zoom } from "./tools/zoom.ts";
import { ViewReporter } from "./view_reporter.ts";
import { ViewState } from "./view_state.ts";
import { WheelGuard } from "./wheel_guard.ts";

const NO_WEBGL =
  "The preview needs WebGL, which this browser does not support or has disabled. Everything else works without it.";
const STUCK =
  "WWT did not start in this page. The browser console may show why, for example a policy of the page that blocks WWT.";
const LOADING = "Loading WorldWide Telescope …";
const UNSEEN = "WorldWide Telescope starts when this preview is scrolled into view.";
const FULL = "Too many live previews are in view. Click to start this one.";
const ASIDE = "Click to resume the preview.";
const UNCONFIRMED = "Checking for changes of the image …";
const OUTDATED = "The image has changed since this snapshot.";
const TAKEN =
  "The browser keeps reclaiming this preview's graphics memory because too much of it is in use. Click to retry.";
const APART =
  "This page isolates the preview's frame (a sandbox without “allow-same-origin”), so WWT can't be started in it.";

const STUCK_AFTER = 30_000;
const SETTLED = 2000; // ms without a change before outdated snapshots are redrawn
const PASSING = 150; // ms; what is scrolled past faster is not started
const IN_TIME = 100; // ms; a slow disk takes longer
const LOSSES = 3; // of graphics memory, within LOSSES_WITHIN ms: then it takes a click
const LOSSES_WITHIN = 60_000;

export class PreviewView {
  readonly element = document.createElement("div");
  #kernel: KernelLink;
  #standAlone: boolean;
  #stage = document.createElement("div");
  #status: Status;
  #paused: PausedView;
  #image: ImageOnSky;
  #relay: Relay;
  #scene: SceneLayers;
  #parts: Part[];
  #notes: Notes;
  #solution: SolutionMarks;
  #wheel: WheelGuard;
  #more: More;
  #files: AppFiles | null = null;
  #app: App | null = null;
  #circles = new Circles();
  #removed = false;
  #name = "";
  #losses: number[] = [];
  #updates: Updates;
  #stuck: ReturnType<typeof setTimeout> | undefined;
  #passing: ReturnType<typeof setTimeout> | undefined;
  #redrawing: ReturnType<typeof setTimeout> | undefined;
  #slot: Slot = {
    live: false,
    starting: false,
    inSight: false,
    hasSnapshot: false,
    used: 0,
    pause: () => this.#pause(),
    slotFree: () => this.#start(),
  };
  #watcher = new IntersectionObserver((entries) => this.#saw(entries.at(-1)!.isIntersecting));

  #sized = new ResizeObserver(() => this.#fit());
  /** Called when the preview needs no updates for now, since it is out of sight and has no app, and when it needs them again. */
  onIdle: (idle: boolean) => void = () => {};

  /** A stand-alone page (`standAlone`) has no draft to edit, and no other preview that could follow. */
  constructor(kernel: KernelLink, height: string, { standAlone = false } = {}) {
    this.#kernel = kernel;
    this.#standAlone = standAlone;
    this.element.className = "cxw-preview";
    withoutMathJax(this.element);
    this.#stage.className = "cxw-preview-stage";
    this.#paused = new PausedView(this.#stage, this.#force);
    this.#status = new Status(this.element, this.#stage);
    this.#status.onProgress = (progress) => this.#came(progress);
    const notes = new Notes(this.#stage);
    this.#notes = notes;
    const viewState = new ViewState(this.element, notes);
    this.#image = new ImageOnSky(kernel, viewState, this.#status);
    const overlay = new Overlay(viewState);
    this.#solution = new SolutionMarks(kernel, viewState);
    kernel.onMessage("note", ({ message }) => notes.show(String(message)));
    const views = new ViewActions(this.element, notes, overlay, standAlone ? null : kernel);
    this.#wheel = new WheelGuard(this.element, this.#stage);
    const help = new Help();
    this.#relay = new Relay(kernel, viewState, this.#image, () => this.#start(true), notes);
    const reporter = new ViewReporter(kernel, viewState);
    const placing = new PlacementEditor(kernel, viewState, this.#image, notes, this.#wheel);
    const [sky, compare] = [new Sky(notes), new Compare()];
    this.#scene = new SceneLayers(kernel, viewState, sky, this.element, notes);
    this.#scene.onScene = () => {
      for (const control of [...this.#image.controls, ...compare.controls, ...placing.controls]) control.hidden = true;
    };
    this.#parts = [
      viewState,
      this.#image,
      this.#scene,
      new Zoom(viewState),
      compare,
      views,
      sky,
      new Constellations(),
      overlay,
      this.#solution,
      this.#relay,
      reporter,
      new SnapshotRequests(kernel, viewState, this.#status, () => this.#start(true)),
      new SkyRequests(kernel, sky, this.#status, () => this.#start(true)),
      placing,
      help,
      this.#wheel,
    ];
    this.#stage.prepend(overlay.element, this.#solution.element);
    const controlled = this.#parts.filter((part) => part !== placing || !standAlone);
    this.#more = new More(controlled.flatMap((part) => part.more ?? []));
    const tools = toolbar([...controlled.flatMap((part) => part.controls ?? []), ...this.#more.controls]);
    tools.addEventListener("pointerdown", this.#force);
    for (const event of ["pointerenter", "focusin", "keydown"])
      this.element.addEventListener(event, () => (this.#slot.used = performance.now()));
    this.element.addEventListener("keydown", help.escape);
    this.element.addEventListener("keydown", this.#more.escape);
    this.element.addEventListener("keydown", placing.escape);
    this.element.addEventListener("keydown", keepFromHost);
    this.element.addEventListener("mousedown", focusPressed);
    overlay.follow(placing.layer);
    this.#stage.insertBefore(placing.layer, overlay.element.nextSibling);
    this.#stage.append(help.element);
    this.element.append(tools, placing.bar.element, this.#stage);
    this.#sized.observe(this.element);
    this.setHeight(height);
    this.#status.set("loading", LOADING);
    kernel.onSilence = (silent) => this.#status.silent(silent);
    kernel.subscribe(() => this.#status.gone(kernel.gone));
    this.#updates = new Updates(kernel);
    this.#updates.onIdle = (idle) => this.onIdle(idle);
    this.#updates.onState = (state) => this.#receive(state);
    this.#updates.onError = (message) => notes.show(message);
    this.#updates.onCurrent = (current) => {
      this.#image.held = this.#scene.held = !current;
      this.#judgePicture();
      if (current) this.#redraw();
    };
    this.#image.onRevision = this.#scene.onRevision = () => this.#judgePicture();
  }

  setHeight(height: string): void {
    this.#stage.style.height = height;
    this.#app?.wake();
  }

  #fit(): void {
    const room = roomOf(this.element);
    if (room === this.#more.room) return;
    this.#more.room = room;
    this.element.dataset.room = room;
  }

  /** Fetch the app's files, and build the app when the preview is in sight. Any failure ends in a message in the cell. */
  async start(): Promise<void> {
    enter(this.#slot);
    this.#watcher.observe(this.#stage);
    try {
      const opened = this.#kernel.request<OpenedPreview>("open").then(({ content }) => {
        this.#receive(content); // the image's files may come before the app is there
        this.#relay.opened({ ...content });
      });
      await Promise.all([opened, this.#build(opened)]);
      if (this.#relay.awaited) this.#start(true);
    } catch (error) {
      if (!(error instanceof ClosedError)) this.#status.set("failed", messageOf(error));
    }
  }

  #receive(state: OpenedPreview): void {
    this.#name = state.title ?? "";
    this.#image.receive(state);
    this.#solution.receive(state.solution ?? []);
    if (state.scene) this.#scene.receive(state.scene);
  }

  /**
   * Does not wait for the image, which takes as long as the app. But the image's files are requested before the app starts, as far
   * as the kernel says in time which they are: this page has no time for that while the app starts.
   */
  async #build(opened: Promise<void>): Promise<void> {
    const files = await appFiles(this.#kernel);
    await Promise.race([opened.catch(() => {}), pause(IN_TIME)]);
    await pause(0); // the requests have left the page
    if (this.#removed) return;
    this.#files = files;
    this.#slot.inSight ||= isInSight(this.#stage); // the browser reports it, too, some frames later
    this.#start();
  }

  /** What a saved notebook shows in this preview's place; null while there is no picture. */
  staticFallback(): Node | null {
    this.#takePicture();
    const { picture } = this.#paused;
    const caption = this.#app && this.#isPictureCurrent ? taken(this.#name) : lastShown(this.#name);
    return picture ? figure(picture, "The sky with the image on it.", caption) : null;
  }

  remove(): void {
    this.#removed = true;
    clearTimeout(this.#passing);
    clearTimeout(this.#redrawing);
    this.#watcher.disconnect();
    this.#sized.disconnect();
    this.#wheel.remove();
    this.#end();
    if (leave(this.#slot)) dropPrewarmedLater();
    this.#kernel.close();
    this.element.remove();
  }

  #saw(inSight: boolean): void {
    Object.assign(this.#slot, { inSight, used: performance.now() });
    const throttle = this.#app?.frame.throttle;
    if (throttle) throttle.seen = inSight;
    clearTimeout(this.#passing);
    this.#settleUpdates();
    if (!inSight) offerSlots();
    else if (this.#status.progress === "paused") this.#passing = setTimeout(() => this.#start(), PASSING);
    else this.#start();
  }

  /** The user wants this preview: pause another one if necessary. */
  #force = (): void => {
    this.#slot.used = performance.now();
    this.#losses = [];
    this.#start(true);
  };

  #start(force = false): void {
    if (this.#app || this.#removed || !this.#files) return;
    if (!force && (!this.#slot.inSight || this.#lostTooOften)) {
      if (this.#status.progress === "loading") this.#status.set("loading", UNSEEN);
      return;
    }
    const place = takeSlot(this.#slot, force);
    if (place === "full") this.#showPaused(this.#paused.picture ? ASIDE : FULL);
    if (place !== "taken") return;
    this.#settleUpdates();
    const focused = document.activeElement === this.#paused.element;
    this.#paused.wake();
    this.#status.set("loading", this.#paused.picture ? "" : LOADING);
    const addresses = new Addresses(this.#image.files, this.#files.sky, (text) => this.#notes.show(text));
    const frame = takePrewarmed(this.#stage) ?? this.#startFrame(this.#files, addresses);
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
      get atRest() {
        return !frame.delivering && (this.engine?.atRest ?? false);
      },
      post: (message) => this.#post(frame, message),
      wake: () => frame.throttle?.wake(),
      drawSoon: () => frame.throttle?.drawSoon(),
    };
    frame.belongTo(addresses, {
      ready: () => this.#ready(),
      onMessage: (message) => this.#parts.forEach((part) => part.onMessage?.(message)),
      lost: (loss) => this.#lost(loss),
    });
  }

  /** Return null if the page forbids it, which is shown. */
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

  /** Post a message with the corrections that the engine needs, and allow the files of WWT that it will request. */
  #post(frame: Frame, message: AppMessage): void {
    this.#app?.addresses.wwt.heed(message);
    for (const corrected of this.#circles.corrected(message)) frame.post(corrected as AppMessage);
  }

  #ready(): void {
    const app = this.#app!;
    clearTimeout(this.#stuck);
    app.engine = Engine.find(app.frame.realm!);
    if (!app.engine)
      console.warn("The preview does not know this version of WWT's engine, and reloads the image for each change.");
    this.#circles = new Circles(app.engine?.circleScale);
    const throttle = app.frame.throttle!;
    throttle.afterFrame = () => this.#drawn(app);
    throttle.atRest = () => this.#status.progress !== "ready" && app.atRest;
    throttle.seen = this.#slot.inSight;
    app.post({ event: "modify_settings", target: "app", settings: [["hideAllChrome", true]] });
    for (const part of this.#parts) part.appReady?.(app);
    this.#started();
  }

  #started(): void {
    this.#slot.starting = false;
    offerSlots();
  }

  #drawn(app: App): void {
    const camera = app.engine?.camera;
    if (camera)
      for (const corrected of this.#circles.seenAt(camera.fov, app.frame.element.clientHeight))
        app.frame.post(corrected as AppMessage);
    if (app.engine && !app.atRest) app.wake();
    for (const part of this.#parts) part.drawn?.(app);
  }

  #came(progress: Progress): void {
    if (["loading", "ready", "paused"].includes(progress)) return;
    this.#paused.hide();
    if (progress === "shown" && this.#files && !this.#standAlone) prewarm(this.#files);
    if (this.#slot.hasSnapshot) return;
    this.#slot.hasSnapshot = true;
    setTimeout(offerSlots); // another's turn, if there are many
  }

  #pause(): void {
    this.#takePicture();
    this.#end();
    this.#showPaused(this.#paused.picture ? ASIDE : UNSEEN);
    this.#settleUpdates();
  }

  #takePicture(): void {
    if (!this.#app || !this.#slot.hasSnapshot) return;
    try {
      this.#paused.picture = smallPicture(this.#app, this.#stage.clientWidth);
    } catch {
      return; // the view has no size now: keep the last snapshot, if there is one
    }
    this.#paused.revision = this.#scene.revision
      ? this.#scene.drawnRevision
      : Number(this.element.dataset.cxwRevision ?? 0);
    this.#judgePicture();
  }

  get #isPictureCurrent(): boolean {
    return this.#updates.current && this.#paused.revision === (this.#scene.revision || this.#image.revision);
  }

  #judgePicture(): void {
    this.#paused.doubt = this.#isPictureCurrent ? "" : this.#updates.current ? OUTDATED : UNCONFIRMED;
    clearTimeout(this.#redrawing);
    if (!this.#isPictureCurrent) this.#redrawing = setTimeout(() => whenIdle(() => this.#redraw()), SETTLED);
  }

  /** Have an outdated snapshot redrawn: its turn for an app comes before that of previews with a snapshot of the present image. */
  #redraw(): void {
    if (this.#app || this.#removed || this.#isPictureCurrent || !this.#updates.current) return;
    this.#slot.hasSnapshot = false;
    offerSlots();
  }

  #settleUpdates(): void {
    if (!this.#standAlone) this.#updates.idle = !this.#slot.live && !this.#slot.inSight;
  }

  #showPaused(words: string): void {
    this.#status.set("paused");
    this.#paused.show(words);
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
    this.#slot.live = this.#slot.starting = false;
    this.#settleUpdates();
    if (this.#lostTooOften) this.#showPaused(TAKEN);
    else this.#start();
  }

  get #lostTooOften(): boolean {
    return this.#losses.length >= LOSSES;
  }

  #fail(words: string): void {
    this.#end();
    this.#status.set("failed", words);
    leave(this.#slot);
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

/** Call `work` when the browser has nothing else to do. Safari does not tell. */
const whenIdle = (work: () => void) => ("requestIdleCallback" in window ? requestIdleCallback(work) : setTimeout(work));

const pause = (time: number) => new Promise((goOn) => setTimeout(goOn, time));

const snapshotOf = (name: string) => `Snapshot of the preview${name && ` of “${name}”`}`;
const taken = (name: string) =>
  `${snapshotOf(name)}, taken when this notebook was saved. Run the cell for a live preview.`;
const lastShown = (name: string) =>
  `${snapshotOf(name)} as it was last shown; the image may have changed since. Run the cell for a live preview.`;

const forbidden = (directive: string) =>
  `The preview can't be shown in this page: its Content-Security-Policy (“${directive}”) blocks the scripts of WWT. ` +
  "The operator of the page can allow them with blob: or 'unsafe-inline'. Everything else works without the preview.";

function isInSight(element: HTMLElement): boolean {
  const { top, bottom, width, height } = element.getBoundingClientRect();
  return width > 0 && height > 0 && bottom > 0 && top < window.innerHeight;
}
