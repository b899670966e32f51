import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeModel } from "../../shared/fake_model.ts";
import { KernelLink } from "../../shared/kernel_link.ts";
import { KernelFiles } from "./kernel_files.ts";

type Message = { id: number; kind: string; paths?: string[] };

const textOf = (bytes: Uint8Array | null) => bytes && new TextDecoder().decode(bytes);

describe("files of the kernel", () => {
  let fake: FakeModel;
  let link: KernelLink;
  let source: KernelFiles;
  const sent = () => fake.sent as Message[];
  const respond = (message: Record<string, unknown>, ...texts: string[]) =>
    fake.receive(
      message,
      texts.map((text) => new DataView(new TextEncoder().encode(text).buffer)),
    );
  beforeEach(() => {
    vi.useFakeTimers();
    fake = new FakeModel({});
    link = new KernelLink(fake.model);
    source = new KernelFiles(link);
  });
  afterEach(() => {
    link.close();
    vi.useRealTimers();
  });

  it("wanted within 2 ms are requested in one message; a hole is null", async () => {
    const files = ["0.png", "hole.png", "1.png"].map((path) => source.file(path));
    vi.advanceTimersByTime(2);
    expect(sent().map((message) => message.paths)).toEqual([["0.png", "hole.png", "1.png"]]);
    respond({ id: sent()[0]!.id, ok: true, start: 0, found: [true, false, true] }, "zero", "one");
    expect((await Promise.all(files)).map(textOf)).toEqual(["zero", null, "one"]);
  });

  it("come in parts, and are requested again while one is missing", async () => {
    const files = ["0.png", "1.png", "2.png"].map((path) => source.file(path));
    vi.advanceTimersByTime(2);
    const [{ id }] = sent() as [Message];
    respond({ id, ok: true, start: 0, found: [true] }, "zero");
    expect(textOf((await files[0])!)).toBe("zero");
    respond({ id, ok: true, start: 2, found: [false] }); // the part before this one was lost
    vi.advanceTimersByTime(600);
    expect(sent().map((message) => message.id)).toEqual([id, id]);
    respond({ id, ok: true, start: 0, found: [true] }, "zero");
    respond({ id, ok: true, start: 1, found: [true, false] }, "one");
    expect((await Promise.all(files)).map(textOf)).toEqual(["zero", "one", null]);
    vi.advanceTimersByTime(20_000);
    expect(sent().length).toBe(2);
  });

  it("that are refused are holes", async () => {
    const file = source.file("0.png");
    vi.advanceTimersByTime(2);
    respond({ id: sent()[0]!.id, ok: false, message: "no" });
    expect(await file).toBeNull();
  });

  it("report each fault once", () => {
    const faults: string[] = [];
    source.onFault = (message) => faults.push(message);
    for (const path of ["0.png", "1.png"]) void source.file(path);
    vi.advanceTimersByTime(2);
    const fault = "0.png can't be read.";
    respond({
      id: sent()[0]!.id,
      ok: true,
      start: 0,
      found: [false, false],
      faults: { "0.png": fault, "1.png": fault },
    });
    expect(faults).toEqual([fault]);
  });
});
