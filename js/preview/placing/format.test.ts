import { expect, it } from "vitest";
import { cornerWords, placementWords, placeOf, placeText, twoNumbers } from "./format.ts";

const OUTLINE = {
  corners: [
    [10.1, 0],
    [9.9, 0],
    [9.9, 0.1],
    [10.1, 0.1],
  ],
  middle: [10, 0.05],
} as const;

it("a placement is told in words, with the digits that tell one pixel from the next", () => {
  expect(placementWords(OUTLINE, 0.001, false)).toBe(
    "Center 00h 40m 00.0s +00° 03′ 00″ · Position angle 0.00° (east of north) · 3.6″/pixel",
  );
  expect(placementWords(OUTLINE, 0.001, true)).toMatch(/ · mirrored$/);
  expect(cornerWords(OUTLINE, 0.001)).toMatch(
    /^Corners: upper left 00h 40m 24.0s \+00° 06′ 00″; upper right .*; lower right .*; lower left 00h 40m 24.0s/,
  );
});

it("places are typed as two numbers", () => {
  expect(twoNumbers("150.1 -20.5")).toEqual([150.1, -20.5]);
  expect(twoNumbers(" 1,2 ")).toEqual([1, 2]);
  expect(twoNumbers("1.5; −2e-3")).toEqual([1.5, -0.002]);
  for (const text of ["", "1", "10h00m +20d", "1 2 3", "a, b", "12-3"]) expect(twoNumbers(text)).toBeNull();
  expect(twoNumbers(placeText([123.456789, -0.5], 0.001))).toEqual([123.45679, -0.5]);
});

it("hours and degrees are places, too", () => {
  for (const text of [
    "10h00m36s -20d30m00s",
    "10 00 36 -20 30 00",
    "10:00:36.0 −20:30:00",
    " 10h00m36s,-20°30′00.0″ ",
  ]) {
    const [ra, dec] = placeOf(text)!;
    expect([ra, dec]).toEqual([expect.closeTo(150.15, 9), expect.closeTo(-20.5, 9)]);
  }
  expect(placeOf("150.15 -20.5")).toEqual([150.15, -20.5]);
  for (const text of ["", "M 51", "10h -20d", "1 2 3"]) expect(placeOf(text)).toBeNull();
});
