import { expect, test } from "vitest";
import type { PublisherStatus, ReceiptState, SceneState } from "../protocol.ts";
import { staticFallback } from "./static_fallback.ts";

const STATUS: PublisherStatus = {
  phase: "editing",
  handle: "me",
  api_url: "https://api.example",
  blocked: "",
  sandbox: false,
  edits: false,
  editing: false,
  account: { message: "", blocks: false },
  progress: "",
  waiting: false,
  message: "",
  review: null,
  receipt: null,
};
const RECEIPT: ReceiptState = {
  id: "65f0",
  handle: "me",
  api_url: "https://api.example",
  created: "2026-11-22T09:00:00+00:00",
  record_url: "https://api.example/image/65f0",
  wtml_url: "https://api.example/image/65f0/img.wtml",
  handle_url: "https://example/@me",
  dashboard_url: "https://example/@me/dashboard",
  edit_url: "https://example/@me/image/65f0/edit",
  key: "a key",
  body_sha256: "abcd",
  duplicates: [],
  body: '{ "note": "<b>M 51" }',
  same: true,
};
const NO_SCENE: SceneState = {
  phase: "none",
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
  form: null,
  choices: { images: [], backgrounds: [], message: "" },
  preview: false,
};

test("a published image is told by its links, and by what was sent", () => {
  const node = staticFallback("M 51", { ...STATUS, phase: "published", receipt: RECEIPT }, NO_SCENE) as HTMLElement;
  expect(node.textContent).toContain("“M 51” was published by @me at https://api.example as 65f0");
  expect([...node.querySelectorAll("a")].map((it) => it.href)).toEqual([
    RECEIPT.record_url,
    RECEIPT.wtml_url,
    RECEIPT.handle_url,
  ]);
  expect(node.querySelector("pre")!.textContent).toBe(RECEIPT.body);
  expect(node.querySelector("b")).toBeNull();
});

test("a scene of it is told, too, and an API without a website has no page", () => {
  const links = { scene_url: null, edit_url: null, dashboard_url: null };
  const made = { id: "77", record_url: "http://x/scene/77", ...links, published: false };
  const status: PublisherStatus = { ...STATUS, phase: "published", receipt: { ...RECEIPT, handle_url: "" } };
  const node = staticFallback("M 51", status, { ...NO_SCENE, phase: "made", made }) as HTMLElement;
  expect(node.textContent).toContain("A scene of it was created, not published: 77");
  expect([...node.querySelectorAll("a")].map((it) => it.href)).toContain(made.record_url);
  expect(node.textContent).not.toContain("page of its owner");
});

test("what is not published is told, and so is what is not clear", () => {
  expect(staticFallback("M 51", STATUS, NO_SCENE).textContent).toContain("was not published from here");
  expect(staticFallback("M 51", { ...STATUS, phase: "unclear" }, NO_SCENE).textContent).toContain("not clear whether");
});
