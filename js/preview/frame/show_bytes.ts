/**
 * Has an `<img>` show bytes that are in this page. A data: URL is read where it is used; a blob: URL goes through the browser's own
 * process and back, which takes twice as long for a tile and half as long for a large picture. A page's policy may forbid either.
 */

import { dataAddress } from "../../shared/data_address.ts";
import type { Bytes } from "./addresses.ts";
import type { Realm } from "./intercept.ts";

type Way = "data" | "blob";

const SMALL = 2 ** 20; // bytes

const TYPES: Record<string, string> = {
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  gif: "image/gif",
  webp: "image/webp",
};

/** What a policy of this page has forbidden. */
const forbidden = new Set<Way>();

/** `set` sets the image's own `src`; `url` is what the bytes are of. An error event means that they are not an image. */
export function showBytes(
  realm: Realm,
  image: HTMLImageElement,
  set: (image: HTMLImageElement, url: string) => void,
  bytes: Bytes,
  url: string,
): void {
  const type = TYPES[/\.(\w+)(?:[?#]|$)/.exec(url)?.[1]?.toLowerCase() ?? ""] ?? "";
  const quick = bytes.length <= SMALL && "toBase64" in bytes;
  const ways = (quick ? (["data", "blob"] as const) : (["blob", "data"] as const)).filter((way) => !forbidden.has(way));
  attempt(ways[0]!, ways[1]);

  function attempt(way: Way, other: Way | undefined, failed?: Way): void {
    const source =
      way === "data" ? dataAddress(bytes, type) : realm.URL.createObjectURL(new realm.Blob([bytes], { type }));
    const end = () => {
      if (way === "blob") realm.URL.revokeObjectURL(source);
      image.removeEventListener("load", loaded);
      image.removeEventListener("error", retry, true);
    };
    const loaded = () => {
      end();
      if (failed) forbidden.add(failed);
    };
    // Runs before the engine's own listener.
    const retry = (event: Event) => {
      end();
      if (!other) return;
      event.stopImmediatePropagation();
      attempt(other, undefined, way);
    };
    image.addEventListener("load", loaded);
    image.addEventListener("error", retry, true);
    set(image, source);
  }
}
