import { expect, test } from "vitest";
import { KernelLink } from "../shared/kernel_link.ts";
import { PageModel } from "./page_model.ts";

const PLACING = { refusal: "", locked: true, undo: "", redo: "", size: null, pixel: null, mirrored: null };
const state = (name: string) => ({
  revision: 1,
  name,
  imageset: null,
  wtml: null,
  size: null,
  waiting: [],
  pixels: null,
  files: null,
  placing: PLACING,
});

function page(): PageModel {
  const content = {
    height: "65vh",
    images: [
      { title: "first", state: state("cxw 1."), fits: null },
      { title: "second", state: state("cxw 2."), fits: { cuts: [0, 1], quantiles: [], note: "" } },
    ],
    app: [["css", "a"]],
    files: { "image0/0/0_0.png": "b" },
  };
  const texts: Record<string, string> = { "cxw-content": JSON.stringify(content), a: btoa("style"), b: btoa("tile") };
  const getElementById = (id: string) =>
    id in texts
      ? Object.assign(document.createElement("script"), { type: "text/plain", textContent: texts[id] })
      : null;
  return new PageModel({ getElementById } as Pick<Document, "getElementById">);
}

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

test("requests are answered from what the page holds", async () => {
  const link = new KernelLink(page().asModel());
  expect((await link.request("open")).content).toMatchObject({
    title: "first",
    name: "cxw 1.",
    revision: 1,
    wwt: false,
  });
  const app = await link.request("app");
  expect([app.content, app.buffers.map(text)]).toMatchObject([{ names: ["css"] }, ["style"]]);
  const files = await link.request("files", { paths: ["image0/1/0_0.png", "image0/0/0_0.png", "constructor"] });
  expect(files.content).toMatchObject({ start: 0, found: [false, true, false] });
  expect(files.buffers.map(text)).toEqual(["tile"]);
  link.close();
});

test("what would change the draft is refused", async () => {
  const link = new KernelLink(page().asModel());
  await expect(link.request("place", { op: "undo" })).rejects.toThrow("has no kernel");
  await expect(link.request("fits_pixels")).rejects.toThrow();
  link.close();
});

test("another image comes as a newer state, also when it was shown before", async () => {
  const model = page();
  const link = new KernelLink(model.asModel());
  const seen: unknown[] = [];
  link.onMessage("imageset", ({ name, revision }) => seen.push([name, revision]));
  model.show(1);
  model.show(1);
  model.show(0);
  await Promise.resolve();
  expect(seen).toEqual([
    ["cxw 2.", 2],
    ["cxw 1.", 3],
  ]);
  model.show(1);
  expect((await link.request("fits_pixels")).content).toMatchObject({ cuts: [0, 1] });
  link.close();
});
