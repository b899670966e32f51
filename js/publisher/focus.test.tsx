import { expect, test, vi } from "vitest";
import type { PublisherStatus } from "../protocol.ts";
import { FakeModel } from "../shared/fake_model.ts";
import { drawn } from "../testing/drawn.ts";
import publisher from "./index.tsx";

function status(phase: PublisherStatus["phase"], more: Partial<PublisherStatus> = {}): PublisherStatus {
  return {
    phase,
    handle: "me",
    api_url: "http://x",
    blocked: "",
    sandbox: false,
    edits: false,
    editing: false,
    account: { message: "", blocks: false },
    progress: "Asking …",
    waiting: false,
    message: "Gone.",
    review: null,
    receipt: null,
    ...more,
  };
}

/** A publisher's model in the page. */
const model = (shown: ReturnType<typeof status>, titles: Record<string, string> = {}) =>
  new FakeModel({
    state: { name: "M 51", values: {}, problems: [], locked: false, by: { client: "", seq: 0, paths: [] } },
    saved: "",
    draft_id: "d",
    status: shown,
    titles,
    pending_attempts: { phase: "none", count: 0, done: 0, items: [], message: "" },
    published_before: [],
  });

test("the keyboard is never lost: it goes from the button to the progress, to what went wrong, and back to the button", async () => {
  const fake = model(status("editing"));
  const el = document.body.appendChild(document.createElement("div"));
  publisher.render({ model: fake.model, el });
  const button = () => el.querySelector<HTMLButtonElement>("button.cxw-primary");
  button()?.focus();
  for (const phase of ["planning", "failed"] as const) {
    fake.change("status", status(phase));
    await drawn();
    expect(document.activeElement?.textContent).toContain(
      phase === "planning" ? "Asking …" : "Nothing was published. Gone.",
    );
  }
  fake.change("status", status("sending"));
  await drawn();
  expect(document.activeElement?.getAttribute("role")).toBe("status");
  document.body.focus(); // as when JupyterLab takes the focus to the cell around
  fake.change("status", status("editing"));
  await drawn();
  expect(document.activeElement).toBe(button());
});

test("the focus moves with the phase, not a frame later, when the next key may have come", async () => {
  const fake = model(status("editing"));
  const el = document.body.appendChild(document.createElement("div"));
  publisher.render({ model: fake.model, el });
  el.querySelector<HTMLButtonElement>("button.cxw-primary")!.focus();
  fake.change("status", status("planning"));
  await Promise.resolve(); // Preact renders
  expect(document.activeElement?.textContent).toContain("Asking …");
});

test("a check that takes long is cancelled", async () => {
  const fake = model(status("planning"));
  const el = document.body.appendChild(document.createElement("div"));
  publisher.render({ model: fake.model, el });
  await drawn();
  const [cancel] = [...el.querySelectorAll("button")].filter(({ textContent }) => textContent === "Cancel");
  cancel!.focus();
  cancel!.click();
  expect(fake.sent).toContainEqual(expect.objectContaining({ kind: "cancel" }));
  fake.change("status", status("editing"));
  await drawn();
  expect(document.activeElement).toBe(el.querySelector("button.cxw-primary"));
});

test("the first line says that edits can't be saved, and that an outcome is not known", async () => {
  const fake = model(status("editing"));
  const el = document.body.appendChild(document.createElement("div"));
  publisher.render({ model: fake.model, el });
  const state = () => el.querySelector(".cxw-head-state")!.textContent;
  fake.change("saved", "2026-11-22T09:00:00+00:00");
  await drawn();
  expect(state()).toMatch(/^draft · saved /);
  const full = { code: "CXW902", severity: "warning", field: "", message: "edits can't be saved", fix: null };
  fake.change("state", { ...(fake.model.get("state") as object), problems: [full] });
  await drawn();
  expect(state()).toBe("draft · not saved");
  fake.change("status", status("unclear"));
  await drawn();
  expect(state()).toBe("outcome unclear");
});

test("the keyboard is left alone when it is elsewhere", async () => {
  const fake = model(status("sending"));
  publisher.render({ model: fake.model, el: document.body.appendChild(document.createElement("div")) });
  const elsewhere = document.body.appendChild(document.createElement("input"));
  elsewhere.focus();
  fake.change("status", status("failed"));
  await drawn();
  expect(document.activeElement).toBe(elsewhere);
});

test("the review says why somebody has to decide, and names fields as the form does", async () => {
  const reasons = ["wwt.thumbnail_url: the thumbnail, http://x/t.jpg: not there.", "The handle: 'a' has <b>it</b>."];
  const about = {
    title: "M 51",
    picture: "",
    position: "",
    addresses: [],
    credits: [],
    copyright: "",
    license: "",
    alt_text: "",
  };
  const review = { ticket: "1", account: "ada", ready: true, reasons, request: "POST", body: "{}", size: 2, ...about };
  const titles = { "wwt.thumbnail_url": "Thumbnail URL" };
  const fake = model(status("review", { review }), titles);
  const el = document.body.appendChild(document.createElement("div"));
  publisher.render({ model: fake.model, el });
  await drawn();
  const shown = [...el.querySelectorAll(".cxw-reasons li")].map((item) => item.textContent);
  expect(shown).toEqual(["Thumbnail URL the thumbnail, http://x/t.jpg: not there.", reasons[1]]);
  expect(el.querySelector(".cxw-sent-by")?.textContent).toBe(
    "Signed in as ada in this notebook’s kernel: that account publishes, whoever confirms.",
  );
  const confirm = () => el.querySelector<HTMLButtonElement>("button.cxw-confirm");
  expect([confirm()?.textContent, confirm()?.disabled, confirm()?.classList.contains("cxw-primary")]).toEqual([
    "Publish anyway",
    true,
    false,
  ]);
  el.querySelector<HTMLInputElement>(".cxw-check input")?.click();
  await drawn();
  confirm()?.click();
  expect(fake.sent.at(-1)).toEqual({ kind: "confirm", ticket: "1", anyway: true });
});

test("once the kernel is gone, what replaces the form says so, and a publication does not seem to go on", async () => {
  const fake = model(status("sending", { waiting: true }));
  const el = document.body.appendChild(document.createElement("div"));
  publisher.render({ model: fake.model, el });
  expect(el.querySelector("progress")).not.toBe(null);
  fake.send = () => {
    throw new Error("Cannot send");
  };
  el.querySelector<HTMLButtonElement>(".cxw-publish-body button")?.click();
  await vi.waitFor(() => expect(el.querySelector("progress")).toBe(null));
  expect(el.querySelector('.cxw-publish-body [role="alert"]')?.textContent).toContain(
    "Run the cell again to see whether the image was published.",
  );
});

test("while it only waits for the server, waiting can be stopped", async () => {
  const fake = model(status("sending"));
  const el = document.body.appendChild(document.createElement("div"));
  publisher.render({ model: fake.model, el });
  expect(el.querySelector(".cxw-publish-body button")).toBe(null); // what is sent can't be called back
  fake.change("status", status("sending", { progress: "Waiting 43 s …", waiting: true }));
  await drawn();
  el.querySelector<HTMLButtonElement>(".cxw-publish-body button")?.click();
  expect(fake.sent).toContainEqual(expect.objectContaining({ kind: "cancel" }));
});
