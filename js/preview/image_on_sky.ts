/** The draft's image on the sky: kept up to date with the kernel, by moving it if that is enough, by loading it if not. */

import type { DrawnImage, Imageset, ImagesetEvent, PlacingStatus, PreviewState } from "../protocol.ts";
import type { KernelLink } from "../shared/kernel_link.ts";
import { outOfReach, wayTo } from "../shared/reach.ts";
import { type Camera, cameraFor, guessSize, isSameView } from "./engine/camera.ts";
import { KernelFiles } from "./frame/kernel_files.ts";
import { LocalFiles } from "./frame/local_files.ts";
import type { App, Part } from "./part.ts";
import { isFits, needsReload } from "./state.ts";
import type { Status } from "./status.ts";
import { FitsDisplay } from "./tools/fits_display.ts";
import { button, shortened } from "./tools/toolbar.ts";
import type { ViewState } from "./view_state.ts";

// Without access to the engine it is unknown when the picture is complete.
const SURELY_DRAWN = 1500;
// How long the last picture stays for the next one to be complete, ms; then it is seen as it comes.
const PATIENCE = 20_000;
// Until the browser has brought the picture to the screen, ms. It takes longer if more files come meanwhile.
const SEEN = 500;
const NO_FITS =
  "The preview can't show single FITS files with this version of WWT's engine. It can show pictures and tiles.";

/** The image, or the next one: of this state, in this way. */
interface OnSky {
  state: PreviewState;
  drawn: DrawnImage;
  /** The name under which the engine holds its tiles: that of the state it was loaded for. */
  name: string;
}

/** Where the image is that is on the sky, and how many pixels are drawn of it. */
export interface Placed {
  imageset: Imageset;
  size: readonly [number, number];
}

export class ImageOnSky implements Part {
  readonly files: LocalFiles;
  #kernel: KernelLink;
  #viewState: ViewState;
  #status: Status;
  #look: FitsDisplay;
  #app: App | null = null;
  #state: PreviewState | null = null;
  #onSky: OnSky | null = null;
  /** Its WTML is being loaded; then its tiles are, while the last picture stays. */
  #next: (OnSky & { url: string; since: number; loaded: boolean }) | null = null;
  #loads = 0;
  /** A requested file can't be read. */
  #fault = "";
  /** The files are not what they were: nothing that was loaded counts. */
  #stale = false;
  /** The camera was set for a size that was guessed: set it again when the size is known. */
  #guessed = false;
  /** Where the view was once it had been set for the guessed size: if it is elsewhere later, the user has moved it. */
  #guessedView: Camera | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #rest: ReturnType<typeof setTimeout> | undefined;
  #again = button("Retry", () => this.#tryAgain());
  readonly controls: readonly HTMLElement[];
  readonly more: readonly HTMLElement[];
  #held = false;
  /** Called when there is a newer state. */
  onRevision: () => void = () => {};
  /** Called with the state of the placement. */
  onState: (placing: PlacingStatus) => void = () => {};
  #size: { name: string; size: [number, number] } | null = null;

