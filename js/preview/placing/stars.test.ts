import { beforeEach, describe, expect, it } from "vitest";
import type { Place } from "../../geometry/tangent.ts";
import type { Imageset, PlacingStatus } from "../../protocol.ts";
import { toSky } from "./pixels.ts";
import { PlacingStars } from "./stars.ts";

// Drawn in blocks of 2 × 2 of its 1400 × 1000 pixels.
const IMAGESET = {
  center_x: 10,
  center_y: 5,
  rotation: 30,
  base_degrees_per_tile: 0.002,
  offset_x: 350,
  offset_y: 250,
  bottoms_up: false,
};
const PLACED = {
  imageset: { ...IMAGESET, projection: "SkyImage", tile_levels: 0 } as Imageset,
  size: [700, 500] as const,
};
const STATUS: PlacingStatus = {
  refusal: "",
  locked: false,
  undo: "",
  redo: "",
  size: [1400, 1000],
  pixel: 0.001,
  mirrored: false,
  snap: { phase: "idle", progress: 0, message: "", facts: [], doubt: "" },
};

describe("the alignment", () => {
  let given: unknown[];
  let stars: PlacingStars;
  let where: Place;
  const fields = () => [...stars.element.querySelectorAll("input")];
  const press = (name: string) =>
    [...stars.element.querySelectorAll("button")].find((each) => each.textContent === name)!.click();
  const said = () => stars.element.querySelector("[role=status]")!.textContent;
  const type = (index: number, text: string) => {
    fields()[index]!.focus();
    fields()[index]!.value = text;
    fields()[index]!.dispatchEvent(new Event("input"));
  };
  const click = (place: Place, moved = 0) => {
    where = place;
    window.dispatchEvent(new PointerEvent("pointerdown", { clientX: 5, clientY: 5, button: 0 }));
    window.dispatchEvent(new PointerEvent("pointerup", { clientX: 5 + moved, clientY: 5 }));
  };
  const at = (x: number, y: number) => toSky(PLACED.imageset, PLACED.size, [x / 2, y / 2]);
  beforeEach(() => {
    given = [];
    stars = new PlacingStars({ placed: PLACED }, { align: (...all) => void given.push(all), changed: () => {} });
    stars.listen(window, () => where);
    stars.know(STATUS);
    document.body.replaceChildren(stars.element);
    stars.show();
  });

  it("takes clicks in turn, in the image's own pixels, and no drags", () => {
    click(at(100, 200));
    click([10.1, 5.1]);
    click([3, 3], 30);
    click(at(1300, 900));
    click([9.9, 4.9]);
    expect(fields().map(({ value }) => value)).toEqual([
      "100, 200",
      "10.10000 5.10000",
      "1300, 900",
      "9.90000 4.90000",
    ]);
    expect(stars.marks.map(({ label, there }) => [label, there])).toEqual([
      ["1", [10.1, 5.1]],
      ["2", [9.9, 4.9]],
    ]);
    press("Align");
    expect(given).toEqual([
      [
        [
          [
            [100, 200],
            [10.1, 5.1],
          ],
          [
            [1300, 900],
            [9.9, 4.9],
          ],
        ],
        null,
        [1400, 1000],
      ],
    ]);
  });

  it("leaves what was typed, and fills what is empty", () => {
    click(at(100, 200));
    type(1, "00h40m00s +05d00m00s");
    click(at(1300, 900));
    type(3, "10.5, 5");
    press("Align");
    expect((given[0] as unknown[])[0]).toEqual([
      [[100, 200], "00h40m00s +05d00m00s"],
      [
        [1300, 900],
        [10.5, 5],
      ],
    ]);
  });

  it("shows what is missing", () => {
    press("Align");
    expect(said()).toContain("Select at least two stars");
    type(0, "1, 2");
    press("Align");
    expect(said()).toBe("Star 1 has no position on the sky yet.");
    type(1, "10 5");
    type(2, "somewhere");
    press("Align");
    expect(said()).toContain("Star 2 needs its position in the image");
    expect(given).toEqual([]);
  });

  it("takes more stars, and begins again", () => {
    press("Add star");
    expect(fields()).toHaveLength(6);
    expect(said()).toContain("Click star 3 in the image");
    press("Clear");
    expect(fields().map(({ value }) => value)).toEqual(["", "", "", ""]);
    stars.close();
    click([1, 1]);
    expect([stars.open, stars.marks, fields()[0]!.value]).toEqual([false, [], ""]);
  });
});
