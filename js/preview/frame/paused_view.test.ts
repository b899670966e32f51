import { expect, test } from "vitest";
import { PausedView } from "./paused_view.ts";

function paused(picture: string): PausedView {
  const view = new PausedView(document.createElement("div"), () => {});
  if (picture) view.picture = picture;
  view.show("Click to resume.");
  return view;
}

const isDarkened = ({ element }: PausedView) => element.classList.contains("cxw-preview-outdated");

test("a picture that may be outdated is darkened and says so, also while the app starts behind it", () => {
  const view = paused("data:,");
  view.doubt = "It has changed.";
  expect([isDarkened(view), view.element.textContent]).toEqual([true, "It has changed. Click to resume."]);
  view.wake();
  expect([isDarkened(view), view.element.textContent]).toEqual([true, "It has changed."]);
  view.doubt = "";
  expect([isDarkened(view), view.element.textContent]).toEqual([false, ""]);
  view.show("Click to resume.");
  expect(view.element.textContent).toBe("Snapshot of the sky. Click to resume.");
});

test("where there is no picture there is nothing to doubt", () => {
  const view = paused("");
  view.doubt = "It has changed.";
  expect([isDarkened(view), view.element.textContent]).toEqual([false, "Click to resume."]);
});
