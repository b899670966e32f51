/** One preview in one cell: brings together the kernel, the frame with the app, and the draft's image. */

import { Addresses, SKY } from "./addresses";
import { appFiles } from "./app_files";
import { type Camera, cameraFor, guessSize } from "./camera";
import { Closed, type Comm } from "../shared/comm";
import { Engine } from "./engine";
import { Frame } from "./frame";
import { nameOf, needsReload, type State } from "./state";
import { Toolbar } from "./toolbar";

/** `loading` until the app runs, `ready` until the image is drawn, `shown`, `waiting` for the kernel or for values, `failed`. */
type Progress = "loading" | "ready" | "shown" | "waiting" | "failed";

const SILENT =
  "The kernel does not answer. If it is running another cell, the preview goes on when that is done; if it was restarted, run the cell again.";
const STUCK = "WWT did not start in this page. Its console may say why: a policy of the page may forbid what WWT needs.";
const STUCK_AFTER = 30_000;
// Without a way into the engine nobody says when the picture is complete.
const SURELY_DRAWN = 1500;

export class PreviewView {
  readonly element = document.createElement("div");
  #comm: Comm;
  #stage = document.createElement("div");
  #message = line("cxw-preview-message");
  #cover = line("cxw-preview-cover");
  #toolbar = new Toolbar({ go: () => this.goToImage(), opacity: () => this.#setOpacity() });
  #addresses: Addresses | null = null;
  #frame: Frame | null = null;
  #engine: Engine | null = null;
  #state: State | null = null;
  /** The revision whose WTML is loaded, and what of it is on the sky. */
  #onSky: { loadedRevision: number; state: State } | null = null;
  #loading: { url: string; state: State } | null = null;
  #camera: Camera | null = null;
  /** The view was taken to the image once; from then on it is the user's. */
  #looked = false;
  /** The camera was set for a size that was guessed: set it again when the size is known. */
  #guessed = false;
  #progress: Progress = "loading";
  #silent = false;
  #removed = false;
  #timers = new Set<ReturnType<typeof setTimeout>>();

