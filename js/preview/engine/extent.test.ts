import { expect, it } from "vitest";
import { filledPartOf } from "./extent.ts";

function square(side: number, inside: (x: number, y: number) => [number, number, number, number]): Uint8ClampedArray {
  const pixels = new Uint8ClampedArray(4 * side * side);
  for (let y = 0; y < side; y++) for (let x = 0; x < side; x++) pixels.set(inside(x, y), 4 * (y * side + x));
  return pixels;
}

const within = (x: number, y: number) => x >= 2 && x < 6 && y >= 3 && y < 5;

it("finds an image in transparent padding, and one in black", () => {
  expect(
    filledPartOf(
      square(8, (x, y) => (within(x, y) ? [90, 90, 90, 255] : [90, 90, 90, 0])),
      8,
    ),
  ).toEqual([0.5, 0.25]);
  expect(
    filledPartOf(
      square(8, (x, y) => (within(x, y) ? [0, 90, 0, 255] : [3, 2, 1, 255])),
      8,
    ),
  ).toEqual([0.5, 0.25]);
});

it("is around the middle, also for an image that is dark on one side", () => {
  expect(
    filledPartOf(
      square(8, (x, y) => (x === 0 && y === 4 ? [255, 0, 0, 255] : [0, 0, 0, 255])),
      8,
    ),
  ).toEqual([1, 0.25]);
});

it("is nothing where nothing is to be seen", () => {
  expect(
    filledPartOf(
      square(8, () => [0, 0, 0, 255]),
      8,
    ),
  ).toBeNull();
});
