import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { App } from "./part.ts";
import { WheelGuard } from "./wheel_guard.ts";

let element: HTMLElement;
let outside: HTMLElement;
let guard: WheelGuard;
let realm: EventTarget & { focus(): void };

const wheel = (ctrlKey = false) =>
  Object.defineProperty(new WheelEvent("wheel", { bubbles: true, cancelable: true }), "ctrlKey", { value: ctrlKey });
const hint = () => element.querySelector<HTMLElement>(".cxw-preview-hint")!;

/** Whether the engine is told of a turn of the wheel. */
function reaches(ctrlKey = false): boolean {
  let told = false;
  const engine = () => {
    told = true;
  };
  realm.addEventListener("wheel", engine);
  realm.dispatchEvent(wheel(ctrlKey));
  realm.removeEventListener("wheel", engine);
  return told;
}

beforeEach(() => {
  vi.useFakeTimers();
  element = document.body.appendChild(document.createElement("div"));
  outside = document.body.appendChild(document.createElement("button"));
  guard = new WheelGuard(element, element);
  realm = Object.assign(new EventTarget(), { focus: () => {} });
  guard.appReady({ frame: { realm } } as unknown as App);
});
afterEach(() => {
  guard.remove();
  document.body.replaceChildren();
  vi.useRealTimers();
});

test("the wheel scrolls the page until the preview is used, and a hint says how it would zoom", () => {
  expect(reaches()).toBe(false);
  expect(hint().hidden).toBe(false);
  vi.advanceTimersByTime(2000);
  expect(hint().hidden).toBe(true);
  expect(reaches(true)).toBe(true);
});

test("a click in the sky, or the focus in the preview, has the wheel zoom; what comes elsewhere ends it", () => {
  realm.dispatchEvent(new Event("pointerdown"));
  expect(reaches()).toBe(true);
  realm.dispatchEvent(new Event("blur")); // the focus goes to another frame
  expect(reaches()).toBe(false);
  const button = element.appendChild(document.createElement("button"));
  button.focus();
  expect(reaches()).toBe(true);
  outside.dispatchEvent(new Event("pointerdown", { bubbles: true }));
  expect(reaches()).toBe(false);
});

test("a preview that is removed follows nothing", () => {
  guard.remove();
  element.dispatchEvent(new Event("pointerdown", { bubbles: true }));
  expect(guard.allows(wheel())).toBe(false);
});
