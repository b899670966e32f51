import { beforeEach, describe, expect, it } from "vitest";
import { More } from "./more.ts";
import { button, select, toolbar } from "./toolbar.ts";

describe("the tools behind ⋯", () => {
  const fit = button("Fit", () => {});
  const sky = select("Sky", "What is behind", () => {});
  const grid = button("Grid", () => {});
  const more = new More([sky.element, grid]);
  const bar = toolbar([fit, ...more.controls]);
  bar.addEventListener("keydown", more.escape);
  const [dots, menu] = more.controls as [HTMLButtonElement, HTMLElement];
  const key = (name: string) =>
    document.activeElement!.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true }));
  beforeEach(() => {
    document.body.replaceChildren(bar);
    more.room = "row";
    fit.focus();
  });

  it("stand in the row where there is room", () => {
    more.room = "all";
    expect([dots.hidden, menu.hidden]).toEqual([true, false]);
  });

  it("are opened by ⋯, reached by the arrows, and closed by Escape", () => {
    expect([dots.hidden, menu.hidden, dots.ariaExpanded]).toEqual([false, true, "false"]);
    key("ArrowRight");
    key("ArrowRight");
    expect(document.activeElement).toBe(fit); // past what is closed
    dots.focus();
    dots.click();
    expect([menu.hidden, dots.ariaExpanded]).toEqual([false, "true"]);
    key("ArrowRight");
    key("ArrowRight");
    expect(document.activeElement).toBe(grid);
    key("Escape");
    expect([menu.hidden, document.activeElement]).toEqual([true, dots]);
  });

  it("close when the focus goes elsewhere", () => {
    dots.click();
    grid.focus();
    expect(menu.hidden).toBe(false);
    fit.focus();
    expect(menu.hidden).toBe(true);
  });
});
