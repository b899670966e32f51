import { render } from "preact";
import { expect, test, vi } from "vitest";
import type { PendingItem, PendingState } from "../protocol.ts";
import { PendingAttemptsView } from "./pending_attempts.tsx";

const item = (name: string, more: Partial<PendingItem> = {}): PendingItem => ({
  kind: "image",
  name,
  handle: "me",
  when: "2026-11-22T09:00:00+00:00",
  state: "unclear",
  id: "",
  url: "",
  answer: "",
  ...more,
});

function shown(state: Partial<PendingState>, send: (message: object) => void = () => {}): HTMLElement {
  const el = document.createElement("div");
  render(
    <PendingAttemptsView state={{ phase: "offer", count: 1, done: 0, items: [], message: "", ...state }} send={send} />,
    el,
  );
  return el;
}

test("nothing is said while nothing is left open", () => {
  expect(shown({ phase: "none", count: 0 }).innerHTML).toBe("");
});

test("the offer counts and names what is open, says that it only looks, and looks at a press", () => {
  const send = vi.fn();
  const items = [item("<b>M 51</b>"), item("M 31"), item("Look", { kind: "scene" })];
  const el = shown({ count: 3, items }, send);
  expect(el.textContent).toContain("2 images and 1 scene were being sent when an earlier session ended");
  expect(el.textContent).toContain("nothing is sent");
  expect(el.textContent).toContain("“<b>M 51</b>” to @me");
  expect(el.textContent).toContain("Scene: “Look”");
  el.querySelector("button")!.click();
  expect(send.mock.calls).toEqual([[{ kind: "reconcile" }]]);
});

test("many are listed on demand, and those that are not named are counted", () => {
  const el = shown({ count: 70, items: Array.from({ length: 50 }, (_, n) => item(`M ${n}`)) });
  expect(el.textContent).toContain("70 publications were");
  expect(el.querySelector<HTMLDetailsElement>("details")!.open).toBe(false);
  expect(el.querySelectorAll("li")).toHaveLength(51);
  expect(el.textContent).toContain("and 20 more");
});

test("what is not there can be given up, and what was given up is said", () => {
  const send = vi.fn();
  const el = shown({ phase: "done", count: 1, items: [item("M 31")] }, send);
  el.querySelector("button")!.click();
  expect(el.querySelector("button")!.textContent).toBe("Don't check it again");
  expect(send.mock.calls).toEqual([[{ kind: "abandon" }]]);
  const given = shown({ phase: "done", count: 1, items: [item("M 31", { state: "refused" })] });
  expect(given.querySelector("button")).toBeNull();
  expect(given.textContent).toContain("will not be checked again");
  expect(given.textContent).toContain("✗ “M 31”");
});

test("what was found has its link, and what was not is said to be sent by nobody", () => {
  const found = item("M 51", { state: "published", id: "65f0", url: "https://x/image/65f0" });
  const all = shown({ phase: "done", count: 1, items: [found] });
  expect(all.textContent).toContain("It was published.");
  expect(all.querySelector("a")!.href).toBe(found.url);
  expect(all.textContent).not.toContain("sent again");
  const some = shown({ phase: "done", count: 2, items: [found, item("M 31", { answer: "reset" })] });
  expect(some.textContent).toContain("1 of 2 were published.");
  expect(some.textContent).toContain("Nothing is sent again automatically");
  expect(some.textContent).toContain("(reset)");
  expect(shown({ phase: "done", count: 1, items: [item("M 31")] }).textContent).toContain("It is not on the server.");
});
