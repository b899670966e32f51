import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { WwtFiles } from "./wwt_files.ts";

const GLYPHS = "http://web.wwtassets.org/engine/assets/glyphs1.xml";
const ART = "http://cdn.worldwidetelescope.org/wwtweb/catalog.aspx?W=hevelius";
const STARS = "http://cdn.worldwidetelescope.org/wwtweb/catalog.aspx?Q=hipparcos";
const ALL = [
  GLYPHS,
  ART,
  STARS,
  "http://web.wwtassets.org/engine/assets/milkywaybar.jpg",
  "http://web.wwtassets.org/engine/assets/saturnringsstrip.png",
];

const said: string[] = [];
let files: WwtFiles;
const set = (setting: string, value: unknown) => files.heed({ event: "setting_set", setting, value });

beforeEach(() => {
  said.length = 0;
  files = new WwtFiles("http://localhost:1/0/network/", (words) => said.push(words));
});
afterEach(() => vi.unstubAllGlobals());

async function textAt(url: string): Promise<string | null> {
  const found = files.find(url);
  if (!found || !("bytes" in found)) throw new Error(`${url} is not requested`);
  const bytes = await found.bytes;
  return bytes && new TextDecoder().decode(bytes);
}

it("requests nothing that no program has asked for", () => {
  for (const url of ALL) expect(files.find(url)).toBeNull();
  set("showGrid", true);
  set("showConstellationFigures", true);
  set("showConstellationLabels", false);
  files.heed({ event: "set_viewer_mode", mode: "sky" });
  for (const url of ALL) expect(files.find(url)).toBeNull();
});

it("requests each feature's files, whatever the engine's version calls them, and over https", async () => {
  const requested: string[] = [];
  vi.stubGlobal("fetch", (url: string, options: RequestInit) => {
    requested.push(url);
    expect(options).toMatchObject({ credentials: "omit", referrerPolicy: "no-referrer" });
    return Promise.resolve(new Response("there"));
  });
  for (const [setting, urls] of [
    ["showEquatorialGridText", [GLYPHS, "http://web.wwtassets.org/engine/assets/glyphs2_summary.xml"]],
    ["showConstellationPictures", [ART]],
  ] as const) {
    set(setting, true);
    for (const url of urls) await textAt(url);
    set(setting, false);
    for (const url of urls) expect(files.find(url)).toBeNull();
  }
  files.heed({ event: "set_viewer_mode", mode: "3D Solar System View" });
  for (const url of ALL.slice(2)) await textAt(url);
  expect(requested.every((url) => url.startsWith("https://"))).toBe(true);
  expect(requested).toHaveLength(6);
  set("showConstellationLabels", true);
  expect(files.find("https://evil.example.org/engine/assets/milkywaybar.jpg")).toBeNull();
  expect(
    files.find("https://worldwidetelescope.org/webserviceproxy.aspx?targeturl=http://a/engine/assets/glyphs"),
  ).toBeNull();
  expect(said).toEqual([]);
});

it("has the pictures that a collection names loaded by the page", async () => {
  const wtml = '<Folder><ImageSet Url="http://example.org/a/{Q}.png"/><ImageSet Url=""/></Folder>';
  vi.stubGlobal("fetch", () => Promise.resolve(new Response(wtml)));
  set("showConstellationPictures", true);
  expect(await textAt(ART)).toContain('Url="http://localhost:1/0/network/https://example.org/a/{Q}.png"');
});

it("says when a tour can't be loaded", async () => {
  vi.stubGlobal("fetch", (url: string) =>
    Promise.resolve(new Response("a tour", { status: url.includes("there") ? 200 : 404 })),
  );
  const bytes = async (url: string) => (files.tour(url) as { bytes: Promise<Uint8Array | null> }).bytes;
  expect(new TextDecoder().decode((await bytes("https://example.org/there.wtt"))!)).toBe("a tour");
  expect(said).toEqual([]);
  expect(await bytes("https://example.org/gone.WTT")).toBeNull();
  expect(said).toEqual([
    "This page could not load the tour (from example.org): check its network, then show the preview again.",
  ]);
  for (const url of ["https://example.org/a.png", "file:///a.wtt", "a.wtt"]) expect(files.tour(url)).toBeNull();
});

it("reports once for each feature and server what could not be loaded", async () => {
  vi.stubGlobal("fetch", (url: string) =>
    url.includes("glyphs")
      ? Promise.reject(new TypeError("no network"))
      : Promise.resolve(new Response("", { status: 404 })),
  );
  set("showConstellationLabels", true);
  set("showConstellationPictures", true);
  expect([await textAt(GLYPHS), await textAt(GLYPHS), await textAt(ART)]).toEqual([null, null, null]);
  expect(said).toEqual([
    "This page could not load the letters of labels (from web.wwtassets.org): check its network, then show the preview again.",
    "This page could not load the letters of labels (from web.wwtassets.org), the pictures of the constellations (from cdn.worldwidetelescope.org): " +
      "check its network, then show the preview again.",
  ]);
});
