import { expect, test } from "vitest";
import type { SceneState } from "../protocol.ts";
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
  note: "M 51",
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
const SCENE: SceneState = {
  phase: "offer",
  progress: "",
  waiting: false,
  message: "",
  review: null,
  receipt: null,
  preview: true,
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
  const [view, published] = [...el.querySelectorAll<HTMLInputElement>(".cxw-scene input[type=checkbox]")];
  expect([view!.checked, published!.checked]).toEqual([true, false]);
  expect(el.querySelector("textarea")!.value).toBe("M 51");
  el.querySelector("input[type=url]")!.dispatchEvent(
    new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }),
  );
  const wanted = { text: "M 51", outgoing_url: "", opacity: 1, view: true, published: false };
  expect(sent()).toEqual([{ kind: "scene", action: "review", ...wanted }]);

  await change({ message: "No scene can be made of this: outgoing_url: is none" });
  expect(el.querySelector(".cxw-scene [role=alert]")!.textContent).toContain("this: “See more” address: is none");

  const body = '{"text": "M 51", "published": false}';
  const review = {
    ticket: "1",
    request: "POST https://x/handle/me/scene",
    body,
    size: 36,
    view: "the whole image",
    published: false,
  };
  await change({ phase: "review", review });
  expect(el.querySelector(".cxw-scene pre")!.textContent).toBe(`${review.request}\n\n${body}`);
  expect(el.textContent).toContain("View: the whole image. Unlisted: only people with the link can see it.");
  await press("Create scene");
  await press("Create scene");
  expect(sent().slice(1)).toEqual([{ kind: "scene", action: "confirm", ticket: "1" }]);

  await change({ phase: "offer" });
  expect(el.querySelector("textarea")!.value).toBe("M 51"); // what was typed is kept
});

test("without a preview there is no view to use; an unclear scene is looked at or sent again on demand", async () => {
  const { el, press, sent, change } = await shown({ preview: false });
  await press("Create scene…");
  expect(el.querySelectorAll(".cxw-scene input[type=checkbox]")).toHaveLength(1);
  await change({ phase: "unclear", message: "Reset." });
  expect(el.textContent).toContain("It is not clear whether the scene was created. Reset.");
  await press("Look again");
  await press("Not on the server: send again");
  expect(sent().map((message) => (message as { action: string }).action)).toEqual(["check", "resend"]);
});

test("the receipt links to the record, the WTML and the handle's page, and has what was sent", async () => {
  const { el } = await shown({}, { handle_url: "https://x/@me", body: '{ "note": "<b>" }' });
  const links = [...el.querySelectorAll<HTMLAnchorElement>(".cxw-receipt a")].map((it) => it.href);
  expect(links).toEqual([RECEIPT.record_url, LINKS.wtml_url, "https://x/@me"]);
  expect(el.querySelector(".cxw-receipt pre")!.textContent).toBe('{ "note": "<b>" }');
});

test("a scene that is made has its links, and none that lead nowhere", async () => {
  const receipt = {
    id: "77",
    record_url: "https://x/scene/77",
    scene_url: "javascript:alert(1)",
    handle_url: null,
    published: true,
  };
  const { el, press, change, sent } = await shown({ phase: "made", receipt });
  expect(el.textContent).toContain("Scene published");
  expect([...el.querySelectorAll<HTMLAnchorElement>(".cxw-scene a")].map((it) => it.href)).toEqual([
    receipt.record_url,
  ]);

  await press("Create another…");
  expect(sent()).toEqual([{ kind: "scene", action: "another" }]);
  await change({ phase: "offer", receipt });
  await press("Review scene");
  expect(sent().at(-1)).toMatchObject({ action: "review", text: "M 51" });
});
