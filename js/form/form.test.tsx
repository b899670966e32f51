import { afterEach, expect, test } from "vitest";
import { FakeModel } from "../shared/fake_model.ts";
import type { Problem } from "../shared/types.ts";
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
const FIXABLE: Problem = { code: "CXW1", severity: "warning", field: "note", message: "is odd", fix: "Mend it" };

function state(note: string, problems: Problem[] = []) {
  return { name: "M 51", values: { note }, problems, locked: false, by: { client: "", seq: 0, paths: [] } };
}

const undo: (() => void)[] = [];
afterEach(() => {
  for (const end of undo.splice(0)) end();
});

function shown(traits: Record<string, unknown> = {}) {
  const fake = new FakeModel({ state: state("a"), fields: [NOTE], kept_credits: { text: "", tree: [] }, earlier: "", ...traits });
  const el = document.body.appendChild(document.createElement("div"));
  const end = form.render({ model: fake.model, el });
  undo.push(() => (end(), el.remove()));
  const input = el.querySelector<HTMLInputElement>("input");
  if (!input) throw new Error("no field");
  return { fake, el, input };
}

const drawn = () => new Promise((later) => setTimeout(later, 60));

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
});

test("the keyboard stays at the field when a fix has mended it", async () => {
  const { fake, el, input } = shown({ state: state("a", [FIXABLE]) });
  el.querySelector<HTMLButtonElement>(".cxw-fix")?.focus();
  fake.change("state", state("b"));
  await drawn();
  expect(document.activeElement).toBe(input);
});

test("the keyboard goes on in the form when earlier edits were restored", async () => {
  const { fake, el, input } = shown({ earlier: "2026-11-22T07:00:00+00:00" });
  const restore = el.querySelector<HTMLButtonElement>(".cxw-notice button");
  restore?.focus();
  restore?.click();
  fake.change("earlier", "");
  await drawn();
  expect(fake.sent.at(-1)).toEqual({ kind: "restore" });
  expect(document.activeElement).toBe(input);
});
