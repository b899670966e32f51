import type { AnyModel } from "@anywidget/types";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { CommandsMessage } from "../protocol.ts";
import { ClosedError, KernelLink, RequestError } from "./kernel_link.ts";

type Message = { id: number; kind: string; paths?: string[] };

/** A kernel that has heard `heard` and says what the test tells it to. */
class Kernel {
  heard: Message[] = [];
  commLive = true;
  #listeners = new Map<string, (...args: never[]) => void>();
  model = {
    on: (event: string, listener: (...args: never[]) => void) => void this.#listeners.set(event, listener),
    off: (event: string) => void this.#listeners.delete(event),
    set: (name: string) => this.#emit(`change:${name}`, { constructor: {}, comm_live: this.commLive }),
    send: (message: Message) => this.heard.push(message),
  } as unknown as AnyModel;

  #emit(event: string, ...args: unknown[]): void {
    this.#listeners.get(event)?.(...(args as never[]));
  }

  /** The host closes the comm, or opens it again. */
  setLive(live: boolean): void {
    this.commLive = live;
    this.#emit("comm_live_update");
  }

  say(message: unknown, ...texts: string[]): void {
    this.#emit(
      "msg:custom",
      message,
      texts.map((text) => new DataView(new TextEncoder().encode(text).buffer)),
    );
  }
}

const textOf = (bytes: Uint8Array | null) => bytes && new TextDecoder().decode(bytes);

describe("the link to the kernel", () => {
  let kernel: Kernel;
  let link: KernelLink;
  beforeEach(() => {
    vi.useFakeTimers();
    kernel = new Kernel();
    link = new KernelLink(kernel.model);
  });
  afterEach(() => {
    link.close();
    vi.useRealTimers();
  });

  it("brings each answer to its question, in any order", async () => {
    const [first, second] = [link.request("open"), link.request("app")];
    const [a, b] = kernel.heard;
    kernel.say({ id: b!.id, ok: true, names: ["css"] }, "body {}");
    kernel.say({ id: a!.id, ok: true, revision: 3 });
    expect((await first).content.revision).toBe(3);
    expect(textOf((await second).buffers[0]!)).toBe("body {}");
  });

  it("rejects with the kernel's words", async () => {
    const asked = link.request("app");
    kernel.say({ id: kernel.heard[0]!.id, ok: false, message: "pywwt is not installed" });
    await expect(asked).rejects.toThrow(RequestError);
    await expect(asked).rejects.toThrow("pywwt is not installed");
  });

  it("asks again every 400 ms, under the same number, until it is answered", async () => {
    const asked = link.request("open");
    vi.advanceTimersByTime(1300);
    expect(kernel.heard.length).toBe(4);
    expect(new Set(kernel.heard.map((message) => message.id)).size).toBe(1);
    kernel.say({ id: kernel.heard[0]!.id, ok: true });
    kernel.say({ id: kernel.heard[0]!.id, ok: true });
    await asked;
    vi.advanceTimersByTime(5000);
    expect(kernel.heard.length).toBe(4);
  });

  it("numbers questions with whole numbers that no other page uses", () => {
    const other = new Kernel();
    void new KernelLink(other.model).request("open").catch(() => {});
    void link.request("open").catch(() => {});
    expect(Number.isSafeInteger(kernel.heard[0]!.id)).toBe(true);
    expect(kernel.heard[0]!.id).not.toBe(other.heard[0]!.id);
  });

  it("says when the kernel is silent, and when it speaks again", () => {
    const silences: boolean[] = [];
    link.onSilence = (silent) => silences.push(silent);
    void link.request("open").catch(() => {});
    vi.advanceTimersByTime(3000);
    expect(silences).toEqual([]);
    vi.advanceTimersByTime(1000);
    expect(silences).toEqual([true]);
    kernel.say({ id: kernel.heard[0]!.id, ok: true });
    expect(silences).toEqual([true, false]);
  });

  it("hands on what the kernel says unasked, by kind", () => {
    const heard: unknown[] = [];
    link.onMessage("imageset", (content) => heard.push(content.revision));
    kernel.say({ kind: "imageset", revision: 7 });
    kernel.say({ kind: "other" });
    expect(heard).toEqual([7]);
  });

  it("knows at once that the kernel is gone, and that it is back", () => {
    const changes: boolean[] = [];
    link.subscribe(() => changes.push(link.gone));
    kernel.setLive(false);
    kernel.setLive(true);
    expect(changes).toEqual([true, false]);
  });

  it("takes a message that can't be sent for a kernel that is gone", () => {
    kernel.model.send = () => {
      throw new Error("comm is closed");
    };
    link.send({ kind: "edit" });
    expect(link.gone).toBe(true);
  });

  const numbers = (message: unknown) => (message as CommandsMessage).commands.map(({ number }) => number);
  const confirm = (number: number) =>
    kernel.say({ kind: "received", page: (kernel.heard[0] as unknown as CommandsMessage).page, number });

  it("repeats commands together and in order, until the kernel has received them", () => {
    link.send({ kind: "review" });
    link.send({ kind: "cancel" });
    vi.advanceTimersByTime(2000);
    expect(kernel.heard.map(numbers)).toEqual([[1], [1, 2], [1, 2]]);
    kernel.say({ kind: "received", page: "another", number: 2 });
    confirm(1);
    vi.advanceTimersByTime(4000);
    expect(kernel.heard.slice(3)).toEqual([
      expect.objectContaining({ kind: "commands", commands: [{ kind: "cancel", number: 2 }] }),
    ]);
    confirm(2);
    vi.advanceTimersByTime(60_000);
    expect(kernel.heard.length).toBe(4);
  });

  it("sends what publishes once: later, a person may have thought better of it", () => {
    link.send({ kind: "confirm", ticket: "1" });
    link.send({ kind: "scene", action: "resend" });
    vi.advanceTimersByTime(60_000);
    expect(kernel.heard).toEqual([
      { kind: "confirm", ticket: "1" },
      { kind: "scene", action: "resend" },
    ]);
  });

  it("repeats nothing once it is closed", () => {
    link.send({ kind: "review" });
    link.close();
    link.send({ kind: "cancel" });
    vi.advanceTimersByTime(60_000);
    expect(kernel.heard.map(({ kind }) => kind)).toEqual(["commands", "cancel"]);
  });

  it("repeats of a state only the newest one, in its place among the commands", () => {
    link.report({ kind: "view", open: true });
    link.send({ kind: "undo" });
    link.report({ kind: "view", open: false });
    expect(numbers(kernel.heard[2])).toEqual([2, 3]);
  });

  it("says that the kernel is silent while it receives no command, too", () => {
    const silences: boolean[] = [];
    link.onSilence = (silent) => silences.push(silent);
    link.send({ kind: "review" });
    vi.advanceTimersByTime(6000);
    confirm(1);
    expect(silences).toEqual([true, false]);
  });

  it("gives up all questions when it is closed", async () => {
    const asked = link.request("open");
    link.close();
    await expect(asked).rejects.toThrow(ClosedError);
  });

  it("survives a model that can't send any more", () => {
    kernel.model.send = () => {
      throw new Error("comm is closed");
    };
    expect(() => void link.request("open").catch(() => {})).not.toThrow();
  });
});