  constructor(comm: Comm, height: string) {
    this.#comm = comm;
    this.element.className = "cxw-preview";
    this.#stage.className = "cxw-preview-stage";
    this.#stage.append(this.#cover, this.#message);
    this.element.append(this.#toolbar.element, this.#stage);
    this.setHeight(height);
    this.#setProgress("loading", "Loading WorldWide Telescope …");
    comm.onSilence = (silent) => {
      this.#silent = silent;
      this.#say();
    };
    comm.on("imageset", (state) => this.#receive(state as unknown as State));
    comm.on("go", () => this.goToImage());
  }

  setHeight(height: string): void {
    this.#stage.style.height = height;
    this.#frame?.throttle?.wake();
  }

  /** Brings up the app; resolves when it is being built. Whatever goes wrong ends in words in the cell. */
  async start(): Promise<void> {
    if (!hasWebGL()) {
      this.#setProgress("failed", "The preview needs WebGL, which this browser does not have or has switched off. Everything else works without.");
      return;
    }
    try {
      const [files, opened] = await Promise.all([appFiles(this.#comm), this.#comm.ask("open")]);
      if (this.#removed) return;
      this.#receive(opened.content as unknown as State);
      this.#addresses = new Addresses(this.#comm, files.sky);
      this.#frame = new Frame(files, this.#addresses, {
        ready: () => this.#appReady(),
        loaded: (url) => this.#loaded(url),
        moved: (camera) => (this.#camera = camera),
      });
      this.#stage.prepend(this.#frame.element);
      this.#frame.start();
      this.#later(STUCK_AFTER, () => {
        if (this.#progress === "loading") this.#setProgress("failed", STUCK);
      });
    } catch (error) {
      if (!(error instanceof Closed)) this.#setProgress("failed", error instanceof Error ? error.message : String(error));
    }
  }

  goToImage(): void {
    if (!this.#frame || !this.#onSky?.state.imageset) return;
    const { imageset, size } = this.#onSky.state;
    const known = size ?? this.#engine?.sizeOf(nameOf(this.#onSky.loadedRevision), imageset.tile_levels) ?? null;
    this.#guessed = known === null;
    this.#look(cameraFor(imageset, known ?? guessSize(imageset), this.#frame.aspect));
  }

  remove(): void {
    this.#removed = true;
    this.#timers.forEach(clearTimeout);
    this.#comm.close();
    this.#frame?.remove();
    this.element.remove();
  }

  // The kernel says what the image is.

  #receive(state: State): void {
    if (this.#state && state.revision <= this.#state.revision) return;
    this.#state = state;
    this.#say();
    this.#update();
  }

  /** Brings the sky up to the newest state, by moving the image if that is enough, by loading it if not. */
  #update(): void {
    const next = this.#state;
    if (!next || !this.#frame || this.#progress === "loading") return;
    if (!next.imageset || !next.wtml) {
      this.#setProgress("waiting");
      return;
    }
    const sky = this.#onSky;
    if (this.#loading || sky?.state.revision === next.revision) return;
    if (sky?.state.imageset && !needsReload(sky.state.imageset, next.imageset) && this.#move(nameOf(sky.loadedRevision), next)) {
      sky.state = next;
      this.#setProgress("ready");
      this.#frame.throttle?.wake();
      return;
    }
    const url = this.#addresses!.publish(next.revision, next.wtml);
    this.#loading = { url, state: next };
    if (this.#progress !== "shown") this.#setProgress("ready");
    this.#frame.post({ event: "load_image_collection", url, threadId: String(next.revision) });
  }

  #move(name: string, next: State): boolean {
    try {
      return this.#engine?.place(name, next.imageset!) ?? false;
    } catch (error) {
      console.warn("The preview can't move the image in place, and loads it anew for each change:", error);
      this.#engine = null;
      return false;
    }
  }

  // The app says how far it is.

  #appReady(): void {
    const frame = this.#frame!;
    this.#engine = Engine.find(frame.realm!);
    if (!this.#engine) console.warn("The preview does not know this version of WWT's engine, and loads the image anew for each change.");
    frame.throttle!.afterFrame = () => this.#afterFrame();
    this.#onSky = this.#loading = null;
    frame.post({ event: "modify_settings", target: "app", settings: [["hideAllChrome", true]] });
    frame.post({ event: "load_image_collection", url: SKY.url, threadId: "sky" });
    if (this.#looked) this.#look(this.#camera!); // the frame was built again: look where it looked
    this.#setProgress("ready");
    this.#update();
  }

  #loaded(url: string): void {
    if (url === SKY.url) {
      this.#frame!.post({ event: "set_background_by_name", name: SKY.name });
      return;
    }
    if (url !== this.#loading?.url) return;
    const { state } = this.#loading;
    this.#loading = null;
    this.#onSky = { loadedRevision: state.revision, state };
    this.#frame!.post({ event: "set_foreground_by_name", name: nameOf(state.revision) });
    this.#setOpacity();
    this.#setProgress("ready");
    if (!this.#looked) this.goToImage();
    if (!this.#engine) this.#later(SURELY_DRAWN, () => this.#onSky?.state === state && this.#drawn());
    this.#update(); // there may be a newer state by now
  }

  #afterFrame(): void {
    const engine = this.#engine;
    if (!engine) return;
    if (!engine.atRest) this.#frame?.throttle?.wake();
    if (this.#progress === "ready" && this.#onSky && engine.atRest) {
      const reached = engine.stateOf(nameOf(this.#onSky.loadedRevision));
      if (reached === "failed") this.#setProgress("failed", this.#whyFailed());
      else if (reached === "drawn" && this.#guessed) this.#goAgain();
      else if (reached === "drawn") this.#drawn();
    }
    this.#writeCamera();
  }

  /** Now that the image is there, its size is known, or never will be. */
  #goAgain(): void {
    this.goToImage();
    this.#guessed = false;
  }

  #drawn(): void {
    this.element.dataset.cxwRevision = String(this.#onSky!.state.revision);
    this.#setProgress(this.#state!.imageset ? "shown" : "waiting");
  }

  #whyFailed(): string {
    const { url } = this.#onSky!.state.imageset!;
    return url.includes("/network/")
      ? "The image can't be loaded from its URL. The address may be wrong, or its server does not let other sites use it (it sends no CORS header)."
      : "The image's file can't be read on the kernel's machine, or is no image that a browser can show.";
  }

  // What is done to the app.

  #look(camera: Camera): void {
    this.#camera = camera;
    this.#looked = true;
    this.#frame!.post({ event: "center_on_coordinates", ...camera, instant: true });
  }

  #setOpacity(): void {
    this.#frame?.post({ event: "set_foreground_opacity", value: this.#toolbar.opacity });
  }

  // What people and tests see.

  #setProgress(progress: Progress, words = ""): void {
    this.#progress = progress;
    this.element.dataset.cxwPreviewState = progress;
    this.#cover.textContent = words;
    this.#say();
  }

  /** The line at the foot of the sky: what the preview waits for. */
  #say(): void {
    const waiting = this.#state?.waiting ?? [];
    const fields = waiting.map(([field, why]) => `${field} ${why}`).join("; ");
    const words = fields && (this.#state?.imageset ? `Not on the sky yet: ${fields}.` : `The image can't be shown yet: ${fields}.`);
    this.#message.textContent = this.#silent ? SILENT : words;
    if (this.#silent) this.element.dataset.cxwPreviewState = "waiting";
    else this.element.dataset.cxwPreviewState = this.#progress;
  }

  /** For tests that compute where on the screen a position of the sky is. */
  #writeCamera(): void {
    const { camera, canvas } = this.#engine!;
    const text = JSON.stringify({ ...camera, width: canvas.width, height: canvas.height });
    if (this.element.dataset.cxwCamera !== text) this.element.dataset.cxwCamera = text;
  }

  #later(milliseconds: number, action: () => void): void {
    this.#timers.add(setTimeout(action, milliseconds));
  }
}

function line(className: string): HTMLElement {
  const element = document.createElement("div");
  element.className = className;
  element.setAttribute("role", "status");
  return element;
}

function hasWebGL(): boolean {
  const context = document.createElement("canvas").getContext("webgl2") ?? document.createElement("canvas").getContext("webgl");
  context?.getExtension("WEBGL_lose_context")?.loseContext();
  return context !== null;
}
