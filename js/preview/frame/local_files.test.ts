import { describe, expect, it, vi } from "vitest";
import { LocalFiles, newStore } from "./local_files.ts";

const PART = 2; // files in one message

const bytes = (text: string) => new TextEncoder().encode(text);

/** A kernel with these files; what it was asked for is in `asked`. */
function kernel(files: Record<string, string>, { key = "a", complete = true } = {}) {
  const asked: string[] = [];
  const link = {
    asked,
    file: (path: string) => {
      asked.push(path);
      return Promise.resolve(path in files ? bytes(files[path]!) : null);
    },
    part: (start: number) => {
      asked.push("all_files");
      const names = Object.keys(files).slice(start, start + PART);
      const next = start + PART < Object.keys(files).length ? start + PART : null;
      return Promise.resolve({
        content: { key, complete, names, next },
        buffers: names.map((name) => bytes(files[name]!)),
      });
    },
  };
  return link;
}

const TILES = { "image/0/0/0_0.png": "top", "image/1/0/0_0.png": "left" };
const WHOLE = { key: "a", whole: true, fault: null, note: "" };
const LARGE = { key: "a", whole: false, fault: null, note: "" };

const text = async (files: LocalFiles, path: string) => {
  const found = await files.file(path);
  return found && new TextDecoder().decode(found);
};

describe("the image's files in a page", () => {
  it("come whole if they are few, and what is not among them is a hole that nobody is asked for", async () => {
    const link = kernel(TILES);
    const files = new LocalFiles(link, newStore());
    files.expect(WHOLE);
    expect(await text(files, "image/1/0/0_0.png")).toBe("left"); // asked for before they have come
    expect(await text(files, "image/1/1/1_1.png")).toBeNull();
    expect(link.asked).toEqual(["all_files"]);
  });

  it("come in parts, and one that has come waits for no other", async () => {
    const link = kernel({ "image/a": "1", "image/b": "2", "image/c": "3" });
    const { part } = link;
    let sendTheRest = () => {};
    const rest = new Promise<void>((go) => (sendTheRest = go));
    link.part = (start) => (start === 0 ? part(start) : rest.then(() => part(start)));
    const files = new LocalFiles(link, newStore());
    files.expect(WHOLE);
    expect(await text(files, "image/b")).toBe("2");
    const last = text(files, "image/c");
    const hole = text(files, "image/d");
    sendTheRest();
    expect([await last, await hole]).toEqual(["3", null]);
    expect(link.asked).toEqual(["all_files", "all_files"]);
  });

  it("wait after the first part until the picture is there", async () => {
    const link = kernel({ "image/a": "1", "image/b": "2", "image/c": "3" });
    const store = newStore();
    const files = new LocalFiles(link, store);
    files.expect(WHOLE);
    expect(await text(files, "image/a")).toBe("1");
    await new Promise((later) => setTimeout(later));
    expect([link.asked, store.files.size]).toEqual([["all_files"], PART]);
    files.fetchRest();
    await vi.waitFor(() => expect(store.whole.has(WHOLE.key)).toBe(true), 10_000);
    expect(link.asked).toEqual(["all_files", "all_files"]);
  });

  it("come once, for all views and for an app that is built anew", async () => {
    const store = newStore();
    const [one, another] = [kernel(TILES), kernel(TILES)];
    const [first, second] = [new LocalFiles(one, store), new LocalFiles(another, store)];
    first.expect(WHOLE);
    second.expect(WHOLE); // while they are on their way
    expect(await text(second, "image/0/0/0_0.png")).toBe("top");
    second.expect({ ...WHOLE });
    const third = new LocalFiles(another, store);
    third.expect(WHOLE);
    expect(await text(third, "image/0/0/0_0.png")).toBe("top");
    expect([one.asked, another.asked]).toEqual([["all_files"], []]);
  });

  it("come one by one, and once, if they are many", async () => {
    const link = kernel(TILES);
    const files = new LocalFiles(link, newStore());
    files.expect(LARGE);
    for (let time = 0; time < 2; time++) expect(await text(files, "image/0/0/0_0.png")).toBe("top");
    expect(await text(files, "image/9/9/9_9.png")).toBeNull();
    expect(link.asked).toEqual(["image/0/0/0_0.png", "image/9/9/9_9.png"]);
  });

  it("are asked for again when they have changed on disk", async () => {
    const store = newStore();
    const files = new LocalFiles(kernel({ "image/a.png": "old" }), store);
    files.expect(LARGE);
    expect(await text(files, "image/a.png")).toBe("old");
    const later = new LocalFiles(kernel({ "image/a.png": "new" }), store);
    later.expect({ ...LARGE, key: "b" });
    expect(await text(later, "image/a.png")).toBe("new");
  });

  it("are asked for one by one if they changed while they came, or are not all there", async () => {
    for (const answer of [{ key: "b" }, { complete: false }]) {
      const link = kernel(TILES, answer);
      const files = new LocalFiles(link, newStore());
      files.expect(WHOLE);
      expect(await text(files, "image/9/9/9_9.png")).toBeNull();
      expect(link.asked).toEqual(["all_files", "image/9/9/9_9.png"]);
    }
  });

  it("are asked for one by one if the kernel does not send them whole", async () => {
    const link = { ...kernel(TILES), part: () => Promise.reject(new Error("closed")) };
    const files = new LocalFiles(link, newStore());
    files.expect(WHOLE);
    expect(await text(files, "image/0/0/0_0.png")).toBe("top");
  });

  it("take no more than their share of the page's memory: those used last stay", async () => {
    const link = kernel({ a: "1234", b: "1234", c: "1234", large: "12345" });
    const files = new LocalFiles(link, newStore(), 8);
    files.expect(LARGE);
    for (const path of ["a", "b", "a", "c", "a", "b"]) expect(await text(files, path)).toBe("1234");
    expect(link.asked).toEqual(["a", "b", "c", "b"]);
    for (let time = 0; time < 2; time++) expect(await text(files, "large")).toBe("12345");
    expect(await text(files, "b")).toBe("1234");
    expect(link.asked.slice(4)).toEqual(["large", "large"]); // it would drive out all others
  });

  it("are no longer whole when one had to go", async () => {
    const store = newStore();
    const link = kernel({ "image/a": "1234", "image/b": "1234" });
    const files = new LocalFiles(link, store, 9);
    files.expect(WHOLE);
    await text(files, "image/a");
    files.expect({ ...LARGE, key: "other" });
    await text(files, "image/a");
    files.expect(WHOLE);
    expect(await text(files, "image/b")).toBe("1234");
    expect(link.asked).toEqual(["all_files", "image/a", "all_files"]);
  });
});
