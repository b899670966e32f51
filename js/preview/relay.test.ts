import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Comm } from "../shared/comm";
import type { Gaze } from "./gaze";
import type { App, Part } from "./part";
import { Relay } from "./relay";

type Message = Record<string, unknown>;

const SETTING = { event: "setting_set", setting: "showGrid", value: true };

describe("the relay", () => {
  let told: Message[];
  let posted: Message[];
  let everything: { last: number; messages: Message[] };
  let say: (words: Message) => void;
  let relay: Relay;
  let begun: number;
  const gaze = { isSet: false, claim: () => {} };
  const app = { post: (message: Message) => posted.push(message), wake: () => {}, frame: {} } as unknown as App;
  const settle = () => vi.advanceTimersByTimeAsync(0);

  beforeEach(() => {
    vi.useFakeTimers();
    [told, posted, everything, begun, gaze.isSet] = [[], [], { last: 0, messages: [] }, 0, false];
    const comm = {
      on: (_kind: string, listener: (words: Message) => void) => (say = listener),
      ask: () => Promise.resolve({ content: everything, buffers: [] }),
      tell: (_kind: string, content: Message) => told.push(content),
    };
    relay = new Relay(comm as unknown as Comm, gaze as unknown as Gaze, {} as Part, () => (begun += 1));
  });

  it("says nothing to the kernel while no program wants to hear it", async () => {
    relay.appReady(app);
    relay.heard({ type: "wwt_view_state", raRad: 1 });
    relay.heard({ type: "wwt_selection_state" });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(told).toEqual([]);
    expect(posted).toEqual([]);
  });

  it("tells an app that begins everything, and then what is new, each once", async () => {
    everything = { last: 3, messages: [SETTING] };
    relay.opened({ wwt: true });
    relay.appReady(app);
    say({ last: 4, messages: [{ event: "a" }, { event: "b" }] }); // 3 and 4, before the answer with 1 to 3
    await settle();
    say({ last: 4, messages: [{ event: "b" }] });
    say({ last: 5, messages: [{ event: "c" }] });
    expect(posted.map((message) => message.event)).toEqual(["setting_set", "b", "c"]);
    relay.appGone();
    relay.appReady(app);
    await settle();
    expect(posted.at(-1)).toEqual(SETTING);
  });

  it("holds back what names an image until its collection is there, or surely is not", async () => {
    relay.opened({ wwt: true });
    relay.appReady(app);
    await settle();
    say({ last: 3, messages: [{ event: "load_image_collection", url: "u" }, { event: "set_background_by_name", name: "Offline sky" }, SETTING] });
    expect(posted.map((message) => message.event)).toEqual(["load_image_collection", "setting_set"]);
    relay.heard({ event: "load_image_collection_completed", url: "u", threadId: "pywwt-1" });
    expect(posted.at(-1)).toEqual({ event: "set_background_by_name", name: "cxw sky." });
    say({ last: 5, messages: [{ event: "load_image_collection", url: "v" }, { event: "set_background_by_name", name: "V" }] });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(posted.at(-1)).toEqual({ event: "set_background_by_name", name: "V" });
  });

  it("leaves a view that has its own place where it is", async () => {
    everything = {
      last: 2,
      messages: [
        { event: "image_layer_create", id: "a", goto: true },
        { event: "center_on_coordinates", ra: 1, dec: 2, fov: 3 },
      ],
    };
    gaze.isSet = true;
    relay.opened({ wwt: true });
    relay.appReady(app);
    await settle();
    expect(posted).toEqual([{ event: "image_layer_create", id: "a", goto: false }]);
  });

  it("says where the view is at most twice a second, and the last word always", async () => {
    relay.opened({ wwt: true });
    relay.appReady(app);
    await settle();
    for (let raRad = 0; raRad < 10; raRad++) relay.heard({ type: "wwt_view_state", raRad });
    expect(told).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(5000);
    expect(told.map(({ message }) => (message as Message).raRad)).toEqual([0, 9]);
  });

  it("keeps the program's choice in the foreground when the draft's image has been loaded", async () => {
    relay.opened({ wwt: true });
    relay.appReady(app);
    await settle();
    say({ last: 1, messages: [{ event: "set_foreground_by_name", name: "X" }] });
    relay.heard({ event: "load_image_collection_completed", url: "http://localhost:1/7.wtml" });
    expect(posted).toEqual([
      { event: "set_foreground_by_name", name: "X" },
      { event: "set_foreground_by_name", name: "X" },
    ]);
  });

  it("brings up the app for a program that waits", () => {
    say({ last: 0, messages: [], awaited: true });
    expect([begun, relay.awaited]).toEqual([1, true]);
    relay.appReady(app);
    expect(relay.awaited).toBe(false);
  });
});
