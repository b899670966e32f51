import { expect, test } from "vitest";
import { movedCaret } from "./fields.tsx";

test.each([
  ["M 51", "M 51 in red", 2, 2], // changed behind the caret
  ["M 51", "Messier 51", 4, 10], // before it
  ["M 51", "", 3, 0], // gone
  ["M 51", "NGC 1", 2, 3], // all of it
])("a caret in %j keeps its place in %j", (before, after, position, expected) => {
  expect(movedCaret(before, after, position)).toBe(expected);
});
