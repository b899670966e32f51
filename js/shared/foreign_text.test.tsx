// Widgets whose every foreign text holds a bidirectional override: nothing around such a text may stand in one paragraph with it.

import type { AnyModel } from "@anywidget/types";
import { afterEach, expect, test, vi } from "vitest";
import batchPublisher from "../batch_publisher/index.tsx";
import form from "../form/index.tsx";
import handleImages from "../handle_images/index.tsx";
import handleScenes from "../handle_scenes/index.tsx";
import library from "../image_library/index.tsx";
import publisher from "../publisher/index.tsx";
import sceneEditor from "../scene_editor/index.tsx";
import signIn from "../sign_in/index.tsx";
import { FakeModel } from "./fake_model.ts";

const EVIL = "a\u202egpj.b $x$";
const URL = `http://x/${EVIL}`;
const STATE = {
  name: EVIL,
  values: { note: EVIL },
  problems: [{ code: "C", severity: "warning", field: "", message: EVIL, fix: EVIL }],
  locked: false,
  by: { client: "", seq: 0, paths: [] },
};
const ITEM = {
  kind: "image",
  name: EVIL,
  handle: EVIL,
  when: "2026-11-22T12:00:00+00:00",
  state: "unclear",
  id: EVIL,
  url: URL,
  answer: EVIL,
};
const NONE_PENDING = { phase: "offer", count: 1, done: 0, items: [ITEM], message: EVIL };
const PLACE = {
  handle: EVIL,
  api_url: URL,
  blocked: "",
  sandbox: false,
  edits: true,
  editing: false,
  account: { message: EVIL, blocks: true },
  progress: EVIL,
  message: EVIL,
  review: null,
  receipt: null,
};
const REVIEWED = {
  title: EVIL,
  picture: "",
  position: "",
  addresses: [{ title: "Image address", url: URL, checked: true }],
  credits: [EVIL],
  copyright: EVIL,
  license: EVIL,
  alt_text: EVIL,
};
const REQUEST = {
  ...REVIEWED,
  ticket: "t",
  ready: true,
  reasons: [EVIL, `note: ${EVIL}`],
  request: EVIL,
  body: JSON.stringify({ note: EVIL }),
  size: 2,
};
const RECEIPT = {
  id: EVIL,
  handle: EVIL,
  api_url: URL,
  created: "2026-11-22T09:00:00+00:00",
  record_url: URL,
  wtml_url: URL,
  handle_url: URL,
  key: "k",
  body_sha256: "ab",
  body: EVIL,
  duplicates: [],
  same: true,
};
const MADE = { id: EVIL, record_url: URL, scene_url: URL, edit_url: URL, dashboard_url: URL, published: false };
const SCENE_FORM = {
  text: EVIL,
  outgoing_url: EVIL,
  published: false,
  background_id: "b",
  view: [{ name: "ra", title: "Center RA", text: EVIL, help: "", typed: EVIL, error: EVIL }],
  summary: "",
  taken: 0,
  layers: [{ id: "1", name: EVIL, opacity: 1 }],
  fixed: false,
  message: EVIL,
  warnings: [EVIL],
};
const SCENE = {
  phase: "editing",
  progress: EVIL,
  message: EVIL,
  review: null,
  made: MADE,
  exists: true,
  open: true,
  blocked: "",
  changed: [],
  earlier: ["text"],
  form: SCENE_FORM,
  choices: { images: [{ id: "2", name: EVIL }], backgrounds: [{ id: "b", name: EVIL }], message: EVIL },
  preview: true,
};
const SCENE_REVIEW = {
  ticket: "t",
  request: EVIL,
  body: JSON.stringify({ text: EVIL }),
  size: 1,
  rows: [{ name: "text", before: EVIL, after: EVIL, meanwhile: true }],
  published: true,
  warnings: [EVIL],
};
const LIMITS = { unit: "", minimum: null, above: null, maximum: null, limit: null, choices: [], required: false };
const FIELDS = [{ path: "note", title: "Note", description: "What it is.", kind: "text", ...LIMITS, fixed: false }];
const SAVED = { id: EVIL, handle: EVIL, api_url: URL, record_url: URL, wtml_url: URL };
const SAVING = {
  changed: ["note"],
  blocked: "",
  message: EVIL,
  progress: EVIL,
  review: null,
  result: [],
  unclear: false,
  place: SAVED,
};
const CHANGE = { path: "note", before: EVIL, after: EVIL, meanwhile: true };
const OUTCOME = { field: "note", before: EVIL, asked: EVIL, now: `${EVIL}.`, made: true };
const BATCH = {
  revision: 0,
  acknowledged: {},
  total: 1,
  open: 1,
  counts: { unplanned: 1 },
  sent: {},
  handle: EVIL,
  api_url: URL,
  message: EVIL,
  progress: EVIL,
  continued: false,
  review: null,
  undo: EVIL,
  redo: EVIL,
  earlier: null,
  saved: [EVIL],
  edited: 0,
  edits: true,
};
const KINDS = [{ kind: "decide", count: 1, reasons: [{ reason: EVIL, count: 1, name: EVIL }], more: 0 }];
const ROW = {
  i: 0,
  v: 0,
  name: EVIL,
  chosen: true,
  errors: 1,
  warnings: 0,
  state: "failed",
  reason: EVIL,
  needs_review: false,
  anyway: false,
  id: "",
  record: "",
  local: false,
  web: URL,
};
const IMAGES = {
  handle: EVIL,
  api_url: URL,
  pictures: false,
  version: 1,
  loaded: 1,
  total: 1,
  phase: "failed",
  message: EVIL,
  opened: { what: "form", id: "1", phase: "failed", message: EVIL },
};
const IN = {
  phase: "in",
  service: "constellations",
  api_url: URL,
  official: false,
  progress: EVIL,
  message: EVIL,
  link: "",
  user_code: "",
  accepts_paste: false,
  paste_message: "",
  username: EVIL,
  notice: "",
  handle: EVIL,
  may: "yes",
  handle_message: EVIL,
};
const LIBRARY = {
  base_url: URL,
  phase: "failed",
  message: EVIL,
  signed_out: "",
  count: 0,
  revision: 0,
  session: 0,
  busy: EVIL,
  note: EVIL,
  url: URL,
  uploads: [
    { id: 1, name: EVIL, phase: "failed", size: 1, done: 0, rate: 0, remaining: null, message: EVIL, is_whole: true },
  ],
};

