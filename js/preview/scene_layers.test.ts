import { expect, test, vi } from "vitest";
import type { SceneDrawing, SceneImageset } from "../protocol.ts";
import type { App } from "./part.ts";
import { cameraOf, SceneLayers } from "./scene_layers.ts";

const VIEW = { ra: 10, dec: 20, height: 2, aspect: 1.5, roll: 30 };
const image = (number: number, opacity = 1): SceneImageset => ({
  name: `cxw scene ${number}.`,
  title: `Image ${number}`,
  url: `http://localhost:1/${number}/network/https://x/${number}.png`,
  wtml: `<Folder ${number}/>`,
  opacity,
});
const drawing = (revision: number, more: Partial<SceneDrawing> = {}): SceneDrawing => ({
  revision,
  layers: [],
  background: null,
  view: VIEW,
  note: "",
  ...more,
});

function shown() {
  const posted: Record<string, unknown>[] = [];
  let held = 0;
  const app = {
    engine: null,
    frame: { aspect: 2, delivering: false },
    addresses: { hold: () => `held ${++held}` },
    post: (message: Record<string, unknown>) => posted.push(message),
    wake: () => {},
  } as unknown as App;
  const look = vi.fn();
  const showScene = vi.fn();
  const show = vi.fn();
  const part = new SceneLayers({ onMessage: () => {} }, { look }, { showScene }, document.createElement("div"), {
    show,
  });
  const loaded = (url: string) => part.onMessage({ event: "load_image_collection_completed", url });
  const take = () =>
    posted.splice(0).map(({ event, id, value }) => [event, id, value].filter((it) => it !== undefined));
  return { app, part, loaded, take, look, showScene, show };
}

test("the region of a scene stays in view in a window of any shape", () => {
  expect(cameraOf(VIEW, 2)).toEqual({ ra: 10, dec: 20, fov: 2, roll: 30 });
  expect(cameraOf(VIEW, 0.75).fov).toBe(4);
});

test("layers are made in their order once all are loaded, and faded without being made again", () => {
  const { app, part, loaded, take, look } = shown();
  part.receive(drawing(1, { layers: [image(1), image(2, 0.5)] }));
  expect(take()).toEqual([]);
  part.appReady(app);
  expect(take().map(([event]) => event)).toEqual(["load_image_collection", "load_image_collection"]);
  expect(look).toHaveBeenCalledTimes(1);
  loaded("held 1");
  expect(take()).toEqual([]);
  loaded("held 2");
  expect(take()).toEqual([
    ["image_layer_create", "cxw scene 1."],
    ["image_layer_create", "cxw scene 2."],
    ["image_layer_set", "cxw scene 1.", 1],
    ["image_layer_set", "cxw scene 2.", 0.5],
  ]);
  part.receive(drawing(2, { layers: [image(1), image(2, 0.25)] }));
  expect(take()).toEqual([["image_layer_set", "cxw scene 2.", 0.25]]);
  part.receive(drawing(3, { layers: [image(2, 0.25), image(1)] }));
  expect(take().map(([event, id]) => `${event} ${id}`)).toEqual([
    "image_layer_remove cxw scene 1.",
    "image_layer_remove cxw scene 2.",
    "image_layer_create cxw scene 2.",
    "image_layer_create cxw scene 1.",
    "image_layer_set cxw scene 2.",
    "image_layer_set cxw scene 1.",
  ]);
  part.receive(drawing(2, { layers: [] })); // late
  expect(take()).toEqual([]);
  expect(look).toHaveBeenCalledTimes(1); // the view is the same
});

test("images that can't be loaded are named, once", () => {
  const { app, part, loaded, show } = shown();
  const stateOf = (name: string) => (name === "cxw scene 2." ? "failed" : "drawn");
  const seen = { ...app, engine: { images: { stateOf }, atRest: true } } as unknown as App;
  part.receive(drawing(1, { layers: [image(1), image(2)] }));
  part.appReady(app);
  for (const url of ["held 1", "held 2"]) loaded(url);
  part.drawn(seen);
  part.drawn(seen);
  expect(show.mock.calls.map(([text]) => text.slice(0, 32))).toEqual(["“Image 2” could not be loaded. T"]);
});

test("a background is shown once it is loaded, and taken away again; what can't be shown is said", () => {
  const { app, part, loaded, showScene, show } = shown();
  part.appReady(app);
  part.receive(drawing(1, { background: image(3), note: "x can't be shown." }));
  expect(showScene).not.toHaveBeenCalled();
  expect(show).toHaveBeenCalledWith("x can't be shown.");
  loaded("held 1");
  expect(showScene).toHaveBeenLastCalledWith({ url: "held 1", name: "cxw scene 3." });
  part.receive(drawing(2));
  expect(showScene).toHaveBeenLastCalledWith(null);
});
