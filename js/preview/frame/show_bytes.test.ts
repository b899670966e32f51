import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Bytes } from "./addresses.ts";
import type { Realm } from "./intercept.ts";

/** A page in which a policy forbids these; what its images were told to show is in `shown`. */
function page(...forbidden: string[]) {
  const shown: string[] = [];
  const urls = new Set<string>();
  const realm = {
    Blob,
    URL: {
      createObjectURL: () => `blob:${urls.add(`blob:${urls.size}`).size - 1}`,
      revokeObjectURL: (url: string) => urls.delete(url),
    },
  } as unknown as Realm;
  const set = (image: HTMLImageElement, url: string) => {
    shown.push(url.slice(0, url.indexOf(":")));
    queueMicrotask(() =>
      image.dispatchEvent(new Event(forbidden.some((way) => url.startsWith(way)) ? "error" : "load")),
    );
  };
  return { realm, set, shown, urls };
}

const quick = (bytes: Bytes): Bytes => Object.assign(bytes, { toBase64: () => "AAAA" });
const TILE = quick(new Uint8Array(3));

describe("bytes in an image", () => {
  let showBytes: typeof import("./show_bytes.ts").showBytes;
  beforeEach(async () => {
    vi.resetModules(); // what was forbidden in the last page
    ({ showBytes } = await import("./show_bytes.ts"));
  });

  /** What the image told the engine. */
  async function show({ realm, set }: ReturnType<typeof page>, bytes: Bytes = TILE): Promise<string[]> {
    const image = new EventTarget() as HTMLImageElement;
    const heard: string[] = [];
    for (const event of ["load", "error"]) image.addEventListener(event, () => heard.push(event));
    showBytes(realm, image, set, bytes, "http://localhost:1/1/image/0.png");
    await new Promise((later) => setTimeout(later));
    return heard;
  }

  it("are a data: URL if they are few and the browser is quick at it, else a blob: URL", async () => {
    const here = page();
    expect(await show(here)).toEqual(["load"]);
    expect(await show(here, quick(new Uint8Array(2 ** 20 + 1)))).toEqual(["load"]);
    expect(await show(here, new Uint8Array(3))).toEqual(["load"]);
    expect(here.shown).toEqual(["data", "blob", "blob"]);
    expect(here.urls.size).toBe(0);
  });

  it.each([
    ["data", "blob", TILE],
    ["blob", "data", new Uint8Array(3)],
  ])("come the other way where a page forbids %s:, which is tried once", async (forbidden, other, bytes) => {
    const here = page(forbidden);
    expect(await show(here, bytes)).toEqual(["load"]);
    expect(await show(here, bytes)).toEqual(["load"]);
    expect(here.shown).toEqual([forbidden, other, other]);
    expect(here.urls.size).toBe(0);
  });

  it("that are no image are an error, and forbid nothing", async () => {
    const here = page("data", "blob");
    expect(await show(here)).toEqual(["error"]);
    expect(await show(here)).toEqual(["error"]);
    expect(here.shown).toEqual(["data", "blob", "data", "blob"]);
  });
});
