import { describe, expect, it } from "vitest";
import { equalized } from "./fits_display.ts";

const even = Array.from({ length: 513 }, (_, index) => index / 512);

describe("histogram equalization", () => {
  it("leaves evenly spread values as they are", () => {
    equalized(even, 0, 1).forEach((part, step, steps) => expect(part).toBeCloseTo(step / (steps.length - 1), 9));
  });

  it("gives equal parts of the range to equal parts of the pixels", () => {
    const squares = even.map((value) => value ** 2);
    const parts = equalized(squares, 0, 1);
    expect(parts[Math.round(0.25 * (parts.length - 1))]).toBeCloseTo(0.5, 2);
    expect(parts[0]).toBe(0);
    expect(parts.at(-1)).toBe(1);
  });

  it("spreads what lies between the cuts, and nothing else", () => {
    const parts = equalized(even, 0.25, 0.75);
    expect([parts[0], parts.at(-1)]).toEqual([0, 1]);
    expect(parts[Math.floor(parts.length / 2)]).toBeCloseTo(0.5, 2);
  });

  it("goes on with values that many pixels share, with cuts beyond all values, and with an image of one value", () => {
    const steps = equalized([0, ...Array.from({ length: 511 }, () => 1), 5], 0, 5);
    expect(steps.every((part, index) => part >= (steps[index - 1] ?? 0) && part <= 1)).toBe(true);
    expect(equalized(even, -5, 5).at(-1)).toBe(1);
    expect(
      equalized(
        even.map(() => 3),
        3,
        6,
      ).every((part) => part >= 0 && part <= 1),
    ).toBe(true);
    expect(equalized(even, 7, 8).every(Number.isFinite)).toBe(true);
  });
});
