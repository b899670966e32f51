import { expect, test, vi } from "vitest";
import type { SceneFormState, SceneState } from "../protocol.ts";
import { FakeModel } from "../shared/fake_model.ts";
import { drawn } from "../testing/drawn.ts";
import publisher from "./index.tsx";

const RECEIPT = {
  id: "65f0",
  handle: "me",
  api_url: "https://x",
  created: "2026-11-22T09:00:00+00:00",
  record_url: "https://x/image/65f0",
};
const LINKS = {
  wtml_url: "https://x/image/65f0/img.wtml",
  handle_url: "",
  dashboard_url: "",
  edit_url: "",
  key: "k",
  body_sha256: "ab",
  body: "{}",
  duplicates: [],
  same: true,
};
const STATUS = {
  phase: "published",
  handle: "me",
  api_url: "https://x",
  blocked: "",
  sandbox: false,
  edits: false,
  editing: false,
  account: { message: "", blocks: false },
  progress: "",
  waiting: false,
  message: "",
  review: null,
};
const FORM: SceneFormState = {
  text: "M 51",
  outgoing_url: "",
  published: false,
  background_id: "",
  view: [{ name: "ra", title: "Center RA", text: "13h 30m 00.0s", help: "", typed: "", error: "" }],
  summary: "13h 30m 00.0s +47° 12′ 00″ · 30′ × 30′ · north up",
  taken: 0,
  layers: [{ id: "65f0", name: "M 51", opacity: 1 }],
  fixed: false,
  message: "",
  warnings: [],
};
const MADE = {
  id: "77",
  record_url: "https://x/scene/77",
  scene_url: "javascript:alert(1)",
  edit_url: "https://site/@me/77/edit",
  dashboard_url: "https://site/@me/dashboard",
  published: false,
};
const SCENE: SceneState = {
  phase: "editing",
  progress: "",
  waiting: false,
  message: "",
  review: null,
  made: null,
  exists: false,
  open: true,
  blocked: "",
  changed: [],
  earlier: [],
  form: FORM,
  choices: { images: [], backgrounds: [{ id: "b0", name: "Survey" }], message: "" },
  preview: true,
};
const REVIEW = {
  ticket: "1",
  account: "ada",
  request: "POST https://x/handle/me/scene",
  body: '{"text": "M 51", "published": false}',
  size: 36,
  rows: [{ name: "view", before: null, after: FORM.summary, meanwhile: false }],
  published: false,
  warnings: [],
};

async function shown(scene: Partial<SceneState> = {}, about: object = {}) {
  const state = { name: "M 51", values: {}, problems: [], locked: true, by: { client: "", seq: 0, paths: [] } };
  const pending_attempts = { phase: "none", count: 0, done: 0, items: [], message: "" };
  const status = { ...STATUS, receipt: { ...RECEIPT, ...LINKS, ...about } };
  const fake = new FakeModel({
    state,
    saved: "",
    draft_id: "d",
    titles: {},
    pending_attempts,
    published_before: [],
    status,
    scene: { ...SCENE, ...scene },
  });
  const el = document.body.appendChild(document.createElement("div"));
  publisher.render({ model: fake.model, el });
  await drawn();
  const press = async (words: string) => {
    [...el.querySelectorAll("button")].find((button) => button.textContent === words)!.click();
    await drawn();
  };
  const sent = () => fake.sent.filter((message) => (message as { kind: string }).kind === "scene");
  const change = async (more: Partial<SceneState>) => {
    fake.change("scene", { ...SCENE, ...more });
    await drawn();
  };
  return { el, press, sent, change };
}

test("it says how an image is shown on the website, and what is asked for is reviewed first", async () => {
  const { el, press, sent, change } = await shown();
  expect(el.textContent).toContain("To show the image on the website, create a scene.");
  await press("Create scene…");
  expect(sent()).toEqual([{ kind: "scene", action: "open" }]);
  const [published] = [...el.querySelectorAll<HTMLInputElement>(".cxw-scene input[type=checkbox]")];
  expect(published!.checked).toBe(false);
  const text = el.querySelector("textarea")!;
  expect(text.value).toBe("M 51");
  text.value = "M 51 in red";
  text.dispatchEvent(new Event("input", { bubbles: true }));
  expect(sent().at(-1)).toEqual({ kind: "scene", action: "edit", name: "text", value: "M 51 in red" });
  await press("Use the current view");
  expect(sent().at(-1)).toEqual({ kind: "scene", action: "use_view" });
  el.querySelector("input[type=url]")!.dispatchEvent(
    new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }),
  );
  expect(sent().at(-1)).toEqual({ kind: "scene", action: "review" });

  await change({ message: "No scene can be made of this: outgoing_url: is none" });
  expect(el.querySelector(".cxw-scene [role=alert]")!.textContent).toContain("this: “See more” address: is none");

  await change({ phase: "review", review: REVIEW });
  expect(el.querySelector(".cxw-scene pre")!.textContent).toBe(`${REVIEW.request}\n\n${REVIEW.body}`);
  expect(el.querySelector(".cxw-scene-review")!.textContent).toContain(FORM.summary);
  expect(el.textContent).toContain("Unlisted: only people with the link can see it.");
  const before = sent().length;
  await press("Create scene");
  await press("Create scene");
  expect(sent().slice(before)).toEqual([{ kind: "scene", action: "confirm", ticket: "1" }]);
});

