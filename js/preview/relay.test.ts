import { beforeEach, describe, expect, it, vi } from "vitest";
import type { KernelLink } from "../shared/kernel_link.ts";
import type { App, Part } from "./part.ts";
import { Relay } from "./relay.ts";
import type { ViewState } from "./view_state.ts";

type Message = Record<string, unknown>;

const SETTING = { event: "setting_set", setting: "showGrid", value: true };

describe("the relay", () => {
  let told: Message[];
  let posted: Message[];
  let everything: { last: number; messages: Message[]; moved?: number };
  let send: (message: Message) => void;
  let relay: Relay;
  let begun: number;
  let notes: string[];
  const viewState = { isSet: false, camera: null as Message | null, follow: () => {} };
  const app = { post: (message: Message) => posted.push(message), wake: () => {}, frame: {} } as unknown as App;
  const settle = () => vi.advanceTimersByTimeAsync(0);

  beforeEach(() => {
    vi.useFakeTimers();
    [told, posted, notes, everything, begun, viewState.isSet, viewState.camera] = [
      [],
      [],
      [],
      { last: 0, messages: [] },
      0,
      false,
      null,
    ];
    const kernel = {
      onMessage: (_kind: string, listener: (message: Message) => void) => (send = listener),
      request: () => Promise.resolve({ content: everything, buffers: [] }),
      sendOnce: ({ kind: _kind, ...content }: Message) => told.push(content),
    };
    relay = new Relay(
      kernel as unknown as KernelLink,
      viewState as unknown as ViewState,
      {} as Part,
      () => (begun += 1),
      { show: (message) => void notes.push(message) },
    );
  });

  it("sends nothing to the kernel while there is no program", async () => {
    relay.appReady(app);
    relay.onMessage({ type: "wwt_view_state", raRad: 1 });
    relay.onMessage({ type: "wwt_selection_state" });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(told).toEqual([]);
    expect(posted).toEqual([]);
  });

  it("tells an app that begins everything, and then what is new, each once", async () => {
    everything = { last: 3, messages: [SETTING] };
    relay.opened({ wwt: true });
    relay.appReady(app);
    send({ last: 4, messages: [{ event: "a" }, { event: "b" }] }); // 3 and 4, before the answer with 1 to 3
    await settle();
    send({ last: 4, messages: [{ event: "b" }] });
    send({ last: 5, messages: [{ event: "c" }] });
    expect(posted.map((message) => message.event)).toEqual(["setting_set", "b", "c"]);
    relay.appGone();
    relay.appReady(app);
    await settle();
    expect(posted.at(-1)).toEqual(SETTING);
  });

  it("holds back what names an image until its collection is there, and all that is said after it", async () => {
    relay.opened({ wwt: true });
    relay.appReady(app);
    await settle();
    const center = { event: "center_on_coordinates", ra: 1, dec: 2, fov: 3 };
    send({
      last: 4,
      messages: [
        SETTING,
        { event: "load_image_collection", url: "u" },
        { event: "set_background_by_name", name: "Offline sky" },
        center,
      ],
    });
    send({ last: 5, messages: [{ event: "load_image_collection", url: "v" }] });
    send({ last: 7, messages: [{ event: "set_viewer_mode", mode: "V" }, SETTING] });
    expect(posted.map((message) => message.event)).toEqual(["setting_set", "load_image_collection"]);
    relay.onMessage({ event: "load_image_collection_completed", url: "u", threadId: "pywwt-1" });
    expect(posted.slice(2)).toEqual([
      { event: "set_background_by_name", name: "cxw sky." },
      center,
      { event: "load_image_collection", url: "v" },
    ]);
    relay.onMessage({ event: "load_image_collection_completed", url: "v", threadId: "pywwt-2" });
    expect(posted.slice(5)).toEqual([{ event: "set_viewer_mode", mode: "V" }, SETTING]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(notes).toEqual([]);
  });

  it("reports a collection that times out, and continues", async () => {
    relay.opened({ wwt: true });
    relay.appReady(app);
    await settle();
    send({
      last: 2,
      messages: [
        { event: "load_image_collection", url: "v" },
        { event: "set_background_by_name", name: "V" },
      ],
    });
    send({ last: 3, messages: [SETTING] });
    await vi.advanceTimersByTimeAsync(34_000);
    expect(posted).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(posted.slice(1)).toEqual([{ event: "set_background_by_name", name: "V" }, SETTING]);
    expect(notes).toEqual(["“V” may be missing: a collection of images has not loaded within 35 s."]);
  });

  it("reports an image name that the app does not know", async () => {
    const known = {
      ...app,
      engine: { knows: ({ name, url }: Message) => name === "Sun" || url === "here" },
    } as unknown as App;
    relay.opened({ wwt: true });
    relay.appReady(known);
    await settle();
    const layer = { event: "image_layer_create", mode: "preloaded", id: "1", name: "L", url: "here" };
    send({
      last: 3,
      messages: [
        { event: "set_viewer_mode", mode: "Sun" },
        { event: "set_background_by_name", name: "Offline sky" },
        layer,
      ],
    });
    expect(notes).toEqual([]);
    send({
      last: 5,
      messages: [
        { event: "set_viewer_mode", mode: "jupiter" },
        { ...layer, url: "there" },
      ],
    });
    const why = "can't be shown: no such image is loaded. Its collection could not be loaded, or does not have it.";
    expect(notes).toEqual([`“jupiter” ${why}`, `“L” ${why}`]);
  });

  it("takes a view that shows its image already where a program sends it first", async () => {
    relay.opened({ wwt: false });
    relay.appReady(app);
    viewState.isSet = true; // it has gone to its image
    const center = { event: "center_on_coordinates", ra: 1, dec: 2, fov: 3 };
    everything = { last: 1, messages: [center], moved: 1 }; // said before the page has asked
    send({ last: 0, messages: [] });
    await settle();
    send({ last: 1, messages: [center] });
    expect(posted).toEqual([center]);
  });

  it("takes a view that is built again where a program has sent it meanwhile, and else leaves it where it is", async () => {
    const [layer, center] = [
      { event: "image_layer_create", id: "a", goto: true },
      { event: "center_on_coordinates", ra: 1, dec: 2, fov: 3 },
    ];
    everything = { last: 2, messages: [layer, center], moved: 2 };
    relay.opened({ wwt: true });
    relay.appReady(app);
    await settle();
    viewState.isSet = true; // the user has turned it since
    relay.appGone();
    posted = [];
    relay.appReady(app);
    await settle();
    expect(posted).toEqual([{ ...layer, goto: false }]);
    relay.appGone();
    posted = [];
    send({ last: 3, messages: [center] }); // which no app receives
    everything = { last: 3, messages: [layer, center], moved: 3 };
    relay.appReady(app);
    await settle();
    expect(posted).toEqual([layer, center]);
  });

  it("takes a view that has its own place back to it when the mode that it is in is there again", async () => {
    const mode = { event: "set_viewer_mode", mode: "3D Solar System View" };
    everything = { last: 2, messages: [mode, { event: "center_on_coordinates", ra: 0, dec: 0, fov: 50 }], moved: 2 };
    relay.opened({ wwt: true });
    relay.appReady(app);
    await settle();
    relay.appGone();
    posted = [];
    [viewState.isSet, viewState.camera] = [true, { ra: 1, dec: 2, fov: 6e9, roll: 0 }];
    relay.appReady(app);
    viewState.camera = { ra: 1, dec: 2, fov: 60, roll: 0 }; // the app has begun with the sky, which is at most so high
    await settle();
    expect(posted).toEqual([mode, { event: "center_on_coordinates", ra: 1, dec: 2, fov: 6e9, roll: 0, instant: true }]);
  });

  it("reports the view at most twice a second, and always its last state", async () => {
    relay.opened({ wwt: true });
    relay.appReady(app);
    await settle();
    for (let raRad = 0; raRad < 10; raRad++) relay.onMessage({ type: "wwt_view_state", raRad });
    expect(told).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(5000);
    expect(told.map(({ message }) => (message as Message).raRad)).toEqual([0, 9]);
  });

  it("keeps the program's choice in the foreground when the draft's image has been loaded", async () => {
    relay.opened({ wwt: true });
    relay.appReady(app);
    await settle();
    send({ last: 1, messages: [{ event: "set_foreground_by_name", name: "X" }] });
    relay.onMessage({ event: "load_image_collection_completed", url: "http://localhost:1/7.wtml" });
    expect(posted).toEqual([
      { event: "set_foreground_by_name", name: "X" },
      { event: "set_foreground_by_name", name: "X" },
    ]);
  });

  it("brings up the app for a program that waits", () => {
    send({ last: 0, messages: [], awaited: true });
    expect([begun, relay.awaited]).toEqual([1, true]);
    relay.appReady(app);
    expect(relay.awaited).toBe(false);
  });
});
