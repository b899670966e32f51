import { afterEach, expect, test } from "vitest";
import { goTo } from "../panel/go_to.ts";
import type { Problem } from "../protocol.ts";
import { FakeModel } from "../shared/fake_model.ts";
import { drawn } from "../testing/drawn.ts";
import form from "./index.tsx";

const NOTE = {
  path: "note",
  title: "Note",
  description: "What it is.",
  kind: "text",
  required: false,
  unit: "",
  minimum: null,
  above: null,
  maximum: null,
  limit: 500,
  choices: [],
};
const PLACE = {
  flat: true,
  complete: true,
  fields: [],
  mirrored: false,
  unmirrored: "",
  taken: 0,
  summary: "13h 29m",
  question: "",
  label: "",
};
const FIXABLE: Problem = { code: "CXW1", severity: "warning", field: "note", message: "is odd", fix: "Fix it" };

function state(note: string, problems: Problem[] = []) {
  return { name: "M 51", values: { note }, problems, locked: false, by: { client: "", seq: 0, paths: [] } };
}

const undo: (() => void)[] = [];
afterEach(() => {
  for (const end of undo.splice(0)) end();
});

function shown(traits: Record<string, unknown> = {}) {
  const fake = new FakeModel({
    state: state("a"),
    fields: [NOTE],
    kept_credits: { text: "", tree: [] },
    earlier: {},
    place: PLACE,
    draft_id: "d",
    ...traits,
  });
  const el = document.body.appendChild(document.createElement("div"));
  const end = form.render({ model: fake.model, el });
  undo.push(() => {
    end();
    el.remove();
  });
  const input = el.querySelector<HTMLInputElement>("input");
  if (!input) throw new Error("no field");
  return { fake, el, input };
}

function typed(input: HTMLInputElement, value: string) {
  input.value = value;
  input.dispatchEvent(new Event("input", { bubbles: true }));
}

test("two forms in a page share no id, so that each label names its own field", () => {
  shown();
  shown();
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  expect(ids.length).toBeGreaterThan(4);
  expect(new Set(ids).size).toBe(ids.length);
});

test("a change that comes right after the form was drawn is shown", async () => {
  const { fake, input } = shown();
  fake.change("state", state("from Python"));
  await drawn();
  expect(input.value).toBe("from Python");
});

test("what is typed stays when the kernel is gone, and that it is gone is said", async () => {
  const { fake, el, input } = shown();
  fake.send = () => {
    throw new Error("Cannot send");
  };
  typed(input, "typed on");
  await drawn();
  expect(input.value).toBe("typed on");
  expect(el.querySelector('[role="alert"]')?.textContent).toContain("Run the cell again");
  expect(input.readOnly).toBe(true);
});

test("the keyboard stays at the field when a fix has removed its problem", async () => {
  const { fake, el, input } = shown({ state: state("a", [FIXABLE]) });
  el.querySelector<HTMLButtonElement>(".cxw-fix")?.focus();
  fake.change("state", state("b"));
  await drawn();
  expect(document.activeElement).toBe(input);
});

const MISSING: Problem = { code: "CXW601", severity: "warning", field: "note", message: "Enter a title", fix: null };

test("a missing value is a quiet word at first, and a message once the field was left", async () => {
  const { el, input } = shown({ state: state("", [MISSING]) });
  const field = input.closest(".cxw-field")!;
  expect(field.textContent).toContain("recommended");
  expect(field.textContent).not.toContain("Enter a title");
  expect(el.querySelector(".cxw-form-foot")?.textContent).toBe("1 recommended: Note");
  input.focus();
  input.blur();
  input.dispatchEvent(new FocusEvent("focusout", { bubbles: true }));
  await drawn();
  expect(field.textContent).toContain("Enter a title");
});

test("a number keeps its text when its field is entered, so that what is typed replaces the selected text", async () => {
  const path = "wwt.rotation";
  const values = { [path]: 29.999999999999964 };
  const { el } = shown({
    fields: [NOTE, { ...NOTE, path, title: "Rotation", kind: "number" }],
    state: { ...state(""), values },
  });
  goTo(null, "d", path, false); // opens its step
  await drawn();
  const input = el.querySelector<HTMLInputElement>(`[data-path="${path}"] input`);
  input?.focus();
  await drawn();
  expect(document.activeElement).toBe(input);
  expect(input?.value).toBe("30");
});

