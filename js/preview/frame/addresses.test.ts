import { afterEach, describe, expect, it, vi } from "vitest";
import { Addresses, SKY } from "./addresses.ts";
import type { LocalFiles } from "./local_files.ts";

const asked: string[] = [];
const files = {
  file: (path: string) => {
    asked.push(path);
    return Promise.resolve(new TextEncoder().encode(path));
  },
} as unknown as LocalFiles;
const DSS = {
  id: "dss",
  name: "DSS",
  address: "https://sky.example.org/{L}/{X}/{Y}.png",
  levels: 5,
  credits: "",
  more: "",
};
const file = (content: string) => new TextEncoder().encode(content);
const sky = new Map([
  ["sky_0.jpg", file("left")],
  ["sky_1.jpg", file("right")],
  ["figures.txt", file("lines")],
  ["names.txt", file("Andromeda")],
  ["surveys.json", file(JSON.stringify([DSS]))],
]);
const addresses = new Addresses(files, sky);

async function textAt(url: string): Promise<string | null> {
  const found = addresses.find(url);
  if (!found || "link" in found) throw new Error(`nothing at ${url}`);
  const bytes = await found.bytes;
  return bytes && new TextDecoder().decode(bytes);
}

describe("what the engine asks for", () => {
  it("comes from the kernel if it is the image's own, whatever the revision", async () => {
    expect(await textAt("http://localhost:1/7/image/2/1/1_3.png")).toBe("image/2/1/1_3.png");
    expect(asked).toEqual(["image/2/1/1_3.png"]);
  });

  it("is loaded by the browser if it is a remote image's", () => {
    expect(addresses.find("http://localhost:1/7/network/https://example.org/a.png?b=1")).toEqual({
      link: "https://example.org/a.png?b=1",
    });
  });

  it("is nothing if it is a remote address of another kind", async () => {
    expect(await textAt("http://localhost:1/7/network/file:///etc/passwd")).toBeNull();
    expect(await textAt("http://localhost:1/7/network/javascript:alert(1)")).toBeNull();
  });

  it("is the sky, the WTML of the moment, or a stand-in for the engine's own files", async () => {
    expect(await textAt(SKY.url)).toContain("Equirectangular");
    expect(await textAt("http://localhost:1/sky/1.jpg")).toBe("right");
    const url = addresses.publish(3, "<Folder/>");
    expect(await textAt(url)).toBe("<Folder/>");
    expect(addresses.publish(4, "<Folder/>")).not.toBe(url);
    expect(await textAt("http://web.wwtassets.org/engine/assets/moons.txt")).toBe("Planet\tEpoch");
    expect(await textAt("http://web.wwtassets.org/engine/assets/figures.txt")).toBe("lines");
    expect(await textAt("http://web.wwtassets.org/engine/assets/ConstellationNamePositions_EN.txt")).toBe("Andromeda");
    expect(await textAt("http://web.wwtassets.org/engine/assets/names.txt")).toBeNull();
    expect(await textAt("https://worldwidetelescope.org/wwtweb/catalog.aspx?X=ImageSets6")).toContain("<Folder");
  });

  it("is nothing on any other host, and nobody is asked", async () => {
    for (const url of [
      "https://cdn.worldwidetelescope.org/wwtweb/dss.aspx?q=0,0,0",
      "http://127.0.0.1:8888/api",
      "//example.org/x",
      "/api/contents",
      "x.png",
      "http://localhost:1/",
      "http://localhost:1/sky/2.jpg",
      "http://localhost:10/7/image/a.png",
      "about://worldwidetelescope.org/x", // in an embedded page
    ]) {
      expect(await textAt(url)).toBeNull();
    }
    expect(asked.length).toBe(1);
  });

  it("is left to the browser if the page holds it already", () => {
    expect(addresses.find("data:image/png;base64,AAAA")).toBeNull();
    expect(addresses.find("blob:http://localhost/1")).toBeNull();
    expect(addresses.find("about:blank")).toBeNull();
  });
});

describe("a survey", () => {
  const requests: string[] = [];
  const serve = (answer: () => Response) =>
    vi.stubGlobal("fetch", (url: string) => {
      requests.push(url);
      return Promise.resolve().then(answer);
    });
  afterEach(() => {
    addresses.close();
    vi.unstubAllGlobals();
    requests.length = 0;
  });

  it("is asked for tiles only while it is the chosen one, and at its own addresses", async () => {
    serve(() => new Response("tile"));
    expect(await textAt("http://localhost:1/survey/1/3/2/1")).toBeNull();
    const { url, name } = addresses.open(DSS, () => {});
    const wtml = await textAt(url);
    expect(wtml).toContain(`Name="${name}"`);
    const tile = /Url="([^"]*)"/.exec(wtml!)![1]!;
    const at = (level: number, x: number, y: number) =>
      tile.replace("{L}", `${level}`).replace("{X}", `${x}`).replace("{Y}", `${y}`);
    expect(await textAt(at(3, 2, 1))).toBe("tile");
    for (const other of [at(6, 0, 0), `${at(3, 2, 1)}/../x`, `${at(3, 2, 1)}?https://example.org/`])
      expect(await textAt(other)).toBeNull();
    addresses.close();
    expect(await textAt(at(3, 2, 1))).toBeNull();
    expect(requests).toEqual(["https://sky.example.org/3/2/1.png"]);
  });

  it("has a new name and new addresses each time, and what is old is not asked for any more", async () => {
    serve(() => new Response("tile"));
    const first = addresses.open(DSS, () => {});
    const second = addresses.open(DSS, () => {});
    expect(second).not.toEqual(first);
    expect(await textAt(first.url)).toBeNull();
  });

  it("tells whether its host answers; a missing tile is an answer", async () => {
    const told: boolean[] = [];
    const tileOf = ({ url }: { url: string }) => url.replace(".wtml", "/0/0/0");
    serve(() => new Response(null, { status: 404 }));
    expect(await textAt(tileOf(addresses.open(DSS, (reached) => told.push(reached))))).toBeNull();
    serve(() => {
      throw new TypeError("Failed to fetch");
    });
    expect(await textAt(tileOf(addresses.open(DSS, (reached) => told.push(reached))))).toBeNull();
    expect(told).toEqual([true, false]);
  });
});
