/**
 * Stands between the engine in a frame and the network. The engine loads bytes by `<img>.src` and XMLHttpRequest, its app also by
 * `fetch`; each is patched in the frame's realm.
 */

import type { Bytes, Found } from "./addresses.ts";
import { showBytes } from "./show_bytes.ts";

/** The globals of a frame's window, which TypeScript's `Window` does not list. */
export type Realm = Window & typeof globalThis;

type Find = (url: string) => Found | null;

/** `find` returns what is at an address; `arrived` is called after the engine has received an image. */
export function intercept(realm: Realm, find: Find, arrived: () => void): void {
  interceptImages(realm, find, arrived);
  interceptXHR(realm, find);
  interceptFetch(realm, find);
  // The engine alerts when one of its data files is missing. All it can miss here is what was left out on purpose.
  realm.alert = () => {};
}

function interceptImages(realm: Realm, find: Find, arrived: () => void): void {
  const prototype = realm.HTMLImageElement.prototype;
  const native = Object.getOwnPropertyDescriptor(prototype, "src")!;
  const requested = new WeakMap<HTMLImageElement, string>();
  const set = (image: HTMLImageElement, url: string) => native.set!.call(image, url);
  Object.defineProperty(prototype, "src", {
    configurable: true,
    enumerable: true,
    // The engine reads it back to decide about its proxy: it must see the address that it wrote.
    get(this: HTMLImageElement) {
      return requested.get(this) ?? native.get!.call(this);
    },
    set(this: HTMLImageElement, value: unknown) {
      const url = String(value);
      const found = find(url);
      if (!found) {
        requested.delete(this);
        set(this, url);
        return;
      }
      requested.set(this, url);
      if ("link" in found) {
        set(this, found.link);
        return;
      }
      void found.bytes.then((bytes) => {
        if (requested.get(this) !== url) return; // its address has changed in the meantime
        if (bytes) {
          this.addEventListener("load", arrived, { once: true });
          showBytes(realm, this, set, bytes, url);
        } else this.dispatchEvent(new realm.Event("error")); // the engine takes it as a hole in the pyramid
      });
    },
  });
}

/** A request is answered whole in JavaScript: none is made, so no policy of the page can forbid it. */
function interceptXHR(realm: Realm, find: Find): void {
  const prototype = realm.XMLHttpRequest.prototype;
  const { open, send } = prototype;
  const pending = new WeakMap<XMLHttpRequest, Found>();
  prototype.open = function (this: XMLHttpRequest, ...args: unknown[]) {
    const found = find(String(args[1]));
    if (found) pending.set(this, found);
    else {
      pending.delete(this);
      (open as (...args: unknown[]) => void).apply(this, args);
    }
  } as typeof prototype.open;
  prototype.send = function (this: XMLHttpRequest, body?: XMLHttpRequestBodyInit | null) {
    const found = pending.get(this);
    if (found) void bytesOf(found).then((bytes) => answer(realm, this, bytes));
    else send.call(this, body as XMLHttpRequestBodyInit);
  };
}

function answer(realm: Realm, request: XMLHttpRequest, bytes: Bytes | null): void {
  const give = (name: keyof XMLHttpRequest, value: unknown) =>
    Object.defineProperty(request, name, { configurable: true, get: () => value });
  give("readyState", 4);
  give("status", bytes ? 200 : 404);
  give("statusText", bytes ? "OK" : "Not Found");
  if (bytes) {
    const type = request.responseType;
    const asText = type === "" || type === "text" || type === "json" ? new TextDecoder().decode(bytes) : "";
    if (type === "" || type === "text") give("responseText", asText);
    if (type === "blob") give("response", new realm.Blob([bytes]));
    else if (type === "arraybuffer") give("response", bytes.slice().buffer);
    else give("response", type === "json" ? (JSON.parse(asText) as unknown) : asText);
  }
  for (const event of ["readystatechange", "load", "loadend"]) request.dispatchEvent(new realm.Event(event));
}

function interceptFetch(realm: Realm, find: Find): void {
  const fetch = realm.fetch.bind(realm);
  realm.fetch = async (input: RequestInfo | URL, init?: RequestInit) => {
    const found = find(input instanceof realm.Request ? input.url : String(input));
    if (!found) return fetch(input, init);
    const bytes = await bytesOf(found);
    return bytes ? new realm.Response(bytes) : new realm.Response(null, { status: 404 });
  };
}

async function bytesOf(found: Found): Promise<Bytes | null> {
  if ("bytes" in found) return found.bytes;
  try {
    const response = await fetch(found.link, { credentials: "omit" });
    return response.ok ? new Uint8Array(await response.arrayBuffer()) : null;
  } catch {
    return null;
  }
}
