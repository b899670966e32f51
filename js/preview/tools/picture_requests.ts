/** Pictures that the kernel requests of a preview: each is sent once the preview shows what it needs, or the reason why not. */

import type { SnapshotPart } from "../../protocol.ts";
import { type KernelLink, messageOf } from "../../shared/kernel_link.ts";
import type { App, Part } from "../part.ts";
import type { Status } from "../status.ts";
import { pngOf } from "./snapshot.ts";

const PART_BYTES = 1 << 20; // of one message: servers refuse large ones
const AFTER = 100; // ms between two looks whether all is there
/** Such looks in a row: a tile that has come may be followed by deeper ones. */
export const QUIET = 4;

/** Which view of the preview this is, among those of all pages. */
const VIEW = Math.random().toString(36).slice(2);

export interface Taken {
  picture: HTMLCanvasElement;
  about?: SnapshotPart["about"];
}

export abstract class PictureRequests<Request extends { number: number; seconds: number }> implements Part {
  #kernel: KernelLink;
  #status: Status;
  #start: () => void;
  #ready: readonly Status["progress"][];
  #app: App | null = null;
  #last = 0;

  /** Requests are messages of this `kind`; they wait for a progress in `ready`. `start` has a preview that is not live become so. */
  constructor(
    kernel: KernelLink,
    kind: string,
    status: Status,
    ready: readonly Status["progress"][],
    start: () => void,
  ) {
    this.#kernel = kernel;
    this.#status = status;
    this.#ready = ready;
    this.#start = start;
    kernel.onMessage<Request>(kind, (request) => void this.#answer(request));
  }

  appReady(app: App): void {
    this.#app = app;
  }

  appGone(): void {
    this.#app = null;
  }

  /** Take the picture, or throw an error with the reason at the time `end`. */
  protected abstract take(app: App, request: Request, end: number): Promise<Taken>;

  /** Wait for the next look, as long as the app is the same. */
  protected async wait(app: App, end: number, otherwise: string): Promise<void> {
    await inTime(end, otherwise);
    if (this.#app !== app) throw new Error("The browser has stopped the preview.");
  }

  /** The kernel repeats a request until it has its answer. */
  async #answer(request: Request): Promise<void> {
    if (request.number <= this.#last) return;
    this.#last = request.number;
    const end = performance.now() + request.seconds * 1000;
    const part = { number: request.number, view: VIEW, index: 0, count: 1 };
    try {
      const { picture, about } = await this.take(await this.#started(end), request, end);
      const bytes = await (await pngOf(picture)).arrayBuffer();
      const count = Math.ceil(bytes.byteLength / PART_BYTES);
      for (let index = 0; index < count; index++) {
        const buffer = bytes.slice(index * PART_BYTES, (index + 1) * PART_BYTES);
        await this.#kernel.request("snapshot_part", { ...part, index, count, ...(about && { about }) }, [buffer]);
      }
    } catch (error) {
      await this.#kernel.request("snapshot_part", { ...part, error: messageOf(error) }).catch(() => {});
    }
  }

  async #started(end: number): Promise<App> {
    this.#start();
    while (!this.#app || !this.#ready.includes(this.#status.progress)) {
      if (this.#status.progress === "failed") throw new Error("The preview could not start in its page.");
      await inTime(end, "The preview does not show the image yet.");
    }
    return this.#app;
  }
}

async function inTime(end: number, otherwise: string): Promise<void> {
  if (performance.now() > end) throw new Error(otherwise);
  await new Promise((later) => setTimeout(later, AFTER));
}
