import { expect, test } from "vitest";
import type { App } from "../part.ts";
import { Help } from "./help.ts";
import { Zoom } from "./zoom.ts";

test("buttons and keys zoom by the same steps, in and out", () => {
  const factors: number[] = [];
  const zoom = new Zoom({ zoom: (factor) => void factors.push(factor) });
  const realm = new EventTarget();
  zoom.appReady({ frame: { realm } } as unknown as App);
  for (const button of zoom.controls[0]!.querySelectorAll("button")) button.click();
  const press = (key: string, more = {}) => realm.dispatchEvent(new KeyboardEvent("keydown", { key, ...more }));
  press("+");
  press("-");
  press("-", { ctrlKey: true }); // the browser's own
  press("a");
  expect(factors).toEqual([1 / 1.5, 1.5, 1 / 1.5, 1.5]);
});

test("the help lists the keys, and Escape closes it", () => {
  const help = new Help();
  const [button] = help.controls;
  expect([help.element.hidden, button!.ariaExpanded]).toEqual([true, "false"]);
  button!.click();
  expect([help.element.hidden, button!.ariaExpanded]).toEqual([false, "true"]);
  expect(help.element.textContent).toContain("Arrow keys");
  help.escape(new KeyboardEvent("keydown", { key: "Escape" }));
  expect(help.element.hidden).toBe(true);
});
