import { beforeEach, describe, expect, it } from "vitest";
import type { App } from "./part.ts";
import { ViewState } from "./view_state.ts";

type Message = Record<string, unknown>;

describe("a view of an app that tells no more than its messages", () => {
  let posted: Message[];
  let notes: string[];
  let viewState: ViewState;
  const app = {
    engine: null,
    frame: { element: { clientWidth: 400, clientHeight: 200 } },
    post: (message: Message) => posted.push(message),
  } as unknown as App;
  const looks = { ra: 10, dec: -20, fov: 3, roll: 40, width: 400, height: 200 };

  beforeEach(() => {
    [posted, notes] = [[], []];
    viewState = new ViewState(document.createElement("div"), { show: (words) => void notes.push(words) });
    viewState.appReady(app);
    viewState.onMessage({
      type: "wwt_view_state",
      raRad: (10 * Math.PI) / 180,
      decRad: (-20 * Math.PI) / 180,
      fovDeg: 3,
      rollDeg: 40,
    });
  });

  it("is known on the sky, and not in a mode of coordinates that turns it in an unknown way", () => {
    expect(viewState.view(app)).toEqual(looks);
    for (const setting of ["galacticMode", "localHorizonMode"]) {
      viewState.follow({ event: "setting_set", setting, value: true });
      expect(viewState.view(app)).toBeNull();
      viewState.follow({ event: "setting_set", setting, value: false });
      expect(viewState.view(app)).toEqual(looks);
    }
  });

  it("is none while a program shows a planet or the Solar System, where nothing goes to the image", () => {
    viewState.follow({ event: "set_viewer_mode", mode: "Mars" });
    expect([viewState.view(app), viewState.showsSky(app)]).toEqual([null, false]);
    viewState.look({ ra: 1, dec: 2, fov: 3, roll: 0 });
    expect(posted).toEqual([]);
    expect(notes).toEqual([expect.stringContaining("not the sky")]);
    viewState.follow({ event: "set_background_by_name", name: "Offline sky" });
    expect([viewState.view(app), viewState.showsSky(app)]).toEqual([looks, true]);
  });

  it("is zoomed around its center, with the roll that it has, as far as WWT can", () => {
    viewState.zoom(1 / 1.5);
    viewState.zoom(1000);
    const center = { event: "center_on_coordinates", ra: expect.closeTo(10), dec: expect.closeTo(-20), instant: true };
    expect(posted).toEqual([
      { ...center, fov: 2 },
      { ...center, fov: 60 },
    ]);
    expect(viewState.camera).toMatchObject({ fov: 60, roll: 40 });
    viewState.follow({ event: "set_viewer_mode", mode: "Mars" });
    viewState.zoom(2);
    expect(notes).toEqual([expect.stringContaining("not the sky")]);
  });

  it("is kept from where a program has sent it, with the roll that it had", () => {
    expect(viewState.isSet).toBe(false);
    viewState.follow({ event: "image_layer_create", goto: false });
    expect(viewState.isSet).toBe(false);
    viewState.follow({ event: "center_on_coordinates", ra: 1, dec: 2, fov: 5, instant: false });
    expect([viewState.isSet, viewState.camera]).toEqual([true, { ra: 1, dec: 2, fov: 5, roll: 40 }]);
  });
});

it("a view is kept as it was drawn last, whatever the app reports of earlier, and where it is about to be sent", () => {
  const [camera, ownCamera] = [70, 4].map((roll) => ({ ra: 1, dec: 2, fov: 3, roll }));
  const frame = { delivering: false };
  const app = { engine: { camera, ownCamera, showsSky: true, canvas: {} }, frame, post: () => {} } as unknown as App;
  const viewState = new ViewState(document.createElement("div"), { show: () => {} });
  viewState.appReady(app);
  viewState.drawn(app);
  viewState.onMessage({ type: "wwt_view_state", raRad: 2, decRad: 1, fovDeg: 60, rollDeg: 0 });
  expect(viewState.camera).toEqual(ownCamera); // with respect to the mode's north
  const wanted = { ra: 5, dec: 6, fov: 7, roll: 8 };
  viewState.look(wanted);
  frame.delivering = true;
  viewState.drawn(app);
  expect(viewState.camera).toEqual(wanted);
});

it("a view of an app whose engine shows no sky is none", () => {
  const canvas = { width: 40, height: 20 };
  const engine = { camera: null as object | null, showsSky: false, canvas };
  const viewState = new ViewState(document.createElement("div"), { show: () => {} });
  expect(viewState.view({ engine } as unknown as App)).toBeNull();
  Object.assign(engine, { camera: { ra: 1, dec: 2, fov: 3, roll: 4 }, showsSky: true });
  expect(viewState.view({ engine } as unknown as App)).toEqual({ ra: 1, dec: 2, fov: 3, roll: 4, ...canvas });
});
