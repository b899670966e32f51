import { render } from "preact";
import { afterEach, expect, test } from "vitest";
import type { HostingState } from "../protocol.ts";
import { DraftLink } from "../shared/draft_link.ts";
import { FakeModel } from "../shared/fake_model.ts";
import { KernelLink } from "../shared/kernel_link.ts";
import { Uploads } from "./uploads.tsx";

const IDLE: HostingState = { phase: "idle", blocked: "", places: [], progress: null, message: "", test: null };

const undo: (() => void)[] = [];
afterEach(() => {
  for (const end of undo.splice(0)) end();
});

function shown(hosting: Partial<HostingState>) {
  const by = { client: "", seq: 0, paths: [] };
  const state = { name: "all", values: {}, problems: [], locked: false, by };
  const fake = new FakeModel({ state, hosting: { ...IDLE, ...hosting } });
  const el = document.body.appendChild(document.createElement("div"));
  const kernel = new KernelLink(fake.model);
  render(<Uploads draft={new DraftLink(kernel)} />, el);
  undo.push(() => {
    render(null, el);
    el.remove();
    kernel.close();
  });
  const button = (words: string) => [...el.querySelectorAll("button")].find((each) => each.textContent === words);
  return { fake, el, button };
}

test("files of all images go to the place that is offered first", () => {
  const { fake, el, button } = shown({ images: 12, places: [{ id: "given", label: "s3://bucket/survey" }] });
  expect(el.querySelector("summary")?.textContent).toBe("Upload files of 12 images…");
  button("Upload")?.click();
  expect(fake.sent).toEqual([{ kind: "upload", place: "given", replace: false }]);
  expect(button("Write a folder to upload by hand")).toBeUndefined();
});

test("an upload shows its progress and can be cancelled", () => {
  const progress = { text: "3 of 12 images uploaded", done: 3, total: 12 };
  const { fake, el, button } = shown({ images: 12, phase: "uploading", progress });
  expect(el.textContent).toContain("3 of 12 images uploaded");
  button("Cancel")?.click();
  expect(fake.sent).toEqual([{ kind: "upload_cancel" }]);
});

test("without anything to upload only the outcome of the last upload is shown", () => {
  expect(shown({ blocked: "Nothing." }).el.textContent).toBe("");
  expect(shown({ blocked: "Nothing.", phase: "done", message: "On the web." }).el.textContent).toBe("On the web.");
});
