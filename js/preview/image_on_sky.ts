/** The draft's image on the sky: brought up to what the kernel says, by moving it if that is enough, by loading it if not. */

import { cameraFor, guessSize } from "./camera";
import type { Comm } from "../shared/comm";
import type { Gaze } from "./gaze";
import type { App, Part } from "./part";
import { nameOf, needsReload, type State } from "./state";
import type { Status } from "./status";
import { button, slider } from "./toolbar";

// Without a way into the engine nobody says when the picture is complete.
const SURELY_DRAWN = 1500;

export class ImageOnSky implements Part {
  #gaze: Gaze;
  #status: Status;
  #app: App | null = null;
  #state: State | null = null;
  /** The revision whose WTML is loaded, and what of it is on the sky. */
  #onSky: { loadedRevision: number; state: State } | null = null;
  #loading: { url: string; state: State } | null = null;
  /** The camera was set for a size that was guessed: set it again when the size is known. */
  #guessed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #opacity = slider("Image opacity", 0, 100, 100, () => this.#fade());
  readonly controls = [button("Go to image", () => this.goToImage()), this.#opacity.element];

  constructor(comm: Comm, gaze: Gaze, status: Status) {
    this.#gaze = gaze;
    this.#status = status;
    comm.on("imageset", (state) => this.receive(state as unknown as State));
    comm.on("go", () => this.goToImage());
  }

  /** What the kernel says the image is. An older word that comes late is dropped. */
  receive(state: State): void {
    if (this.#state && state.revision <= this.#state.revision) return;
    this.#state = state;
    this.#status.wait(wordsOn(state));
    this.#update();
  }

  goToImage(): void {
    const [app, sky] = [this.#app, this.#onSky];
    if (!app || !sky?.state.imageset) return;
    const { imageset, size } = sky.state;
    const known = size ?? app.engine?.sizeOf(nameOf(sky.loadedRevision), imageset.tile_levels) ?? null;
    this.#guessed = known === null;
    this.#gaze.look(cameraFor(imageset, known ?? guessSize(imageset), app.frame.aspect));
  }

  appReady(app: App): void {
    this.#app = app;
    this.#onSky = this.#loading = null;
    this.#status.set("ready");
    this.#update();
  }

  heard(message: Record<string, unknown>): void {
    if (message.event !== "load_image_collection_completed" || !this.#loading || message.url !== this.#loading.url) return;
    const { state } = this.#loading;
    this.#loading = null;
    this.#onSky = { loadedRevision: state.revision, state };
    this.#app!.post({ event: "set_foreground_by_name", name: nameOf(state.revision) });
    this.#fade();
    this.#status.set("ready");
    if (!this.#gaze.isSet) this.goToImage();
    if (!this.#app!.engine) this.#timer = setTimeout(() => this.#onSky?.state === state && this.#drawn(), SURELY_DRAWN);
    this.#update(); // there may be a newer state by now
  }

  drawn({ engine }: App): void {
    if (!engine || this.#status.progress !== "ready" || !this.#onSky || !engine.atRest) return;
    const reached = engine.stateOf(nameOf(this.#onSky.loadedRevision));
    if (reached === "failed") this.#status.set("failed", whyFailed(this.#onSky.state));
    else if (reached === "drawn" && this.#guessed) this.#goAgain();
    else if (reached === "drawn") this.#drawn();
  }

  appGone(): void {
    clearTimeout(this.#timer);
    this.#app = null;
  }

  #update(): void {
    const [app, next, sky] = [this.#app, this.#state, this.#onSky];
    if (!app || !next) return;
    if (!next.imageset || !next.wtml) {
      if (next.waiting.length > 0) this.#status.set("waiting");
      else this.#status.shown(next.revision); // there is no draft: the sky is all
      return;
    }
    if (this.#loading || sky?.state.revision === next.revision) return;
    if (sky?.state.imageset && !needsReload(sky.state.imageset, next.imageset) && this.#move(nameOf(sky.loadedRevision), next)) {
      sky.state = next;
      this.#status.set("ready");
      app.wake();
      return;
    }
    const url = app.addresses.publish(next.revision, next.wtml);
    this.#loading = { url, state: next };
    if (this.#status.progress !== "shown") this.#status.set("ready");
    app.post({ event: "load_image_collection", url, threadId: String(next.revision) });
  }

  #move(name: string, next: State): boolean {
    const app = this.#app!;
    try {
      return app.engine?.place(name, next.imageset!) ?? false;
    } catch (error) {
      console.warn("The preview can't move the image in place, and loads it anew for each change:", error);
      app.engine = null;
      return false;
    }
  }

  #drawn(): void {
    const { revision } = this.#onSky!.state;
    if (this.#state!.imageset) this.#status.shown(revision);
    else this.#status.set("waiting");
  }

  /** Now that the image is there, its size is known, or never will be. */
  #goAgain(): void {
    this.goToImage();
    this.#guessed = false;
  }

  #fade(): void {
    this.#app?.post({ event: "set_foreground_opacity", value: this.#opacity.value });
  }
}

function wordsOn({ waiting, imageset }: State): string {
  const fields = waiting.map(([field, why]) => `${field} ${why}`).join("; ");
  return fields && (imageset ? `Not on the sky yet: ${fields}.` : `The image can't be shown yet: ${fields}.`);
}

function whyFailed({ imageset }: State): string {
  return imageset!.url.includes("/network/")
    ? "The image can't be loaded from its URL. The address may be wrong, or its server does not let other sites use it (it sends no CORS header)."
    : "The image's file can't be read on the kernel's machine, or is no image that a browser can show.";
}
