import { afterEach, expect, test, vi } from "vitest";
import type { HandleListStatus, HandleSceneRow } from "../protocol.ts";
import { FakeModel } from "../shared/fake_model.ts";
import list from "./index.tsx";

const STATUS: HandleListStatus = {
  handle: "me",
  api_url: "http://x",
  version: 1,
  loaded: 2,
  total: 2,
  phase: "complete",
  message: "",
  opened: { what: "", id: "", phase: "", message: "" },
};
const row = (number: number, published: boolean): HandleSceneRow => ({
  id: `${number}`.padStart(24, "0"),
  text: `Scene ${number}`,
  created: "2026-11-22T12:00:00+00:00",
  published,
  impressions: 1200,
  likes: 3,
  clicks: 2,
  shares: 1,
  record: "http://x/scene/1",
  page: "https://site/@me/1",
  edit: "javascript:alert(1)",
});

const undo: (() => void)[] = [];
afterEach(() => {
  for (const end of undo.splice(0)) end();
});

test("rows have the counters and the state; scenes are opened, published and made by buttons", async () => {
  const fake = new FakeModel({ status: STATUS });
  fake.send = (message) => {
    fake.sent.push(message);
    const answer = (content: object) => setTimeout(() => fake.receive({ id: message.id, ok: true, ...content }), 0);
    if (message.kind === "rows") answer({ version: 1, rows: [row(1, true), row(2, false)] });
    if (message.kind === "do") answer({});
  };
  const el = document.body.appendChild(document.createElement("div"));
  const end = list.render({ model: fake.model, el });
  undo.push(() => {
    end();
    el.remove();
  });
  await vi.waitFor(() => expect(el.querySelectorAll("li")).toHaveLength(2), 5000);
  const [first, second] = [...el.querySelectorAll("li")];
  expect(first!.querySelector(".cxw-counters")!.textContent).toBe("1,200 views3 likes2 clicks1 shares");
  expect([first!, second!].map((it) => it.querySelector(".cxw-scene-state")!.textContent)).toEqual([
    "Published",
    "Unlisted",
  ]);
  expect([...first!.querySelectorAll("a")].map((it) => it.href)).toEqual(["http://x/scene/1", "https://site/@me/1"]);
  const press = (label: string) =>
    [...el.querySelectorAll("button")]
      .find((it) => (it.getAttribute("aria-label") ?? it.textContent) === label)!
      .click();
  for (const label of [
    "New scene…",
    "Edit: Scene 1",
    "Unpublish…: Scene 1",
    "Publish…: Scene 2",
    "Show on the sky: Scene 2",
  ])
    press(label);
  const done = fake.sent.filter((it) => it.kind === "do").map(({ what, of }) => `${what} ${Number(of)}`);
  expect(done).toEqual(["new 0", "form 1", "publish 1", "publish 2", "sky 2"]);
  fake.change("status", { ...STATUS, opened: { what: "new", id: "", phase: "open", message: "" } });
  await vi.waitFor(() => press("Close new scene"), 5000);
  expect(fake.sent.filter((it) => it.kind === "do").at(-1)!.what).toBe("close");
  const search = el.querySelector<HTMLInputElement>('input[type="search"]')!;
  search.value = "unlisted";
  search.dispatchEvent(new Event("input", { bubbles: true }));
  await vi.waitFor(() => expect(el.querySelectorAll("li")).toHaveLength(1), 5000);
});
