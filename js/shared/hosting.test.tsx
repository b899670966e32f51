import { render } from "preact";
import { afterEach, expect, test } from "vitest";
import type { HostingState } from "../protocol.ts";
import { drawn } from "../testing/drawn.ts";
import { DraftLink } from "./draft_link.ts";
import { FakeModel } from "./fake_model.ts";
import { AddressTester, Uploader } from "./hosting.tsx";
import { KernelLink } from "./kernel_link.ts";

const IDLE: HostingState = { phase: "idle", blocked: "", places: [], progress: null, message: "", test: null };
const URL_PATH = "storage.legacy_url_template";

const undo: (() => void)[] = [];
afterEach(() => {
  for (const end of undo.splice(0)) end();
});

function shown(hosting: Partial<HostingState> = {}, values: Record<string, string> = {}) {
  const by = { client: "", seq: 0, paths: [] };
  const fake = new FakeModel({
    state: { name: "M 51", values, problems: [], locked: false, by },
    hosting: { ...IDLE, ...hosting },
  });
  const el = document.body.appendChild(document.createElement("div"));
  const kernel = new KernelLink(fake.model);
  const draft = new DraftLink(kernel);
  const View = () => (
    <>
      <AddressTester draft={draft} />
      <Uploader draft={draft} />
    </>
  );
  render(<View />, el);
  undo.push(() => {
    render(null, el);
    el.remove();
    kernel.close();
  });
  const button = (words: string) => [...el.querySelectorAll("button")].find((each) => each.textContent === words);
  const input = (words: string) => {
    const label = [...el.querySelectorAll("label")].find((each) => each.textContent?.startsWith(words));
    return document.getElementById(label?.htmlFor ?? "") as HTMLInputElement | null;
  };
  return { fake, el, button, input };
}

function typed(input: HTMLInputElement | null | undefined, value: string) {
  if (!input) throw new Error("no field");
  input.value = value;
  input.dispatchEvent(new Event("input", { bubbles: true }));
}

test("a sandbox is chosen without typing anything", () => {
  const { fake, button } = shown({ places: [{ id: "sandbox", label: "This sandbox" }] });
  button("Upload")?.click();
  expect(fake.sent).toEqual([{ kind: "host", place: "sandbox", replace: false }]);
});

test("a password goes out once and is forgotten", async () => {
  const { fake, el, button, input } = shown();
  expect(button("Upload")?.disabled).toBe(true);
  typed(input("Folder or address"), "sftp://me@example.org/m51");
  await drawn();
  typed(input("Password"), "hidden-key");
  await drawn();
  expect(input("Password")?.type).toBe("password");
  button("Upload")?.click();
  await drawn();
  expect(fake.sent.at(-1)).toMatchObject({
    kind: "host",
    place: "other",
    target: "sftp://me@example.org/m51",
    secret: "hidden-key",
  });
  expect(input("Password")?.value).toBe("");
  expect(el.outerHTML).not.toContain("hidden-key");
});

test("an upload can be cancelled and shows how far it is", () => {
  const { fake, el, button } = shown({
    places: [{ id: "sandbox", label: "This sandbox" }],
    phase: "uploading",
    progress: { text: "3 of 9 files", done: 3, total: 9 },
  });
  expect(el.querySelector("progress[max='9']")?.getAttribute("value")).toBe("3");
  expect(el.textContent).toContain("3 of 9 files");
  button("Upload")?.focus(); // it keeps the focus, and does nothing
  button("Upload")?.click();
  expect([document.activeElement, fake.sent]).toEqual([button("Upload"), []]);
  button("Cancel")?.click();
  expect(fake.sent).toEqual([{ kind: "host_cancel" }]);
});

test("the result of a test is shown at the address, with the address of the file", () => {
  const tested = {
    field: URL_PATH,
    url: "https://github.com/a/b/blob/main/c.png",
    status: 200,
    content_type: "text/html",
    kind: "",
    size: null,
  };
  const file_url = "https://raw.githubusercontent.com/a/b/main/c.png";
  const { fake, el, button } = shown(
    { test: { ...tested, shared: false, faults: ["is a page of GitHub"], file_url } },
    { [URL_PATH]: tested.url },
  );
  expect(el.textContent).toContain("is a page of GitHub");
  expect(el.textContent).toContain("status 200, text/html; no CORS header");
  button("Use the file's address")?.click();
  expect(fake.sent.at(-1)).toMatchObject({ kind: "edit", changes: { [URL_PATH]: file_url } });
});

test("an empty address can't be tested", () => {
  expect(shown().button("Test this address")?.disabled).toBe(true);
});
