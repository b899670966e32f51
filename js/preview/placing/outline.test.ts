import { expect, it } from "vitest";
import { pixelToSky, type View } from "../engine/projection.ts";
import { PlacingOutline } from "./outline.ts";
import type { Outline } from "./pixels.ts";

const VIEW: View = { ra: 10, dec: 60, fov: 1, roll: 0, width: 600, height: 400 };

/** The outline whose corners are at these pixels of the view: left, top, right, bottom. */
function outline(left: number, top: number, right: number, bottom: number): Outline {
  const at = (x: number, y: number) => pixelToSky(VIEW, x, y);
  return {
    corners: [at(left, bottom), at(right, bottom), at(right, top), at(left, top)],
    middle: at((left + right) / 2, (top + bottom) / 2),
  };
}

/** Where the handles are: four corners, and the one that turns. Null for one that is not shown. */
function handles(drawn: PlacingOutline): (number[] | null)[] {
  const all = [...drawn.element.querySelectorAll<SVGElement>(".cxw-placing-handle")];
  return all.map((each) =>
    each.style.display === "none"
      ? null
      : each
          .getAttribute("transform")!
          .match(/-?[\d.]+/g)!
          .map(Number),
  );
}

it("handles are at the corners, and the one that turns is above", () => {
  const drawn = new PlacingOutline();
  expect(drawn.draw(VIEW, outline(200, 100, 400, 300), [])).toBe(true);
  const [lowerLeft, lowerRight, upperRight, upperLeft, turn] = handles(drawn);
  expect([lowerLeft, lowerRight, upperRight, upperLeft]).toEqual([
    [200, 300],
    [400, 300],
    [400, 100],
    [200, 100],
  ]);
  expect(turn).toEqual([300, 70]);
});

it("handles of an image that is larger than the view wait at its edge", () => {
  const drawn = new PlacingOutline();
  expect(drawn.draw(VIEW, outline(-900, -700, 1500, 1100), [])).toBe(true);
  expect(handles(drawn)).toEqual([
    [16, 346],
    [584, 346],
    [584, 16],
    [16, 16],
    [300, 16],
  ]);
  drawn.draw(VIEW, outline(300, 100, 1500, 300), []);
  expect(handles(drawn)).toEqual([
    [300, 300],
    [584, 300],
    [584, 100],
    [300, 100],
    [584, 70],
  ]);
  drawn.draw(VIEW, outline(300, -20, 1500, 300), []);
  expect(handles(drawn)).toEqual([[300, 300], [584, 300], null, [300, 16], [584, 16]]); // the one that turns lies over the other
});

it("a corner that is in the view has its handle, however close to the edge", () => {
  const drawn = new PlacingOutline();
  drawn.draw(VIEW, outline(5, 40, 590, 395), []);
  expect(handles(drawn)).toEqual([
    [5, 395],
    [590, 395],
    [590, 40],
    [5, 40],
    [297.5, 10],
  ]);
});

it("a small image has all its handles", () => {
  const drawn = new PlacingOutline();
  drawn.draw(VIEW, outline(295, 195, 305, 205), []);
  expect(handles(drawn)).not.toContain(null);
});

it("of an image out of sight nothing is drawn", () => {
  const drawn = new PlacingOutline();
  for (const [left, top] of [
    [700, 100],
    [-300, 100],
    [100, 500],
    [100, -300],
  ] as const) {
    expect(drawn.draw(VIEW, outline(left, top, left + 200, top + 200), [])).toBe(false);
    expect(handles(drawn)).toEqual([null, null, null, null, null]);
  }
  const behind: Outline = {
    corners: [
      [190, -60],
      [191, -60],
      [191, -59],
      [190, -59],
    ],
    middle: [190.5, -59.5],
  };
  expect(drawn.draw(VIEW, behind, [])).toBe(false);
});
