import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { App } from "./part.ts";
import { ViewReporter } from "./view_reporter.ts";

const app = {} as App;
let view: { ra: number; dec: number; fov: number; roll: number; width: number; height: number } | null;
let told: unknown[][];
let part: ViewReporter;

beforeEach(() => {
  vi.useFakeTimers();
  view = { ra: 10, dec: -20, fov: 2, roll: 30, width: 800, height: 400 };
  told = [];
  part = new ViewReporter({ report: ({ kind, ...content }) => void told.push([kind, content]) }, { view: () => view });
});
afterEach(() => void vi.useRealTimers());

test("many frames are told once, as they are at the end, and standing still is not told again", () => {
  for (let frame = 0; frame < 20; frame++) {
    view!.ra = frame;
    part.drawn(app);
  }
  vi.runAllTimers();
  expect(told).toEqual([["view_state", { ra: 19, dec: -20, height: 2, aspect: 2, roll: 30 }]]);
  part.drawn(app);
  vi.runAllTimers();
  expect(told).toHaveLength(1);
  view!.height = 800;
  part.drawn(app);
  vi.runAllTimers();
  expect(told[1]).toEqual(["view_state", expect.objectContaining({ aspect: 1 })]);
});

test("the view is told before the user's next act, not after it", () => {
  part.appReady(app);
  part.drawn(app);
  document.body.dispatchEvent(new Event("pointerdown", { bubbles: true }));
  expect(told).toHaveLength(1);
  view!.ra = 11;
  part.drawn(app);
  document.body.dispatchEvent(new Event("keydown", { bubbles: true }));
  expect(told).toHaveLength(2);
  part.drawn(app);
  part.appGone();
  document.body.dispatchEvent(new Event("keydown", { bubbles: true }));
  vi.runAllTimers();
  expect(told).toHaveLength(2);
});

test("a view that is not known, has no size or is gone is not told", () => {
  view!.height = 0;
  part.drawn(app);
  vi.runAllTimers();
  view = null;
  part.drawn(app);
  vi.runAllTimers();
  part.drawn(app);
  part.appGone();
  view = { ra: 1, dec: 1, fov: 1, roll: 0, width: 1, height: 1 };
  vi.runAllTimers();
  expect(told).toEqual([]);
});

test("a view that leaves the sky is told once, and again when it is back", () => {
  part.drawn(app);
  vi.runAllTimers();
  const back = view;
  view = null;
  for (let frame = 0; frame < 3; frame++) {
    part.drawn(app);
    vi.runAllTimers();
  }
  view = back;
  part.drawn(app);
  vi.runAllTimers();
  const state = { ra: 10, dec: -20, height: 2, aspect: 2, roll: 30 };
  expect(told).toEqual([
    ["view_state", state],
    ["view_state", { sky: false }],
    ["view_state", state],
  ]);
});
