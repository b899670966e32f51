import { expect, test, vi } from "vitest";
import { drawn } from "../testing/drawn.ts";
import { PART, sendFiles } from "./drop.ts";
import { fakeLink } from "./fake_link.ts";
import { bytes, duration, type Upload } from "./state.ts";
import { Thumbs } from "./thumbs.ts";
import { wordsOf } from "./uploads.tsx";

test("a file goes to the kernel in parts, four at a time, each once", async () => {
  const { kernel, asked } = fakeLink();
  const done = sendFiles(kernel, [new File([new Uint8Array(5.5 * PART)], "m51.jpg")]);
  asked[0]!.answer({ upload: 7 });
  await drawn();
  expect(asked.slice(1).map(({ content, size }) => [content.at, size])).toEqual(
    [0, 1, 2, 3].map((part) => [part * PART, PART]),
  );
  asked[3]!.answer();
  await drawn();
  expect(asked).toHaveLength(6);
  asked.forEach((one) => one.answer());
  await drawn();
  asked.forEach((one) => one.answer());
  expect(await done).toEqual([]);
  expect(asked.slice(1).map(({ content }) => content.at)).toEqual([0, 1, 2, 3, 4, 5].map((part) => part * PART));
  expect(asked.at(-1)!.size).toBe(PART / 2);
});

test("a file that the kernel does not want any more is not sent further", async () => {
  const { kernel, asked } = fakeLink();
  const done = sendFiles(kernel, [new File([new Uint8Array(50 * PART)], "m51.jpg")]);
  asked[0]!.answer({ upload: 7 });
  await drawn();
  asked.slice(1).forEach((one) => one.refuse());
  await drawn();
  expect(asked.map(({ kind }) => kind)).toEqual(["drop", "part", "part", "part", "part", "stop"]);
  asked.at(-1)!.answer();
  expect(await done).toEqual([]);
});

test("all files are announced at once; a folder among them is said, and the others arrive", async () => {
  const { kernel, asked } = fakeLink();
  const folder = {
    name: "holidays",
    size: 4096,
    slice: () => ({ arrayBuffer: () => Promise.reject(new DOMException("", "NotFoundError")) }) as never,
  };
  const done = sendFiles(kernel, [
    new File(["a"], "a.jpg"),
    folder,
    new File(["b"], "b.jpg"),
    new File(["c"], "c.jpg"),
  ]);
  expect(asked.map(({ kind, content }) => `${kind} ${content.name}`)).toEqual([
    "drop a.jpg",
    "drop holidays",
    "drop b.jpg",
    "drop c.jpg",
  ]);
  asked.slice(0, 3).forEach((one, upload) => one.answer({ upload }));
  asked[3]!.refuse();
  for (let turn = 0; turn < 4; turn++) {
    await drawn();
    asked.at(-1)!.answer();
  }
  expect(asked.slice(4).map(({ kind, content }) => `${kind} ${content.upload}`)).toEqual([
    "part 0",
    "stop 1",
    "part 2",
  ]);
  expect(await done).toEqual([expect.stringContaining("“holidays” was not uploaded"), "no"]);
});

test("thumbnails are asked for six at a time, and not at all once they have scrolled by", async () => {
  const { kernel, asked } = fakeLink();
  const thumbs = new Thumbs(kernel);
  const told: string[] = [];
  const wanted = Array.from({ length: 20 }, (_, id) => thumbs.want(`${id}`, (thumb) => told.push(thumb.src)));
  wanted.slice(0, 10).forEach((forget) => forget());
  await vi.waitFor(() => expect(asked).not.toHaveLength(0), 10_000);
  expect(asked.map(({ content }) => content.image)).toEqual(["10", "11", "12", "13", "14", "15"]);
  wanted[11]!();
  asked[0]!.answer({ type: "image/png", error: "" });
  asked[1]!.answer({ type: "text/html", error: "" });
  asked[2]!.answer({ type: "text/html", error: "" });
  await vi.waitFor(() => expect(asked).toHaveLength(9), 10_000);
  expect(told).toEqual(["data:image/png;base64,AQ==", "data:image/jpeg;base64,AQ=="]); // no other type, whatever is said
});

test("an upload says how far it is, at what rate, and how long it will take", () => {
  const upload = { phase: "sending", size: 2e9, done: 5e8, rate: 1.25e7, remaining: 120, message: "" } as Upload;
  expect(wordsOf(upload)).toBe("500 MB of 2.0 GB, 13 MB/s, 2 min left");
  expect(wordsOf({ ...upload, done: 2e9 })).toContain("the server is processing it");
  expect(wordsOf({ ...upload, done: 2e9, message: "stopping …" })).toBe("2.0 GB of 2.0 GB, stopping …");
  expect(wordsOf({ ...upload, phase: "failed", message: "No room." })).toBe("failed: No room.");
  expect([bytes(0), bytes(999), bytes(999_999), bytes(99_400)]).toEqual(["0 bytes", "999 bytes", "1.0 MB", "99 kB"]);
  expect([duration(0.2), duration(89), duration(5399), duration(7200)]).toEqual(["1 s", "89 s", "90 min", "2.0 h"]);
});
