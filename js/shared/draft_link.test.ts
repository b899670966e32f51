import { afterEach, expect, test, vi } from "vitest";
import type { DraftState } from "../protocol.ts";
import { DraftLink } from "./draft_link.ts";
import { FakeModel } from "./fake_model.ts";
import { KernelLink } from "./kernel_link.ts";

afterEach(() => void vi.useRealTimers());

function state(values: DraftState["values"], by: Partial<DraftState["by"]> = {}): DraftState {
  return { name: "M 51", values, problems: [], locked: false, by: { client: "", seq: 0, paths: [], ...by } };
}

function linked() {
  const model = new FakeModel({ state: state({ note: "a", license: "MIT" }) });
  return { model, link: new DraftLink(new KernelLink(model.model)) };
}

test("an edit shows at once, and is sent once", () => {
  const { model, link } = linked();
  link.edit({ note: "b" });
  expect(link.value("note")).toBe("b");
  expect(link.waiting).toBe(true);
  expect(model.sent).toEqual([
    { kind: "edit", client: link.client, seq: 1, changes: { note: "b" }, base: { note: "a" }, since: { note: 1 } },
  ]);
});

test("the echo of an edit ends the waiting and is no foreign change", () => {
  const { model, link } = linked();
  link.edit({ license: "mit or isc" });
  model.change(
    "state",
    state({ note: "a", license: "MIT OR ISC" }, { client: link.client, seq: 1, paths: ["license"] }),
  );
  expect(link.waiting).toBe(false);
  expect(link.value("license")).toBe("MIT OR ISC");
  expect(link.foreign("license")).toBe(0);
});

test("an old echo does not undo what was typed since", () => {
  const { model, link } = linked();
  link.edit({ note: "b" });
  link.edit({ note: "bc" });
  model.change("state", state({ note: "b", license: "MIT" }, { client: link.client, seq: 1, paths: ["note"] }));
  expect(link.value("note")).toBe("bc");
  expect(link.waiting).toBe(true);
});

test("a change made elsewhere is shown, and counted as foreign", () => {
  const { model, link } = linked();
  model.change("state", state({ note: "from Python", license: "MIT" }));
  expect(link.value("note")).toBe("from Python");
  expect([link.foreign("note"), link.foreign("license")]).toEqual([1, 0]);
});

test("another page's edit is foreign here", () => {
  const { model, link } = linked();
  model.change("state", state({ note: "b", license: "MIT" }, { client: "another", seq: 7, paths: ["note"] }));
  expect(link.foreign("note")).toBe(1);
});

test("an echo that has another page's words, too, makes the input give way; later edits wait on top of it", () => {
  const { model, link } = linked();
  link.edit({ note: "a1" });
  link.edit({ note: "a12" });
  expect(model.sent.at(-1)).toMatchObject({ base: { note: "a" }, since: { note: 1 } });
  const by = { client: link.client, paths: ["note"], merged: ["note"] };
  model.change("state", state({ note: "a1 b", license: "MIT" }, { ...by, seq: 1 }));
  expect([link.value("note"), link.foreign("note")]).toEqual(["a12", 1]);
  model.change("state", state({ note: "a12 b", license: "MIT" }, { ...by, seq: 2 }));
  expect([link.value("note"), link.foreign("note")]).toEqual(["a12 b", 2]);
});

test("an edit whose state does not come is repeated, less and less often, until it comes", () => {
  vi.useFakeTimers();
  const { model, link } = linked();
  link.edit({ note: "b" });
  link.edit({ license: "CC0-1.0", credits: "Me" });
  link.edit({ license: "MIT" });
  const [first, , last] = model.sent;
  vi.advanceTimersByTime(1900);
  expect(model.sent.length).toBe(3);
  vi.advanceTimersByTime(200);
  expect(model.sent.slice(3)).toEqual([first, expect.objectContaining({ seq: 2, changes: { credits: "Me" } }), last]);
  vi.advanceTimersByTime(2000 + 4000 + 8000 + 8000);
  expect(model.sent.length).toBe(3 * 5);
  for (const [seq, path] of [
    [1, "note"],
    [2, "credits"],
    [3, "license"],
  ] as const)
    model.change("state", state({ note: "b", license: "MIT" }, { client: link.client, seq, paths: [path] }));
  expect(link.waiting).toBe(false);
  vi.advanceTimersByTime(60_000);
  expect(model.sent.length).toBe(3 * 5);
});

test("a state that names a later edit of another field does not end the waiting for an earlier one", () => {
  const { model, link } = linked();
  link.edit({ note: "lost" });
  link.edit({ license: "CC0-1.0" });
  model.change("state", state({ note: "a", license: "CC0-1.0" }, { client: link.client, seq: 2, paths: ["license"] }));
  expect([link.value("note"), link.waiting]).toEqual(["lost", true]);
  link.edit({ note: "typed after it" });
  expect(model.sent.at(-1)).toMatchObject({ base: { note: "a" }, since: { note: 1 } });
});

test("after dispose nothing is listened to", () => {
  const { model, link } = linked();
  let told = 0;
  link.subscribe(() => (told += 1));
  link.dispose();
  model.change("state", state({ note: "b", license: "MIT" }));
  expect(told).toBe(0);
});
