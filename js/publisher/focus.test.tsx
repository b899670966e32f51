import { expect, test } from "vitest";
import { FakeModel } from "../shared/fake_model.ts";
import publisher from "./index.tsx";
import type { Status } from "./status.ts";

function status(phase: Status["phase"], more: Partial<Status> = {}): Status {
  return { phase, handle: "me", api_url: "http://x", blocked: "", progress: "Asking …", message: "Gone.", review: null, receipt: null, ...more };
}

const LEFTOVERS = { phase: "none", count: 0, done: 0, items: [], message: "" };
const drawn = () => new Promise((later) => setTimeout(later, 60));

test("the keyboard is never lost: it goes from the button to the progress, to what went wrong, and back to the button", async () => {
  const state = { name: "M 51", values: {}, problems: [], locked: false, by: { client: "", seq: 0, paths: [] } };
  const fake = new FakeModel({ state, status: status("editing"), titles: {}, leftovers: LEFTOVERS });
  const el = document.body.appendChild(document.createElement("div"));
  publisher.render({ model: fake.model, el });
  const button = () => el.querySelector<HTMLButtonElement>("button.cxw-primary");
  button()?.focus();
  for (const phase of ["planning", "failed"] as const) {
    fake.change("status", status(phase));
    await drawn();
    expect(document.activeElement?.textContent).toContain(phase === "planning" ? "Asking …" : "Nothing was published. Gone.");
  }
  fake.change("status", status("sending"));
  await drawn();
  expect(document.activeElement?.getAttribute("role")).toBe("status");
  document.body.focus(); // as when JupyterLab takes the focus to the cell around
  fake.change("status", status("editing"));
  await drawn();
  expect(document.activeElement).toBe(button());
});

test("the keyboard is left alone when it is elsewhere", async () => {
  const state = { name: "M 51", values: {}, problems: [], locked: false, by: { client: "", seq: 0, paths: [] } };
  const fake = new FakeModel({ state, status: status("sending"), titles: {}, leftovers: LEFTOVERS });
  publisher.render({ model: fake.model, el: document.body.appendChild(document.createElement("div")) });
  const elsewhere = document.body.appendChild(document.createElement("input"));
  elsewhere.focus();
  fake.change("status", status("failed"));
  await drawn();
  expect(document.activeElement).toBe(elsewhere);
});

test("the review says why somebody has to decide, and names fields as the form does", async () => {
  const state = { name: "M 51", values: {}, problems: [], locked: false, by: { client: "", seq: 0, paths: [] } };
  const reasons = ["wwt.thumbnail_url: the thumbnail, http://x/t.jpg: not there.", "The handle: 'a' has <b>it</b>."];
  const review = { ticket: "1", ready: true, reasons, request: "POST", body: "{}", size: 2 };
  const titles = { "wwt.thumbnail_url": "Thumbnail URL" };
  const fake = new FakeModel({ state, status: status("review", { review }), titles, leftovers: LEFTOVERS });
  const el = document.body.appendChild(document.createElement("div"));
  publisher.render({ model: fake.model, el });
  await drawn();
  const shown = [...el.querySelectorAll(".cxw-reasons li")].map((item) => item.textContent);
  expect(shown).toEqual(["Thumbnail URL the thumbnail, http://x/t.jpg: not there.", reasons[1]]);
  expect(el.querySelector<HTMLButtonElement>("button.cxw-primary")?.disabled).toBe(false);
});
