import { expect, test } from "vitest";
import { CELL, layoutOf, moved, scrolledTo } from "./layout.ts";

test("of ten thousand images only those that are seen are in the page, at the beginning and at the end", () => {
  const width = 6.5 * CELL.width;
  const height = 2.5 * CELL.height;
  expect(layoutOf(10_000, width, height, 0)).toEqual({ columns: 6, rows: 1667, first: 0, last: 4 });
  expect(layoutOf(10_000, width, height, 1667 * CELL.height - height)).toMatchObject({ first: 1663, last: 1667 });
  expect(layoutOf(0, width, height, 0)).toMatchObject({ rows: 0, first: 0, last: 0 });
  expect(layoutOf(5, 10, height, 99_999)).toMatchObject({ columns: 1, rows: 5, first: 4, last: 5 });
});

test("keys lead through the grid and never out of it", () => {
  const go = (key: string, at: number, control = false) => moved(key, control, at, 20, 6, 2);
  expect([go("ArrowRight", 5), go("ArrowLeft", 6), go("ArrowRight", 19), go("ArrowLeft", 0)]).toEqual([6, 5, 19, 0]);
  expect([go("ArrowDown", 3), go("ArrowUp", 9), go("ArrowUp", 3), go("ArrowDown", 17), go("ArrowDown", 19)]).toEqual([9, 3, 3, 19, 19]);
  expect([go("Home", 9), go("End", 9), go("Home", 9, true), go("End", 9, true)]).toEqual([6, 11, 0, 19]);
  expect([go("PageDown", 3), go("PageUp", 15), go("PageUp", 3), go("PageDown", 15)]).toEqual([15, 3, 3, 19]);
  expect(go("a", 3)).toBeNull();
});

test("the cell that has the keyboard is scrolled into sight, no farther", () => {
  const height = 2 * CELL.height;
  expect(scrolledTo(0, 6, 500, height)).toBe(0);
  expect(scrolledTo(12, 6, 0, height)).toBe(CELL.height);
  expect(scrolledTo(7, 6, 0, height)).toBe(0);
});
