/** The model of a preview without a kernel: it responds to the preview's requests from what the page holds. */

import type { AnyModel } from "@anywidget/types";
import type { CommandsMessage, FitsPixels, PreviewState } from "../protocol.ts";
import { messageOf } from "../shared/kernel_link.ts";

/** An image of the page. */
interface PageImage {
  title: string;
  state: PreviewState;
  /** How its FITS pixels are displayed at first, if it has any. */
  fits: FitsPixels | null;
}

/** What Python has written into the page. */
export interface PageContent {
  height: string;
  images: PageImage[];
  /** The app's files in the order in which the preview gets them, by the ids of their elements. */
  app: [name: string, id: string][];
  /** The images' files, by their paths. */
  files: Record<string, string>;
}

type Bytes = Uint8Array<ArrayBuffer>;
type Listener = (...args: unknown[]) => void;
type Message = { kind: string; id?: number } & Record<string, unknown>;

const GONE = "This page has no kernel: the image can be viewed here, and not changed.";

export class PageModel {
  #page: Pick<Document, "getElementById">;
  #content: PageContent;
  #listeners = new Map<string, Set<Listener>>();
  #shown = 0;
  #revision = 1;

  constructor(page: Pick<Document, "getElementById">) {
    this.#page = page;
    this.#content = JSON.parse(this.#text("cxw-content")) as PageContent;
  }

  get height(): string {
    return this.#content.height;
  }

  /** Have the preview show the image of this number. */
  show(number: number): void {
    if (number === this.#shown) return;
    this.#shown = number;
    this.#revision += 1;
    this.#tell({ kind: "imageset", ...this.#state() });
  }

  /** Move the view to the image that is shown. */
  goToImage(): void {
    this.#tell({ kind: "go_to_image" });
  }

  /** This as the model that anywidget would hand out. */
  asModel(): AnyModel {
    const model = {
      get: () => undefined,
      set: () => {},
      save_changes: () => {},
      send: (message: Message) => void this.#receive(message),
      on: (name: string, listener: Listener) => {
        this.#listeners.set(name, (this.#listeners.get(name) ?? new Set()).add(listener));
      },
      off: (name: string, listener: Listener) => void this.#listeners.get(name)?.delete(listener),
    };
    return model as unknown as AnyModel;
  }

  get #image(): PageImage {
    return this.#content.images[this.#shown]!;
  }

  #state(): PreviewState {
    return { ...this.#image.state, revision: this.#revision };
  }

  async #receive(message: Message): Promise<void> {
    if (message.kind === "commands") {
      const { page, commands } = message as unknown as CommandsMessage; // reports, of which nothing follows here
      this.#tell({ kind: "received", page, number: commands.at(-1)!.number });
    }
    if (typeof message.id !== "number") return;
    try {
      const [content, buffers] = await this.#respond(message);
      this.#tell({ id: message.id, ok: true, ...content }, buffers);
    } catch (error) {
      this.#tell({ id: message.id, ok: false, message: messageOf(error) });
    }
  }

  async #respond({ kind, paths }: Message): Promise<[content: object, buffers?: Bytes[]]> {
    const { app, files } = this.#content;
    if (kind === "open") return [{ ...this.#state(), title: this.#image.title, wwt: false, awaited: false }];
    if (kind === "app")
      return [{ names: app.map(([name]) => name) }, await Promise.all(app.map(([, id]) => this.#file(id)))];
    if (kind === "fits_pixels" && this.#image.fits) return [this.#image.fits];
    if (kind === "app_messages") return [{ last: 0, messages: [] }];
    if (kind !== "files") throw new Error(GONE);
    const ids = (paths as string[]).map((path) => (Object.hasOwn(files, path) ? files[path]! : null));
    const found = await Promise.all(ids.filter((id) => id !== null).map((id) => this.#file(id)));
    return [{ start: 0, found: ids.map((id) => id !== null), faults: {} }, found];
  }

  /** The bytes in an element, which are base64; those of the class "cxw-gzip" are compressed, too. */
  async #file(id: string): Promise<Bytes> {
    const bytes = decoded(this.#text(id));
    if (!this.#page.getElementById(id)!.classList.contains("cxw-gzip")) return bytes;
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  #text(id: string): string {
    return this.#page.getElementById(id)?.textContent ?? "";
  }

  /** As a kernel does: after the caller has gone on. */
  #tell(message: object, buffers: Bytes[] = []): void {
    const views = buffers.map((bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    queueMicrotask(() => this.#listeners.get("msg:custom")?.forEach((listener) => listener(message, views)));
  }
}

function decoded(base64: string): Bytes {
  const quick = (Uint8Array as unknown as { fromBase64?: (text: string) => Bytes }).fromBase64;
  if (quick) return quick(base64);
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}
