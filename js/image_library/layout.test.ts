import { expect, test } from "vitest";
import { CELL, heightOf, moved } from "./layout.ts";

test("the grid is as high as its rows, up to a limit", () => {
  expect([heightOf(0, 900), heightOf(1, 900), heightOf(2, 900)]).toEqual([
    CELL.height + 2,
    CELL.height + 2,
    2 * CELL.height + 2,
  ]);
  expect([heightOf(1667, 900), heightOf(1667, 400)]).toEqual([440, 320]);
});

test("keys lead through the grid and never out of it", () => {
  const go = (key: string, at: number, control = false) => moved(key, control, at, 20, 6, 2);
  expect([go("ArrowRight", 5), go("ArrowLeft", 6), go("ArrowRight", 19), go("ArrowLeft", 0)]).toEqual([6, 5, 19, 0]);
  expect([go("ArrowDown", 3), go("ArrowUp", 9), go("ArrowUp", 3), go("ArrowDown", 17), go("ArrowDown", 19)]).toEqual([
    9, 3, 3, 19, 19,
  ]);
  expect([go("Home", 9), go("End", 9), go("Home", 9, true), go("End", 9, true)]).toEqual([6, 11, 0, 19]);
  expect([go("PageDown", 3), go("PageUp", 15), go("PageUp", 3), go("PageDown", 15)]).toEqual([15, 3, 3, 19]);
  expect(go("a", 3)).toBeNull();
});
