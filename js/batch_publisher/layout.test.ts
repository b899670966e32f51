import { expect, test } from "vitest";
import { OPEN, ROW, slice, topOf } from "./layout.ts";

test("few rows are drawn of many, and those in sight are among them", () => {
  for (const scroll of [0, 1, 500, 35_000, 71_999]) {
    const { first, end, above, height } = slice(2000, [], scroll, 432);
    expect(end - first).toBeLessThan(30);
    expect(above).toBeLessThanOrEqual(scroll);
    expect(topOf(end, [])).toBeGreaterThanOrEqual(Math.min(scroll + 432, height));
    expect(height).toBe(2000 * ROW);
  }
});

test("open rows push the others down, also when one of them is in sight", () => {
  const open = [0, 3];
  expect([topOf(0, open), topOf(1, open), topOf(4, open)]).toEqual([0, ROW + OPEN, 4 * ROW + 2 * OPEN]);
  for (let scroll = 0; scroll < 100 * ROW; scroll += 17) {
    const { first, end } = slice(200, open, scroll, 400);
    expect(topOf(first, open)).toBeLessThanOrEqual(scroll);
    expect(topOf(end, open)).toBeGreaterThanOrEqual(scroll + 400);
  }
});

test("a table without rows, and one that was scrolled past a filter's end", () => {
  expect(slice(0, [], 900, 400)).toEqual({ first: 0, end: 0, above: 0, height: 0 });
  const { first, end } = slice(3, [], 9000, 400);
  expect([first, end]).toEqual([0, 3]);
});
