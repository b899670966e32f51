import { describe, expect, it } from "vitest";
import { pixelToSky, type View } from "../engine/projection.ts";
import { gridLines } from "./grid.ts";

const labelsOf = (view: View) => gridLines(view).flatMap(({ label }) => (label ? [label.text] : []));

describe("the grid", () => {
  it("has some lines in each direction, whatever the scale", () => {
    for (const fov of [0.0005, 0.01, 0.7, 5, 60]) {
      for (const dec of [0, 60, -85]) {
        const view = { ra: 83.6, dec, fov, roll: 20, width: 800, height: 500 };
        const labels = labelsOf(view);
        const [parallels, meridians] = [
          labels.filter((text) => /^[+−]/.test(text)),
          labels.filter((text) => /h/.test(text)),
        ];
        const what = `${fov}° at ${dec}°: ${labels.join(" ")}`;
        expect(parallels.length, what).toBeGreaterThan(0);
        expect(meridians.length, what).toBeGreaterThan(0);
        expect(gridLines(view).length, what).toBeLessThan(45);
        expect(new Set(labels).size, what).toBe(labels.length);
      }
    }
  });

  it("says at each label where the line is", () => {
    const view = { ra: 0.2, dec: -30, fov: 2, roll: 0, width: 800, height: 500 };
    const lines = gridLines(view);
    const at = (text: string) => {
      const { label } = lines.find(({ label }) => label?.text === text)!;
      return pixelToSky(view, label!.x, label!.y);
    };
    expect(at("−30° 0′")[1]).toBeCloseTo(-30, 3);
    expect(at("−29° 30′")[1]).toBeCloseTo(-29.5, 3);
    expect(at("0h 0m")[0] % 360).toBeCloseTo(0, 3);
    expect(at("23h 58m")[0]).toBeCloseTo(359.5, 3);
  });

  it("has its labels on the equator, where lines end on the edge, whatever the last digits of the view", () => {
    for (let digit = 0; digit < 40; digit += 1) {
      const labels = labelsOf({ ra: 84 + digit * 1e-14 * 3, dec: 0, fov: 24, roll: 0, width: 542, height: 320 });
      expect(labels).toEqual(expect.arrayContaining(["−10°", "−5°", "+0°", "+5°", "+10°"]));
    }
  });

  it("goes round the pole", () => {
    const view = { ra: 0, dec: 89.5, fov: 3, roll: 0, width: 600, height: 600 };
    const lines = gridLines(view);
    expect(lines.filter(({ pieces }) => pieces.length === 0)).toEqual([]);
    expect(lines.length).toBeGreaterThan(24);
  });
});
