/** The frame that WWT's research app runs in: same origin, written from memory, spoken to by messages. */

import type { Addresses } from "./addresses.ts";
import type { AppFiles } from "./app_files.ts";
import { intercept, type Realm } from "./intercept.ts";
import { Throttle } from "./throttle.ts";

/** Messages to the app; the types of all messages are in the npm package @wwtelescope/research-app-messages. */
export type AppMessage =
  | { event: "load_image_collection"; url: string; threadId: string }
  | { event: "set_foreground_by_name" | "set_background_by_name"; name: string }
  | { event: "set_foreground_opacity"; value: number }
  | { event: "center_on_coordinates"; ra: number; dec: number; fov: number; roll?: number; instant: boolean }
  | { event: "image_layer_create"; id: string; url: string; mode: "preloaded"; goto: boolean; name: string }
  | { event: "image_layer_set"; id: string; setting: "opacity"; value: number }
  | { event: "image_layer_remove"; id: string }
  | { event: "setting_set"; setting: string; value: string | boolean }
  | { event: "modify_settings"; target: "app"; settings: [string, boolean][] };

/** Why an app can't go on: the browser has emptied its frame, or taken its graphics memory away, or has no WebGL; or a policy of the page forbids it. */
export type Loss = { why: "emptied" | "context" | "no WebGL" } | { why: "forbidden"; directive: string };

export interface AppEvents {
  /** The app listens. */
  ready: () => void;
  /** The app sent a message. */
  onMessage: (message: Record<string, unknown>) => void;
  /** There is no app any more, or there never will be one. */
  lost: (loss: Loss) => void;
}

// A page that was opened from a file has an origin without a name, which no message can be addressed to; its `location.origin` is
// not what its messages say that they come from.
const TARGET = self.origin === "null" ? "*" : self.origin;

const PING = 10;
const DELIVERED = "cxw delivered";
const CHUNKS = "webpackChunk_wwtelescope_research_app"; // what the app's first script defines

export class Frame {
  readonly element = document.createElement("iframe");
  #files: AppFiles;
  #addresses: Addresses;
  #events: AppEvents | null = null;
  #listens = false;
  /** The app's message about its state, which comes once. */
  #appState: Record<string, unknown> | null = null;
  #throttle: Throttle | null = null;
  #ping: ReturnType<typeof setInterval> | undefined;
  #building = false;
  /** How many of the messages came before the last mark; whether that is on its way. */
  #marked = 0;
  #delivering = false;
  #posted = 0;
  #delivered = 0;
  #removed = false;
  #session = Math.random().toString(36).slice(2);