  constructor(kernel: KernelLink, viewState: ViewState, status: Status) {
    this.#kernel = kernel;
    this.#viewState = viewState;
    this.#status = status;
    const kernelFiles = new KernelFiles(kernel);
    kernelFiles.onFault = (message) => this.#failFile(message);
    this.files = new LocalFiles(kernelFiles);
    this.#look = new FitsDisplay(kernel, () => this.#lookChanged());
    this.#again.hidden = true;
    const go = shortened(
      button("", () => this.goToImage()),
      "Fit",
      " to image",
    );
    this.controls = [go, this.#again];
    this.more = [this.#look.element];
    kernel.onMessage<ImagesetEvent>("imageset", (state) => this.receive(state));
    kernel.onMessage("go_to_image", () => this.goToImage());
  }

  /** Take a new state of the image. An older one that comes late is dropped. */
  receive(state: PreviewState): void {
    const last = this.#state;
    if (last && state.revision <= last.revision) return;
    this.#state = state;
    const fault = state.files?.fault ?? "";
    if (fault === "") this.#stale ||= this.#fault !== "" || (last !== null && last.files?.key !== state.files?.key);
    this.#fault = fault;
    if (fault === "") this.files.expect(state.files); // else what is here is all there is
    this.#look.receive(state);
    if (this.#app && !this.#app.engine) this.#look.hide();
    this.#updateMessage();
    this.#update();
    this.onState(state.placing);
    this.onRevision();
  }

  /** The revision of its newest state. */
  get revision(): number {
    return this.#state?.revision ?? 0;
  }

  /** Keep the sky as it is, since there may be a newer state than is known here. */
  set held(held: boolean) {
    this.#held = held;
    this.#update();
  }

  /** The image on the sky, null if there is none. Its size is guessed while it is unknown. */
  get placed(): Placed | null {
    const sky = this.#onSky;
    if (!sky) return null;
    const { imageset, size } = sky.drawn;
    return { imageset, size: size ?? this.#measured(sky) ?? guessSize(imageset) };
  }

  goToImage(): void {
    if (this.#fault) this.#tryAgain();
    const [app, sky] = [this.#app, this.#onSky];
    if (!app || !sky) return;
    const { imageset, size } = sky.drawn;
    const known = size ?? this.#measured(sky);
    this.#guessed = known === null;
    this.#guessedView = null;
    this.#viewState.look(cameraFor(imageset, known ?? guessSize(imageset), app.frame.aspect));
  }

  appReady(app: App): void {
    this.#app = app;
    this.#onSky = this.#next = null;
    if (!app.engine) this.#look.hide();
    this.#status.set("ready");
    this.#update();
  }

  onMessage(message: Record<string, unknown>): void {
    const next = this.#next;
    if (message.event !== "load_image_collection_completed" || !next || next.loaded || message.url !== next.url) return;
    next.loaded = true;
    const images = this.#app!.engine?.images;
    if (images && isFits(next.drawn) && next.drawn.size) images.setSize(next.name, next.drawn.size);
    this.#color(next);
    if (!images || this.#comesFirst(next)) this.#exchange(next);
    this.#update(); // there may be a newer state by now
    this.#app!.wake();
  }

  drawn(app: App): void {
    const { engine, wake } = app;
    if (engine && !app.frame.delivering && this.#guessed) this.#guessedView ??= engine.camera;
    const next = this.#next;
    if (engine && next?.loaded) {
      engine.images.fetch(next.name);
      const complete = engine.images.stateOf(next.name) !== "loading" || performance.now() - next.since > PATIENCE;
      if (this.#comesFirst(next) || (complete && this.#mayShow(next))) this.#exchange(next);
      wake();
    }
    if (engine && this.#onSky && !engine.images.isShown(this.#onSky.name) && engine.images.show(this.#onSky.name)) {
      wake(); // this frame was drawn without it
      return;
    }
    if (!engine || this.#next || this.#status.progress !== "ready" || !this.#onSky || !app.atRest) return;
    const reached = engine.images.stateOf(this.#onSky.name);
    if (reached === "failed") this.#failed(this.#onSky.drawn);
    else if (reached === "drawn" && this.#guessed) this.#goAgain(engine.camera);
    else if (reached === "drawn") this.#drawn();
  }

  #failed(drawn: DrawnImage): void {
    this.#status.set("failed", this.#fault || this.#look.words || whyFailed(drawn));
    if (this.#fault || this.#look.words) return;
    const url = drawn.imageset.url.split("/network/")[1] ?? "";
    void wayTo(url).then((way) => {
      if (way === null && this.#onSky?.drawn === drawn && this.#status.progress === "failed")
        this.#status.set("failed", outOfReach(url));
    });
  }

  appGone(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#rest);
    this.#app = null;
  }

  /** What its pixels tell of its size. */
  #measured({ name, drawn }: OnSky): [number, number] | null {
    if (this.#size?.name === name) return this.#size.size;
    const size = this.#app?.engine?.images.sizeOf(name, drawn.imageset) ?? null;
    this.#size = size && { name, size };
    return size;
  }

  #update(): void {
    const [app, state] = [this.#app, this.#state];
    if (!app || !state || this.#held) return;
    const drawn = this.#chosen(state);
    if (!drawn) {
      if (state.waiting.length > 0) this.#status.set("waiting");
      else this.#status.shown(state.revision); // there is no draft: the sky is all
      return;
    }
    if (!app.engine && isFits(drawn) && drawn.imageset.projection === "SkyImage") {
      this.#status.set("failed", NO_FITS);
      return;
    }
    if (!this.#stale) {
      if (this.#next) {
        this.#follow(this.#next, state, drawn);
        return; // what it can't follow waits until it is on the sky: newer states never keep all of them from it
      }
      if (this.#onSky?.state === state && isFits(this.#onSky.drawn) === isFits(drawn)) return;
      if (this.#onSky && this.#follow(this.#onSky, state, drawn)) {
        this.#status.set("ready");
        app.drawSoon();
        return;
      }
    }
    this.#load(app, state, drawn);
  }

  #load(app: App, state: PreviewState, drawn: DrawnImage): void {
    if (this.#next) app.engine?.images.drop(this.#next.name);
    this.#stale = false;
    this.#loads += 1;
    const url = app.addresses.publish(this.#loads, drawn.wtml);
    this.#next = { state, drawn, name: drawn.name, url, since: performance.now(), loaded: false };
    if (this.#status.progress !== "shown") this.#status.set("ready");
    app.post({ event: "load_image_collection", url, threadId: String(this.#loads) });
  }

  /** Moves an image to where it is now, on the tiles that it has. False if it needs others. */
  #follow(image: OnSky, state: PreviewState, drawn: DrawnImage): boolean {
    if (needsReload(image.drawn.imageset, drawn.imageset)) return false;
    const app = this.#app!;
    try {
      if (!app.engine?.images.place(image.name, drawn.imageset)) return false;
    } catch (error) {
      console.warn("The preview can't move the image in place, and reloads it for each change:", error);
      app.engine = null;
      return false;
    }
    Object.assign(image, { state, drawn });
    return true;
  }

  /** The first image is seen as it comes; later ones when they are complete, so that the sky is never empty. */
  #comesFirst(next: OnSky): boolean {
    return !this.#onSky && this.#mayShow(next);
  }

  /** FITS pixels are shown when it is known how; everything else at once. */
  #mayShow(image: OnSky): boolean {
    return !isFits(image.drawn) || this.#look.coloring !== null || this.#look.words !== "";
  }

  #exchange(next: OnSky): void {
    const app = this.#app!;
    this.#color(next);
    if (!app.engine?.images.show(next.name)) app.post({ event: "set_foreground_by_name", name: next.name });
    this.#next = null;
    this.#onSky = { state: next.state, drawn: next.drawn, name: next.name };
    this.#status.set("ready");
    if (!this.#viewState.isSet) this.goToImage();
    const { state } = next;
    if (!app.engine) this.#timer = setTimeout(() => this.#onSky?.state === state && this.#drawn(), SURELY_DRAWN);
    this.#update();
  }

  #chosen(state: PreviewState): DrawnImage | null {
    const { name, imageset, wtml, size } = state;
    if (name === null || imageset === null || wtml === null) return null;
    return state.pixels && this.#look.wanted && this.#app?.engine ? state.pixels : { name, imageset, wtml, size };
  }

  #color(image: OnSky): void {
    const { coloring } = this.#look;
    if (coloring && isFits(image.drawn)) this.#app?.engine?.images.color(image.name, coloring);
  }

  #lookChanged(): void {
    if (this.#onSky) this.#color(this.#onSky);
    if (this.#status.progress === "shown") this.#status.set("ready");
    this.#updateMessage();
    this.#update();
    this.#app?.wake();
  }

  #failFile(words: string): void {
    this.#fault = words;
    this.#updateMessage();
  }

  #tryAgain(): void {
    void this.#kernel.request("retry").catch(() => {}); // a missing response is reported elsewhere
  }

  #updateMessage(): void {
    this.#status.wait(
      [this.#state && wordsOn(this.#state), this.#fault, this.#state?.files?.note, this.#look.words]
        .filter(Boolean)
        .join(" "),
    );
    this.#again.hidden = this.#fault === "";
  }

  #drawn(): void {
    const { revision } = this.#onSky!.state;
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => this.files.fetchRest(), SEEN);
    if (this.#state!.imageset) this.#status.shown(revision);
    else this.#status.set("waiting");
  }

  /** Now that the image is there, its size is known, or never will be. A view that was moved meanwhile stays. */
  #goAgain(camera: Camera | null): void {
    if (camera && this.#guessedView && isSameView(camera, this.#guessedView)) this.goToImage();
    this.#guessed = false;
  }
}

function wordsOn({ waiting, imageset }: PreviewState): string {
  const fields = waiting.map(([field, why]) => `${field} ${why}`).join("; ");
  return fields && (imageset ? `Not shown yet: ${fields}.` : `The image can't be shown yet: ${fields}.`);
}

function whyFailed({ imageset }: DrawnImage): string {
  return imageset.url.includes("/network/")
    ? "The image could not be loaded from its address. The address may be wrong, or the server does not allow other sites to load it (no CORS header)."
    : "The image file could not be read on the kernel's machine, or browsers do not support its format.";
}
