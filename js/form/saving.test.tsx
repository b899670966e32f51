import { afterEach, expect, test, vi } from "vitest";
import type { SavingState } from "../protocol.ts";
import { FakeModel } from "../shared/fake_model.ts";
import { drawn } from "../testing/drawn.ts";
import form from "./index.tsx";

const LIMITS = { unit: "", minimum: null, above: null, maximum: null, limit: null, choices: [], required: false };
const FIELDS = [
  { path: "wwt.rotation", title: "Rotation", description: "Turns it.", kind: "number", ...LIMITS, fixed: true },
  { path: "note", title: "Note", description: "What it is.", kind: "text", ...LIMITS, fixed: false },
];
const PLACE = {
  flat: true,
  complete: true,
  fields: [],
  mirrored: false,
  unmirrored: "",
  taken: 0,
  summary: "",
  question: "",
  label: "",
};
const WHERE = { id: "1", handle: "me", api_url: "http://x", record_url: "http://x/image/1", wtml_url: "" };

function saving(phase: SavingState["phase"], more: Partial<SavingState> = {}): SavingState {
  return {
    phase,
    changed: ["note"],
    blocked: "",
    message: "",
    progress: "Asking …",
    review: null,
    result: [],
    unclear: false,
    place: WHERE,
    ...more,
  };
}

const undo: (() => void)[] = [];
afterEach(() => {
  for (const end of undo.splice(0)) end();
});

function shown(first: SavingState, locked = false, problems: unknown[] = []) {
  const state = {
    name: "M 51",
    values: { note: "a", "wwt.rotation": 12.5 },
    problems,
    locked,
    by: { client: "", seq: 0, paths: [] },
  };
  const fake = new FakeModel({
    state,
    fields: FIELDS,
    kept_credits: { text: "", tree: [] },
    earlier: {},
    place: PLACE,
    draft_id: "d",
    saving: first,
  });
  const el = document.body.appendChild(document.createElement("div"));
  const end = form.render({ model: fake.model, el });
  undo.push(() => {
    end();
    el.remove();
  });
  const button = (text: string) => [...el.querySelectorAll("button")].find((it) => it.textContent === text);
  const kinds = () => fake.sent.map((message) => message.kind).filter((kind) => kind !== "view");
  return { fake, el, button, kinds };
}

const soon = (check: () => void) => vi.waitFor(check, 5000); // on a busy machine
const REVIEW = {
  ticket: "t",
  account: "ada",
  rows: [{ path: "note", before: "a <b>", after: "b", meanwhile: false }],
  theirs: [],
};

test("what is final is disabled and readable, and what is not can be typed into", async () => {
  const { el } = shown(saving("editing"));
  const inputs = () =>
    [...el.querySelectorAll<HTMLInputElement>(".cxw-step input")].map((input) => [input.value, input.disabled]);
  expect(inputs()).toEqual([["a", false]]);
  [...el.querySelectorAll<HTMLButtonElement>(".cxw-step button")]
    .find((it) => it.textContent?.includes("WWT parameters"))
    ?.click();
  await drawn();
  expect(inputs()).toEqual([["12.5", true]]);
});

test("the button is dead while there is nothing to save, an error, or another's image, and says why", async () => {
  const { fake, el, button } = shown(saving("editing", { changed: [] }));
  const says = (text: string, dead: boolean) =>
    soon(() => {
      expect(el.querySelector(".cxw-saving")?.textContent).toContain(text);
      expect(button("Save changes")?.disabled).toBe(dead);
    });
  await says("Nothing has been changed.", true);
  fake.change("saving", saving("editing"));
  await says("Changed: Note. Nothing is saved yet.", false);
  fake.change("saving", saving("editing", { blocked: "Sign in as @me." }));
  await says("Sign in as @me.", true);
  const problems = [{ code: "CXW1", severity: "error", field: "note", message: "is odd", fix: null }];
  const state = { name: "M 51", values: { note: "a" }, problems, locked: false, by: { client: "", seq: 0, paths: [] } };
  fake.change("state", state);
  fake.change("saving", saving("editing"));
  await says("Fix 1 error first: Note.", true);
});

test("a review shows before and after as text, one click confirms it once, Escape leaves it", async () => {
  const { fake, el, button, kinds } = shown(saving("editing"));
  button("Save changes")?.focus();
  button("Save changes")?.click();
  fake.change("saving", saving("review", { review: REVIEW }));
  await soon(() => expect(document.activeElement?.textContent).toContain("Save these changes of “M 51”?"));
  expect([...el.querySelectorAll(".cxw-changes tbody > tr > *")].map((cell) => cell.textContent)).toEqual([
    "Note",
    "a <b>",
    "b",
  ]);
  button("Save")?.click();
  await drawn();
  button("Save")?.click();
  expect(kinds()).toEqual(["review", "confirm"]);
  expect(fake.sent.at(-1)).toEqual({ kind: "confirm", ticket: "t" });
  el.querySelector(".cxw-review h3")?.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
  expect(kinds().at(-1)).toBe("cancel");
});

test("what somebody else has changed is shown beside ours, and the button says what it does", async () => {
  const rows = [{ path: "note", before: "theirs", after: "mine", meanwhile: true }];
  const review = { ticket: "t", account: "ada", rows, theirs: ["wwt.rotation"] };
  const { el, button } = shown(saving("review", { review, message: "Somebody has changed note meanwhile." }));
  expect(el.querySelector(".cxw-review")?.textContent).toContain("Changed on the server since you read it.");
  expect(el.querySelector(".cxw-review")?.textContent).toContain("Rotation also changed on the server");
  expect(el.querySelector('.cxw-review [role="alert"]')?.textContent).toContain("changed note meanwhile");
  expect(button("Overwrite with my changes")).toBeTruthy();
});

test("what became of each field is read aloud, and what failed can be tried again", async () => {
  const made = { field: "note", before: "", asked: "b", now: "b", made: true };
  const { fake, el, button, kinds } = shown(saving("saved", { changed: [], result: [made] }));
  const text = () => el.querySelector(".cxw-outcomes")?.textContent;
  expect(text()).toBe("Note was changed from empty to “b”");
  expect(el.querySelector(".cxw-receipt")?.getAttribute("role")).toBe("status");
  fake.change(
    "saving",
    saving("failed", { message: "Gone.", result: [{ ...made, before: "a", now: "a", made: false }] }),
  );
  await soon(() => expect(text()).toBe("Note was not changed: it is still “a”"));
  expect(el.querySelector(".cxw-failed")?.getAttribute("role")).toBe("alert");
  const says = () => el.querySelector(".cxw-failed b")?.textContent;
  expect(says()).toBe("Nothing was saved.");
  fake.change("saving", saving("failed", { unclear: true }));
  await soon(() => expect(says()).toBe("It is not known whether this was saved."));
  button("Check and retry save")?.click();
  expect(kinds()).toEqual(["review"]);
});
