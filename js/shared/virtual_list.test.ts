import { expect, test } from "vitest";
import { moved, type Rows, rangeOf, scrolledTo, topOf } from "./virtual_list.tsx";

const ROW = 36;
const TALLER = 176;
const of = (count: number, expanded: number[] = []): Rows => ({ count, rowHeight: ROW, expanded, expandedBy: TALLER });

test("few rows are drawn of many, and those in sight are among them", () => {
  for (const scroll of [0, 1, 500, 35_000, 71_999]) {
    const { first, end } = rangeOf(of(2000), scroll, 432);
    expect(end - first).toBeLessThan(30);
    expect(topOf(first, of(2000))).toBeLessThanOrEqual(scroll);
    expect(topOf(end, of(2000))).toBeGreaterThanOrEqual(Math.min(scroll + 432, 2000 * ROW));
  }
});

test("expanded rows push the others down, also when one of them is in sight", () => {
  const rows = of(200, [0, 3]);
  expect([topOf(0, rows), topOf(1, rows), topOf(4, rows)]).toEqual([0, ROW + TALLER, 4 * ROW + 2 * TALLER]);
  for (let scroll = 0; scroll < 100 * ROW; scroll += 17) {
    const { first, end } = rangeOf(rows, scroll, 400);
    expect(topOf(first, rows)).toBeLessThanOrEqual(scroll);
    expect(topOf(end, rows)).toBeGreaterThanOrEqual(scroll + 400);
  }
});

test("a list without rows, and one that was scrolled past a filter's end", () => {
  expect(rangeOf(of(0), 900, 400)).toEqual({ first: 0, end: 0 });
  expect(rangeOf(of(3), 9000, 400)).toEqual({ first: 0, end: 3 });
});

test("a row is scrolled into sight, no farther", () => {
  const [rows, height] = [of(100), 4 * ROW];
  expect(scrolledTo(0, rows, 500, height)).toBe(0);
  expect(scrolledTo(5, rows, 0, height)).toBe(2 * ROW);
  expect(scrolledTo(3, rows, 0, height)).toBe(0);
});

test("keys lead from row to row and never out of the list", () => {
  const go = (key: string, at: number) => moved(key, at, 20, 6);
  expect([go("ArrowDown", 3), go("ArrowUp", 3), go("ArrowDown", 19), go("ArrowUp", 0)]).toEqual([4, 2, 19, 0]);
  expect([go("PageDown", 3), go("PageDown", 15), go("PageUp", 3), go("Home", 9), go("End", 9)]).toEqual([
    9, 19, 0, 0, 19,
  ]);
  expect(go("a", 3)).toBeNull();
});
