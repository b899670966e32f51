import { describe, expect, it } from "vitest";
import type { Imageset } from "../../protocol.ts";
import { cameraFor } from "./camera.ts";
import { compass, degreesPerPixel, pixelToSky, scaleBar, skyToPixel, type View } from "./projection.ts";

const view = (ra: number, dec: number, fov: number, roll: number, width: number, height: number): View => ({
  ra,
  dec,
  fov,
  roll,
  width,
  height,
});

// What astropy's WCS (TAN) says of the same views: pixel → right ascension and declination.
const ASTROPY: [View, [[number, number], [number, number]][]][] = [
  [
    view(83, 22, 1.2, 0, 800, 500),
    [
      [
        [0, 0],
        [84.0397167, 22.59665311],
      ],
      [
        [700, 120],
        [82.2217621, 22.31015198],
      ],
      [
        [333.25, 401.5],
        [83.17234516, 21.63630275],
      ],
    ],
  ],
  [
    view(83, 22, 1.2, -35, 800, 500),
    [
      [
        [0, 0],
        [83.48050878, 23.04132207],
      ],
      [
        [700, 120],
        [82.17182814, 21.84052803],
      ],
    ],
  ],
  [
    view(10, -75, 40, 120, 640, 480),
    [
      [
        [0, 0],
        [177.33593258, -73.56200573],
      ],
      [
        [700, 120],
        [44.31799468, -47.41658156],
      ],
    ],
  ],
  [
    view(359.9, 89.5, 3, -10, 600, 600),
    [
      [
        [0, 0],
        [135.39017426, 88.26488602],
      ],
      [
        [333.25, 401.5],
        [355.69622222, 88.96846065],
      ],
    ],
  ],
];

describe("a pixel of the view", () => {
  it("is where astropy says on the sky, and back", () => {
    for (const [it, points] of ASTROPY) {
      for (const [[x, y], [ra, dec]] of points) {
        const found = pixelToSky(it, x, y);
        expect(found[0]).toBeCloseTo(ra, 6);
        expect(found[1]).toBeCloseTo(dec, 6);
        const back = skyToPixel(it, ra, dec)!;
        expect(Math.hypot(back[0] - x, back[1] - y)).toBeLessThan(0.01);
      }
    }
  });

  it("has nothing of the sky behind the viewer", () => {
    expect(skyToPixel(view(10, 20, 60, 0, 100, 100), 190, -20)).toBeNull();
  });

  it("is in the center of an image, where the camera was sent to it", () => {
    const imageset = {
      center_x: 150,
      center_y: 20,
      rotation: 30,
      base_degrees_per_tile: 0.001,
      offset_x: 310,
      offset_y: 280,
      bottoms_up: false,
      projection: "SkyImage",
    };
    const camera = cameraFor(imageset as Imageset, [700, 500], 1.6);
    const it = { ...camera, width: 800, height: 500 };
    expect(pixelToSky(it, 400, 250)[0]).toBeCloseTo(camera.ra, 9);
    // The reference pixel, 310 from the left and 220 from the top of an image turned by 30°.
    const [x, y] = skyToPixel(it, 150, 20)!;
    const scale = 0.001 / degreesPerPixel(it);
    const [right, down] = [-40 * scale, -30 * scale];
    const [cos, sin] = [Math.cos(Math.PI / 6), Math.sin(Math.PI / 6)];
    expect(x - 400).toBeCloseTo(right * cos + down * sin, 1);
    expect(y - 250).toBeCloseTo(down * cos - right * sin, 1);
  });
});

describe("the compass", () => {
  it("points to where a step to the north and to the east goes, however the view is turned", () => {
    for (const roll of [0, 35, -120]) {
      const it = view(83, 22, 1, roll, 500, 500);
      const { north, east } = compass(it);
      for (const [arm, at] of [
        [north, skyToPixel(it, 83, 22.001)!],
        [east, skyToPixel(it, 83 + 0.001 / Math.cos((22 * Math.PI) / 180), 22)!],
      ] as const) {
        const length = Math.hypot(at[0] - 250, at[1] - 250);
        expect((at[0] - 250) / length).toBeCloseTo(arm[0], 4);
        expect((at[1] - 250) / length).toBeCloseTo(arm[1], 4);
      }
    }
    expect(compass(view(0, 0, 1, 0, 1, 1)).east[0]).toBe(-1);
  });
});

describe("the scale bar", () => {
  it("is the longest round angle that fits, as long as that angle is in the center of the view", () => {
    for (const fov of [0.001, 0.03, 0.7, 12, 60]) {
      const it = view(0, 0, fov, 0, 800, 500);
      const { angle, length } = scaleBar(it, 130);
      expect(length).toBeLessThanOrEqual(130);
      expect(length).toBeGreaterThan(40);
      const [left, right] = [skyToPixel(it, angle / 2, 0)!, skyToPixel(it, -angle / 2, 0)!];
      expect(right[0] - left[0]).toBeCloseTo(length, 6);
    }
    expect(scaleBar(view(0, 0, 0.5, 0, 800, 500), 130).angle).toBeCloseTo(5 / 60, 9); // 7.8′ would fill the room
    expect(scaleBar(view(0, 0, 60, 0, 800, 500), 130).angle).toBe(10);
  });
});
