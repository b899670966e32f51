import type { AnyModel } from "@anywidget/types";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Closed, Comm, Refused } from "./comm";

type Message = { id: number; kind: string; paths?: string[] };

/** A kernel that has heard `heard` and says what the test tells it to. */
class Kernel {
  heard: Message[] = [];
  #listener: (message: unknown, buffers: DataView[]) => void = () => {};
  model = {
    on: (_event: string, listener: (message: unknown, buffers: DataView[]) => void) => (this.#listener = listener),
    off: () => (this.#listener = () => {}),
    send: (message: Message) => this.heard.push(message),
  } as unknown as AnyModel;

  say(message: unknown, ...texts: string[]): void {
    this.#listener(
      message,
      texts.map((text) => new DataView(new TextEncoder().encode(text).buffer)),
    );
  }
}

const textOf = (bytes: Uint8Array | null) => bytes && new TextDecoder().decode(bytes);

describe("the comm", () => {
  let kernel: Kernel;
  let comm: Comm;
  beforeEach(() => {
    vi.useFakeTimers();
    kernel = new Kernel();
    comm = new Comm(kernel.model);
  });
  afterEach(() => {
    comm.close();
    vi.useRealTimers();
  });

  it("brings each answer to its question, in any order", async () => {
    const [first, second] = [comm.ask("open"), comm.ask("app")];
    const [a, b] = kernel.heard;
    kernel.say({ id: b!.id, ok: true, names: ["css"] }, "body {}");
    kernel.say({ id: a!.id, ok: true, revision: 3 });
    expect((await first).content.revision).toBe(3);
    expect(textOf((await second).buffers[0]!)).toBe("body {}");
  });

  it("rejects with the kernel's words", async () => {
    const asked = comm.ask("app");
    kernel.say({ id: kernel.heard[0]!.id, ok: false, message: "pywwt is not installed" });
    await expect(asked).rejects.toThrow(Refused);
    await expect(asked).rejects.toThrow("pywwt is not installed");
  });

  it("asks again every 400 ms, under the same number, until it is answered", async () => {
    const asked = comm.ask("open");
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
    void new Comm(other.model).ask("open").catch(() => {});
    void comm.ask("open").catch(() => {});
    expect(Number.isSafeInteger(kernel.heard[0]!.id)).toBe(true);
    expect(kernel.heard[0]!.id).not.toBe(other.heard[0]!.id);
  });

  it("asks for all files of 2 ms in one message; a hole is null", async () => {
    const files = ["0.png", "hole.png", "1.png"].map((path) => comm.file(path));
    vi.advanceTimersByTime(2);
    expect(kernel.heard.map((message) => message.paths)).toEqual([["0.png", "hole.png", "1.png"]]);
    kernel.say({ id: kernel.heard[0]!.id, ok: true, start: 0, found: [true, false, true] }, "zero", "one");
    expect((await Promise.all(files)).map(textOf)).toEqual(["zero", null, "one"]);
  });

  it("takes files in parts as they come, and asks again while one is missing", async () => {
    const files = ["0.png", "1.png", "2.png"].map((path) => comm.file(path));
    vi.advanceTimersByTime(2);
    const [{ id }] = kernel.heard as [Message];
    kernel.say({ id, ok: true, start: 0, found: [true] }, "zero");
    expect(textOf((await files[0])!)).toBe("zero");
    kernel.say({ id, ok: true, start: 2, found: [false] }); // the part before this one was lost
    vi.advanceTimersByTime(600);
    expect(kernel.heard.map((message) => message.id)).toEqual([id, id]);
    kernel.say({ id, ok: true, start: 0, found: [true] }, "zero");
    kernel.say({ id, ok: true, start: 1, found: [true, false] }, "one");
    expect((await Promise.all(files)).map(textOf)).toEqual(["zero", "one", null]);
    vi.advanceTimersByTime(20_000);
    expect(kernel.heard.length).toBe(2);
  });

  it("takes a refusal of files for holes", async () => {
    const file = comm.file("0.png");
    vi.advanceTimersByTime(2);
    kernel.say({ id: kernel.heard[0]!.id, ok: false, message: "no" });
    expect(await file).toBeNull();
  });

  it("says when the kernel is silent, and when it speaks again", () => {
    const silences: boolean[] = [];
    comm.onSilence = (silent) => silences.push(silent);
    void comm.ask("open").catch(() => {});
    vi.advanceTimersByTime(3000);
    expect(silences).toEqual([]);
    vi.advanceTimersByTime(1000);
    expect(silences).toEqual([true]);
    kernel.say({ id: kernel.heard[0]!.id, ok: true });
    expect(silences).toEqual([true, false]);
  });

  it("hands on what the kernel says unasked, by kind", () => {
    const heard: unknown[] = [];
    comm.on("imageset", (content) => heard.push(content.revision));
    kernel.say({ kind: "imageset", revision: 7 });
    kernel.say({ kind: "other" });
    expect(heard).toEqual([7]);
  });

  it("gives up all questions when it is closed", async () => {
    const asked = comm.ask("open");
    comm.close();
    await expect(asked).rejects.toThrow(Closed);
  });

  it("survives a model that can't send any more", () => {
    kernel.model.send = () => {
      throw new Error("comm is closed");
    };
    expect(() => void comm.ask("open").catch(() => {})).not.toThrow();
  });
});
