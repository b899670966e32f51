/** One preview in one cell: brings together the kernel, the frame with the app, and the parts that the preview is made of. */

import { Addresses } from "./addresses";
import { appFiles, type AppFiles } from "./app_files";
import { Closed, type Comm } from "../shared/comm";
import { Engine } from "./engine";
import { Frame } from "./frame";
import { Gaze } from "./gaze";
import { ImageOnSky } from "./image_on_sky";
import type { App, Part } from "./part";
import { Sky } from "./sky";
import type { State } from "./state";
import { Status } from "./status";
import { toolbar } from "./toolbar";

const NO_WEBGL = "The preview needs WebGL, which this browser does not have or has switched off. Everything else works without.";
const STUCK = "WWT did not start in this page. Its console may say why: a policy of the page may forbid what WWT needs.";
const STUCK_AFTER = 30_000;

export class PreviewView {
  readonly element = document.createElement("div");
  #comm: Comm;
  #stage = document.createElement("div");
  #status: Status;
  #image: ImageOnSky;
  #parts: Part[];
  #app: App | null = null;
  #removed = false;
  #stuck: ReturnType<typeof setTimeout> | undefined;

  constructor(comm: Comm, height: string) {
    this.#comm = comm;
    this.element.className = "cxw-preview";
    this.#stage.className = "cxw-preview-stage";
    this.#status = new Status(this.element, this.#stage);
    const gaze = new Gaze(this.element);
    this.#image = new ImageOnSky(comm, gaze, this.#status);
    this.#parts = [new Sky(), gaze, this.#image];
    this.element.append(toolbar(this.#parts.flatMap((part) => part.controls ?? [])), this.#stage);
    this.setHeight(height);
    this.#status.set("loading", "Loading WorldWide Telescope …");
    comm.onSilence = (silent) => this.#status.silent(silent);
  }

  setHeight(height: string): void {
    this.#stage.style.height = height;
    this.#app?.wake();
  }

  /** Brings up the app; resolves when it is being built. Whatever goes wrong ends in words in the cell. */
  async start(): Promise<void> {
    if (!hasWebGL()) {
      this.#status.set("failed", NO_WEBGL);
      return;
    }
    try {
      const [files, opened] = await Promise.all([appFiles(this.#comm), this.#comm.ask("open")]);
      if (this.#removed) return;
      this.#image.receive(opened.content as unknown as State);
      this.#app = this.#makeApp(files);
      this.#stage.prepend(this.#app.frame.element);
      this.#app.frame.start();
      this.#stuck = setTimeout(() => {
        if (this.#status.progress === "loading") this.#status.set("failed", STUCK);
      }, STUCK_AFTER);
    } catch (error) {
      if (!(error instanceof Closed)) this.#status.set("failed", error instanceof Error ? error.message : String(error));
    }
  }

  remove(): void {
    this.#removed = true;
    clearTimeout(this.#stuck);
    for (const part of this.#parts) part.appGone?.();
    this.#comm.close();
    this.#app?.frame.remove();
    this.element.remove();
  }

  #makeApp(files: AppFiles): App {
    const addresses = new Addresses(this.#comm, files.sky);
    const frame = new Frame(files, addresses, {
      ready: () => this.#ready(),
      heard: (message) => this.#parts.forEach((part) => part.heard?.(message)),
    });
    return {
      frame,
      addresses,
      engine: null,
      post: (message) => frame.post(message),
      wake: () => frame.throttle?.wake(),
    };
  }

  #ready(): void {
    const app = this.#app!;
    app.engine = Engine.find(app.frame.realm!);
    if (!app.engine) console.warn("The preview does not know this version of WWT's engine, and loads the image anew for each change.");
    app.frame.throttle!.afterFrame = () => this.#drawn(app);
    app.post({ event: "modify_settings", target: "app", settings: [["hideAllChrome", true]] });
    for (const part of this.#parts) part.appReady?.(app);
  }

  #drawn(app: App): void {
    if (app.engine && !app.engine.atRest) app.wake();
    for (const part of this.#parts) part.drawn?.(app);
  }
}

function hasWebGL(): boolean {
  const context = document.createElement("canvas").getContext("webgl2") ?? document.createElement("canvas").getContext("webgl");
  context?.getExtension("WEBGL_lose_context")?.loseContext();
  return context !== null;
}