const POSITION = {
  flat: true,
  complete: false,
  fields: [{ name: "ra", title: "Center RA", text: "", help: "", typed: EVIL, error: EVIL }],
  mirrored: false,
  unmirrored: "",
  taken: 0,
  summary: "",
  question: EVIL,
  label: EVIL,
};
const EARLIER = {
  phase: "restored",
  saved: "2026-11-22T09:00:00+00:00",
  fields: [{ path: "note", title: "Note", before: EVIL, after: EVIL }],
};

const publishing = (status: object, scene: object = {}) => ({
  state: STATE,
  draft_id: "d",
  saved: "",
  titles: { note: "Note" },
  pending_attempts: NONE_PENDING,
  published_before: [{ key: "k", head: EVIL, name: EVIL, url: EVIL, tail: EVIL }],
  status: { ...PLACE, ...status },
  scene: { ...SCENE, ...scene },
});
const saving = (more: object) => ({
  state: STATE,
  draft_id: "d",
  fields: FIELDS,
  place: POSITION,
  kept_credits: { text: "", tree: [] },
  earlier: EARLIER,
  saving: { ...SAVING, ...more },
});
const batch = (more: object) => ({
  state: STATE,
  pending_attempts: NONE_PENDING,
  metadata: {
    name: EVIL,
    columns: [{ header: EVIL, field: "", reason: EVIL }],
    count: 1,
    remarks: [EVIL],
    more: 0,
    applied: false,
  },
  hosting: {
    phase: "failed",
    blocked: EVIL,
    places: [{ id: EVIL, label: EVIL }],
    progress: null,
    message: EVIL,
    test: null,
  },
  positions: {
    phase: "failed",
    images: 1,
    searched: 0,
    total: 0,
    progress: 0,
    message: EVIL,
    near: EVIL,
    width: EVIL,
    offer: EVIL,
    size: "9 MB",
  },
  found_positions: [
    {
      row: 0,
      name: EVIL,
      state: "found",
      message: EVIL,
      seen: true,
      found: { facts: [["Center", EVIL]], doubts: [EVIL], remarks: [EVIL] },
    },
    { row: 1, name: EVIL, state: "failed", message: EVIL, seen: false, found: null },
  ],
  titles: {},
  fields: [],
  kept_credits: { text: "", tree: [] },
  status: { ...BATCH, ...more },
});