test("what Publish asks for opens its step, goes to the field and reports what is missing", async () => {
  const { el } = shown({
    fields: [NOTE, { ...NOTE, path: "wwt.rotation", title: "Rotation" }],
    state: state("", [MISSING]),
  });
  goTo(null, "d", "wwt.rotation", true);
  await drawn();
  expect(document.activeElement?.closest("[data-path]")?.getAttribute("data-path")).toBe("wwt.rotation");
  const step = [...el.querySelectorAll(".cxw-step")].find((it) => it.textContent?.includes("Title and description"));
  expect(step?.getAttribute("data-state")).toBe("advice");
});

test("the list of what is missing leads to a field of the open step as often as it is pressed, and never later", async () => {
  const path = "alt_text";
  const { fake, el, input } = shown({
    fields: [NOTE, { ...NOTE, path, title: "Alt text" }],
    state: state("a", [{ ...MISSING, field: path }]),
  });
  const item = el.querySelector<HTMLButtonElement>(".cxw-form-foot button")!;
  for (const _ of [1, 2]) {
    item.focus();
    item.click();
    await drawn();
    expect(document.activeElement?.closest("[data-path]")?.getAttribute("data-path")).toBe(path);
  }
  goTo(null, "d", "wwt.rotation"); // has no input here
  input.focus();
  fake.change("state", state("b"));
  await drawn();
  expect(document.activeElement).toBe(input);
});

test("what can't be acted on is not shown", () => {
  const infos: Problem[] = [
    { ...MISSING, code: "CXW602", severity: "info", message: "can be read by everyone" },
    { ...MISSING, code: "CXW604", severity: "info", message: "has line breaks", fix: "Make it one line" },
  ];
  const { el } = shown({ state: state("a\nb", infos) });
  expect(el.textContent).not.toContain("can be read by everyone");
  expect(el.textContent).toContain("has line breaks");
  expect(el.querySelector(".cxw-form-foot")?.textContent).toBe("Nothing is missing.");
});

test("earlier edits are shown with what they change, discarded, and had back", async () => {
  const earlier = {
    phase: "restored",
    saved: "2026-11-22T07:00:00+00:00",
    fields: [{ path: "note", title: "Note", before: "", after: "typed" }],
  };
  const { fake, el } = shown({ earlier });
  const notice = () => el.querySelector(".cxw-earlier");
  const press = (label: string) =>
    [...notice()!.querySelectorAll("button")].find((it) => it.textContent === label)!.click();
  expect(notice()?.textContent).toContain("are shown: Note.");
  expect(notice()?.querySelector("dd")?.textContent).toContain("empty");
  press("Discard");
  fake.change("earlier", { ...earlier, phase: "discarded" });
  await drawn();
  press("Undo");
  expect(fake.sent.map(({ kind }) => kind).filter((kind) => kind !== "view" && kind !== undefined)).toEqual([
    "discard",
    "restore",
  ]);
});

const CENTER = { name: "ra", title: "Center RA", text: "10h 00m 12s", help: "", typed: "", error: "" };

test("a number of the position shows what was typed until the kernel has taken it, and is sent once", async () => {
  const { fake, el } = shown({ place: { ...PLACE, complete: false, fields: [CENTER] } });
  const [step] = [...el.querySelectorAll("button")].filter((each) => each.textContent?.includes("Position"));
  if (step?.getAttribute("aria-expanded") !== "true") step?.click();
  await drawn();
  const input = el.querySelector<HTMLInputElement>('[data-path="position"] input')!;
  typed(input, "13h29m");
  input.dispatchEvent(new Event("change", { bubbles: true }));
  await drawn();
  expect(fake.sent.at(-1)).toEqual({ kind: "place", name: "ra", value: "13h29m" });
  expect(input.value).toBe("13h29m");
  fake.change("place", { ...PLACE, fields: [{ ...CENTER, text: "13h 29m 00.00s" }], taken: 1 });
  await drawn();
  expect(input.value).toBe("13h 29m 00.00s");
  expect(fake.sent.filter((it) => it.kind === "place").length).toBe(1);
});

const LOCAL: Problem = { code: "CXW305", severity: "warning", field: "note", message: "is local", fix: null };

test("an address of this computer is no finding of what goes to the sandbox", async () => {
  for (const [places, expected] of [
    [[], true],
    [[{ id: "sandbox", label: "This sandbox", scheme: "" }], false],
  ] as const) {
    const hosting = { phase: "idle", blocked: "", places, progress: null, message: "", test: null };
    const { el } = shown({ state: state("a", [LOCAL]), hosting });
    await drawn();
    expect(el.textContent?.includes("is local")).toBe(expected);
    expect(el.textContent?.includes("to check")).toBe(expected);
  }
});
