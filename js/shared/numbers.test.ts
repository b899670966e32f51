import { expect, test } from "vitest";
import { formatNumber, parseNumber, stepped } from "./numbers.ts";

test("text that means a number is that number", () => {
  for (const [text, value] of [
    ["12.5", 12.5],
    [" -3 ", -3],
    ["−3", -3],
    ["1e-5", 1e-5],
    [".5", 0.5],
    ["5.", 5],
    ["+2", 2],
  ] as const) {
    expect(parseNumber(text)).toBe(value);
  }
});

test("nothing is no value, and what means no number stays as it was typed", () => {
  expect(parseNumber("")).toBeNull();
  for (const text of ["abc", "1,5", "NaN", "Infinity", "1e999", "0x10", "--1", "1 2"])
    expect(parseNumber(text)).toBe(text);
});

test("a value is shown with ten digits, so that it reads back as itself if it has no more", () => {
  for (const value of [0, 0.1, -12.34567891, 1e-9, 360]) expect(parseNumber(formatNumber(value))).toBe(value);
  expect([29.999999999999964, null, "typed"].map(formatNumber)).toEqual(["30", "", "typed"]);
});

test("arrow keys step the last digit that is shown", () => {
  expect(stepped("12.5", 1, false)).toBe("12.6");
  expect(stepped("12.5", -1, true)).toBe("11.5");
  expect(stepped("", 1, false)).toBe("1");
  expect(stepped("abc", 1, false)).toBeNull();
});
