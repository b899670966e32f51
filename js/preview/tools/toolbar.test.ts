import { beforeEach, describe, expect, it } from "vitest";
import { button, group, select, slider, toggle, toolbar } from "./toolbar.ts";

describe("the toolbar", () => {
  const pressed: string[] = [];
  const go = button("Go", () => pressed.push("go"));
  const again = button("Again", () => {});
  const opacity = slider("Opacity", 0, 100, 100, () => {});
  const grid = toggle("Grid", "Lines", () => pressed.push(`grid ${grid.on}`));
  const sky = select("Sky", "What is behind", (value) => pressed.push(`sky ${value}`));
  const typed = document.createElement("input");
  const bar = toolbar([go, again, group("View", opacity.element, grid.element), sky.element, typed]);
  const focused = () => (document.activeElement as HTMLElement).textContent || document.activeElement?.tagName;
  const key = (name: string, more: KeyboardEventInit = {}) => {
    const event = new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true, ...more });
    document.activeElement!.dispatchEvent(event);
    return event.defaultPrevented;
  };
  beforeEach(() => {
    document.body.replaceChildren(bar);
    again.hidden = true;
    go.focus();
    pressed.length = 0;
  });

  it("is one stop for the Tab key, beside what is typed into", () => {
    const stops = () =>
      [...bar.querySelectorAll<HTMLElement>("button, input, select")].filter(({ tabIndex }) => tabIndex === 0);
    expect(stops()).toEqual([go, typed]);
    key("ArrowRight");
    expect(stops()).toEqual([opacity.element.querySelector("input"), typed]);
    (document.activeElement as HTMLElement).blur();
    expect(stops()).toEqual([go, typed]);
  });

  it("lets the arrows go round, past what is hidden", () => {
    const seen = Array.from({ length: 5 }, () => {
      const name = focused();
      key("ArrowRight");
      return name;
    });
    expect(seen).toEqual(["Go", "INPUT", "Grid", "SELECT", "Go"]);
    go.focus();
    key("ArrowLeft");
    expect(focused()).toBe("SELECT");
  });

  it("leaves all other keys to the control, and all keys to what is typed into", () => {
    expect(key("ArrowDown")).toBe(false);
    expect(key("ArrowRight", { shiftKey: true })).toBe(false);
    typed.focus();
    expect(key("ArrowRight")).toBe(false);
  });

  it("has buttons that stay pressed, and a choice that stays if it is offered again", () => {
    grid.element.click();
    grid.element.click();
    expect(pressed).toEqual(["grid true", "grid false"]);
    sky.offer([
      ["", "None"],
      ["a", "A"],
      ["b", "B"],
    ]);
    expect(sky.value).toBe("");
    sky.value = "b";
    sky.offer([
      ["", "None"],
      ["b", "B"],
    ]);
    expect(sky.value).toBe("b");
    sky.offer([["", "None"]]);
    expect(sky.value).toBe("");
  });
});