test("without a preview there is no view to use; an unclear scene is looked at or sent again on demand", async () => {
  const { el, press, sent, change } = await shown({ preview: false });
  await press("Create scene…");
  expect(el.textContent).not.toContain("Use the current view");
  await change({ phase: "unclear", message: "Reset." });
  expect(el.textContent).toContain("It is not clear whether the scene was created. Reset.");
  await press("Check again");
  await press("Not on the server: send again");
  expect(sent().map((message) => (message as { action: string }).action)).toEqual(["open", "check", "resend"]);
});

test("the receipt links to the record, the WTML and the owner's pages, and has what was sent", async () => {
  const pages = {
    handle_url: "https://x/@me",
    edit_url: "https://x/@me/image/65f0/edit",
    dashboard_url: "https://x/@me/dashboard",
  };
  const { el } = await shown({}, { ...pages, body: '{ "note": "<b>" }' });
  const links = [...el.querySelectorAll<HTMLAnchorElement>(".cxw-receipt a")].map((it) => it.href);
  expect(links).toEqual([RECEIPT.record_url, LINKS.wtml_url, pages.handle_url, pages.edit_url, pages.dashboard_url]);
  expect(el.querySelector(".cxw-receipt pre")!.textContent).toBe('{ "note": "<b>" }');
});

test("a scene that is made has its links, and none that lead nowhere; it is shown on the site after a confirmation", async () => {
  const { el, press, change, sent } = await shown({ phase: "made", open: false, made: MADE });
  expect(el.textContent).toContain("Scene created, not published");
  expect([...el.querySelectorAll<HTMLAnchorElement>(".cxw-scene a")].map((it) => it.href)).toEqual([
    MADE.record_url,
    MADE.edit_url,
    MADE.dashboard_url,
  ]);
  await press("Show on the site…");
  expect(sent()).toEqual([{ kind: "scene", action: "publish", value: true }]);
  const rows = [{ name: "published", before: "No", after: "Yes", meanwhile: false }];
  await change({
    phase: "review",
    exists: true,
    open: false,
    made: MADE,
    review: { ...REVIEW, rows, published: true },
  });
  expect(el.querySelector(".cxw-scene h4")!.textContent).toBe("Show this scene on the site?");
  await press("Publish");
  expect(sent().at(-1)).toEqual({ kind: "scene", action: "confirm", ticket: "1" });
  await change({ phase: "made", exists: true, open: false, made: { ...MADE, published: true } });
  expect(el.textContent).toContain("Scene published");

  await press("Create another…");
  expect(sent().at(-1)).toEqual({ kind: "scene", action: "another" });
  await change({ phase: "editing" });
  await press("Review scene");
  expect(sent().at(-1)).toEqual({ kind: "scene", action: "review" });
});

test.each([
  [true, "Copied"],
  [false, "The browser refused to copy"],
])("the id is copied by selection where a page has no clipboard (allowed: %s)", async (allowed, outcome) => {
  const selected = () => (document.activeElement as HTMLTextAreaElement).value;
  const copied: string[] = [];
  vi.stubGlobal("navigator", {});
  document.execCommand = () => copied.push(selected()) > 0 && allowed;
  const { el } = await shown();
  const button = [...el.querySelectorAll("button")].find((it) => it.textContent === "Copy id")!;
  button.click();
  await drawn();
  vi.unstubAllGlobals();
  expect([copied, button.textContent, document.activeElement]).toEqual([[RECEIPT.id], outcome, button]);
});

test("a receipt says if the draft is no longer what was sent", async () => {
  const about = async (same: boolean) => (await shown({}, { same })).el.querySelector(".cxw-receipt")?.textContent;
  expect(await about(true)).not.toContain("has changed since");
  expect(await about(false)).toContain("The draft has changed since it was sent.");
});