type Widget = { render(props: { model: AnyModel; el: HTMLElement }): (() => void) | undefined };

const WIDGETS: [string, Widget, Record<string, unknown>][] = [
  ["publisher: start", publisher, publishing({ phase: "editing" })],
  ["publisher: review", publisher, publishing({ phase: "review", review: REQUEST })],
  ["publisher: sending", publisher, publishing({ phase: "sending" })],
  ["publisher: failed", publisher, publishing({ phase: "failed" })],
  ["publisher: receipt", publisher, publishing({ phase: "published", receipt: RECEIPT }, { phase: "failed" })],
  ["publisher: scene", publisher, publishing({ phase: "published", receipt: RECEIPT }, { phase: "sending" })],
  ["form: reading", form, saving({ phase: "reading" })],
  ["form: review", form, saving({ phase: "review", review: { ticket: "t", rows: [CHANGE], theirs: ["note"] } })],
  ["form: failed", form, saving({ phase: "failed", result: [OUTCOME, { ...OUTCOME, made: false }] })],
  ["batch: start", batchPublisher, batch({ phase: "editing" })],
  ["batch: review", batchPublisher, batch({ phase: "review", review: { ticket: "t", ready: 1, kinds: KINDS } })],
  ["batch: sending", batchPublisher, batch({ phase: "sending" })],
  ["scene: form", sceneEditor, { scene: SCENE }],
  ["scene: review", sceneEditor, { scene: { ...SCENE, phase: "review", review: SCENE_REVIEW } }],
  ["scene: failed", sceneEditor, { scene: { ...SCENE, phase: "unclear" } }],
  ["scene: made", sceneEditor, { scene: { ...SCENE, phase: "made", exists: false, open: false } }],
  ["scenes of a handle", handleScenes, { status: IMAGES }],
  ["images of a handle", handleImages, { status: IMAGES }],
  ["sign-in", signIn, { status: IN }],
  ["library", library, { state: LIBRARY }],
];

const COUNTERS = { impressions: 0, likes: 0, clicks: 0, shares: 0, page: URL, edit: URL };

const BLOCKS = "bdi, td, dd, pre, code, textarea"; // theme.css isolates these, too
const ATTRIBUTES = ["title", "aria-label", "alt", "placeholder"];

/** Texts and attributes in which an override reaches what stands around it. */
function reaching(root: Element): string[] {
  const found: string[] = [];
  for (const element of [root, ...root.querySelectorAll("*")]) {
    const own = [...element.childNodes].filter((node) => node.nodeType === 3 && node.textContent!.includes("\u202e"));
    if (own.length > 0 && !element.closest(BLOCKS)) found.push(`${element.tagName}: ${element.textContent}`);
    for (const name of ATTRIBUTES)
      if (element.getAttribute(name)?.includes("\u202e")) found.push(`${name}: ${element.getAttribute(name)}`);
  }
  return found;
}

const undo: (() => void)[] = [];
afterEach(() => {
  for (const end of undo.splice(0)) end();
});

test.each(WIDGETS)("%s", async (_name, widget, traits) => {
  const fake = new FakeModel(traits);
  fake.send = (message) => {
    const answer = (content: object) => setTimeout(() => fake.receive({ id: message.id, ok: true, ...content }), 0);
    if (message.kind === "rows" && widget === batchPublisher) answer({ rows: [ROW], revision: 0, total: 1 });
    else if (message.kind === "rows" && widget === handleScenes)
      answer({ version: 1, rows: [{ id: "1", text: EVIL, created: "", published: true, ...COUNTERS, record: URL }] });
    else if (message.kind === "rows" && widget === handleImages)
      answer({ version: 1, rows: [{ id: "1", note: EVIL, created: "", url: URL, record: URL, wtml: URL }] });
  };
  const el = document.body.appendChild(document.createElement("div"));
  const end = widget.render({ model: fake.model, el });
  undo.push(() => {
    end?.();
    el.remove();
  });
  const expected =
    widget === batchPublisher
      ? ".cxw-batch-table .cxw-name"
      : widget === handleImages || widget === handleScenes
        ? ".cxw-record-name"
        : "bdi";
  await vi.waitFor(() => expect(el.querySelector(expected)?.textContent).toContain("\u202e"), 10_000);
  expect(reaching(el)).toEqual([]);
  expect(el.classList.contains("mathjax_ignore")).toBe(true);
});