  /** `addresses` are what the app can load until a preview takes the frame. */
  constructor(files: AppFiles, addresses: Addresses) {
    this.#files = files;
    this.#addresses = addresses;
    this.element.className = "cxw-preview-frame";
    this.element.title = "The sky in WorldWide Telescope";
    // A browser empties a frame whose cell was moved or attached again.
    this.element.addEventListener("load", () => {
      if (this.#throttle && !this.#building && !this.realm?.document.querySelector("#app"))
        this.#lose({ why: "emptied" });
    });
    window.addEventListener("message", this.#receive);
  }

  get realm(): Realm | null {
    return this.element.contentWindow as Realm | null;
  }

  get throttle(): Throttle | null {
    return this.#throttle;
  }

  get aspect(): number {
    return this.element.clientWidth / Math.max(this.element.clientHeight, 1);
  }

  post(message: AppMessage): void {
    this.realm?.postMessage(message, TARGET);
    this.#posted += 1;
    if (!this.#delivering) this.#mark();
  }

  /** How many messages were posted to the app. */
  get posted(): number {
    return this.#posted;
  }

  /** How many of them it has, at least: until then a frame shows what was before the others. */
  get delivered(): number {
    return this.#delivered;
  }

  /** Post a message of our own, which comes after all others. */
  #mark(): void {
    this.realm?.postMessage(DELIVERED, TARGET);
    this.#marked = this.#posted;
    this.#delivering = true;
  }

  remove(): void {
    this.#removed = true;
    clearInterval(this.#ping);
    this.#throttle?.stop();
    window.removeEventListener("message", this.#receive);
    // Not left to the garbage collector: a page has 16 WebGL contexts.
    for (const canvas of accessibleDocument(this.realm)?.querySelectorAll("canvas") ?? []) {
      (canvas.getContext("webgl2") ?? canvas.getContext("webgl"))?.getExtension("WEBGL_lose_context")?.loseContext();
    }
    this.element.remove();
  }

  /** Give the frame to a preview, which gets its events from now on: `ready` at once if the app listens already. */
  belongTo(addresses: Addresses, events: AppEvents): void {
    this.#addresses = addresses;
    this.#events = events;
    if (!this.#listens) return;
    events.ready();
    if (this.#appState) events.onMessage(this.#appState);
  }

  /** Whether the app listens. */
  get listens(): boolean {
    return this.#listens;
  }

  /** Builds the app, once; the element must be in the document. */
  start(): void {
    const realm = this.realm!;
    this.#building = true;
    const page = realm.document;
    page.open();
    page.write(
      '<!doctype html><html lang="en"><head><meta charset="utf-8"></head><body><div id="app"></div></body></html>',
    );
    page.close();
    const style = page.createElement("style");
    style.textContent = `html, body { margin: 0; height: 100%; overflow: hidden; background: #000 }\n${this.#files.css}`;
    page.head.append(style);
    nameOrigin(realm);
    realm.addEventListener("message", this.#onMark, { capture: true });
    const find = (url: string) => {
      const found = this.#addresses.find(url);
      if (found && "bytes" in found) void found.bytes.then(() => this.#throttle?.wake());
      return found;
    };
    intercept(realm, find, () => this.#throttle?.drawSoon());
    // The app itself finds out: a context created only as a test takes time, and a page has few of them.
    noticeMissingWebGL(realm, () => this.#lose({ why: "no WebGL" }));
    this.#throttle = new Throttle(realm);
    page.addEventListener("webglcontextlost", () => this.#lose({ why: "context" }), { capture: true });
    runScripts(page, this.#files.scripts, (directive) => this.#lose({ why: "forbidden", directive }));
    this.#ping = setInterval(() => {
      realm.postMessage({ type: "wwt_ping_pong", threadId: this.#session, sessionId: this.#session }, TARGET);
    }, PING);
    setTimeout(() => (this.#building = false));
  }

  #lose(loss: Loss): void {
    if (this.#removed) return;
    if (this.#events) this.#events.lost(loss);
    else this.remove(); // no preview had taken it yet
  }

  #onMark = (event: MessageEvent): void => {
    if (event.data !== DELIVERED) return;
    event.stopImmediatePropagation();
    this.#delivering = false;
    this.#delivered = this.#marked;
    if (this.#marked < this.#posted) this.#mark();
    this.#throttle?.drawSoon();
  };

  #receive = (event: MessageEvent): void => {
    if (event.source !== this.realm || event.origin !== self.origin) return;
    const message = event.data as Record<string, unknown> | null;
    if (typeof message !== "object" || message === null) return;
    if (message.type === "wwt_ping_pong") {
      if (this.#ping === undefined) return;
      clearInterval(this.#ping);
      this.#ping = undefined;
      this.#listens = true;
      this.#events?.ready();
    } else {
      if (message.type === "wwt_application_state") this.#appState = message;
      this.#events?.onMessage(message);
    }
  };
}

/** The document of a frame; null where the page is sandboxed without allow-same-origin, and has no access to it. */
function accessibleDocument(realm: Realm | null): Document | null {
  try {
    return realm?.document ?? null;
  } catch {
    return null;
  }
}

/**
 * Run classic scripts in their order: inline, or from blob: URLs where the page's Content-Security-Policy forbids inline scripts, as some
 * hubs do. Call `forbidden` with the policy's directive where it forbids both.
 */
function runScripts(page: Document, scripts: string[], forbidden: (directive: string) => void): void {
  const inline = (code: string) => {
    const script = page.createElement("script");
    script.textContent = code;
    page.body.append(script);
    script.remove();
  };
  // The first one is the trial: a stand-alone page allows no scripts but these.
  inline(scripts[0]!);
  if (CHUNKS in page.defaultView!) {
    scripts.slice(1).forEach(inline);
    return;
  }
  page.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) => {
    if (effectiveDirective.startsWith("script-src") && blockedURI.startsWith("blob")) forbidden(effectiveDirective);
  });
  for (const code of scripts) {
    const script = page.createElement("script");
    script.src = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
    script.async = false; // in this order
    script.onload = script.onerror = () => {
      URL.revokeObjectURL(script.src);
      script.remove();
    };
    page.body.append(script);
  }
}

/** Call `missing` when the app could get no kind of WebGL context. */
function noticeMissingWebGL(realm: Realm, missing: () => void): void {
  const prototype = realm.HTMLCanvasElement.prototype;
  const native = prototype.getContext as (
    this: HTMLCanvasElement,
    type: string,
    ...more: unknown[]
  ) => RenderingContext | null;
  let found = false;
  prototype.getContext = function (this: HTMLCanvasElement, type: string, ...more: unknown[]) {
    const context = native.call(this, type, ...more);
    if (type.includes("webgl")) {
      found ||= context !== null;
      if (!found) setTimeout(() => !found && missing());
    }
    return context;
  } as typeof prototype.getContext;
}

/**
 * The app listens only to the origin that its own address names, and sends its messages there; this frame has no address to speak of.
 * Where the page's origin has no name, messages of the page come from `TARGET` in the frame's realm.
 */
function nameOrigin(realm: Realm): void {
  try {
    realm.history.replaceState(null, "", `?origin=${encodeURIComponent(TARGET)}`);
  } catch {
    // Some hosts forbid it; the second way is enough.
  }
  const get = realm.URLSearchParams.prototype.get;
  realm.URLSearchParams.prototype.get = function (this: URLSearchParams, name: string) {
    return name === "origin" ? TARGET : get.call(this, name);
  };
  if (TARGET === self.origin) return;
  const { get: native } = Object.getOwnPropertyDescriptor(realm.MessageEvent.prototype, "origin")!;
  Object.defineProperty(realm.MessageEvent.prototype, "origin", {
    configurable: true,
    get(this: MessageEvent) {
      return this.source === realm.parent ? TARGET : native!.call(this);
    },
  });
}
