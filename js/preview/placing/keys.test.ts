import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { separation } from "../../geometry/tangent.ts";
import { skyToPixel, type View } from "../engine/projection.ts";
import { PlacingKeys } from "./keys.ts";
import type { Change } from "./sky.ts";

const VIEW: View = { ra: 0, dec: 89.9, fov: 1, roll: 40, width: 800, height: 400 };
const MIDDLE = [120, 89.95] as const;
let told: string[];
let change: Change | null;
let keys: PlacingKeys;
const press = (key: string, more: KeyboardEventInit = {}) => {
  const event = new KeyboardEvent("keydown", { key, cancelable: true, ...more });
  keys.down(event);
  return event.defaultPrevented;
};

beforeEach(() => {
  vi.useFakeTimers();
  [told, change] = [[], null];
  keys = new PlacingKeys({
    begin: () => told.push("begin") > 0,
    end: () => void told.push("end"),
    middle: () => MIDDLE,
    view: () => VIEW,
    change: (now) => {
      change = now;
    },
    undo: () => void told.push("undo"),
    redo: () => void told.push("redo"),
    mirror: () => void told.push("mirror"),
  });
});
afterEach(() => void vi.useRealTimers());

it("arrows move by pixels of the screen, whichever way north is, and together they are one gesture", () => {
  press("ArrowRight");
  press("ArrowRight", { shiftKey: true });
  press("ArrowUp", { altKey: true });
  const { start, end } = change as Extract<Change, { op: "move" }>;
  const [a, b] = [skyToPixel(VIEW, ...start)!, skyToPixel(VIEW, ...end)!];
  expect(separation(start, MIDDLE)).toBe(0);
  expect(b[0] - a[0]).toBeCloseTo(11, 6);
  expect(b[1] - a[1]).toBeCloseTo(-0.1, 6);
  expect(told).toEqual(["begin"]);
  vi.advanceTimersByTime(1100);
  expect(told).toEqual(["begin", "end"]);
  press("ArrowLeft");
  expect(told).toEqual(["begin", "end", "begin"]);
});

it("letters turn, plus and minus and the page keys scale", () => {
  press("l");
  press("L", { shiftKey: true });
  press("¬", { altKey: true, code: "KeyL" }); // as a Mac has it
  expect(change).toMatchObject({ op: "turn", about: MIDDLE });
  expect((change as { by: number }).by).toBeCloseTo(1.11, 9);
  press("r");
  expect((change as { by: number }).by).toBeCloseTo(1.01, 9);
  press("+");
  press("PageUp");
  press("-", { altKey: true });
  expect((change as { by: number }).by).toBeCloseTo(1.001 * 1.01 * 1.001 ** -0.1, 9);
  expect(told).toEqual(["begin", "end", "begin"]); // another kind is another gesture
});

it("undo, redo and mirror end what was going on", () => {
  press("ArrowUp");
  press("z", { ctrlKey: true });
  press("Z", { metaKey: true, shiftKey: true });
  press("y", { ctrlKey: true });
  press("m");
  press("m", { repeat: true });
  expect(told).toEqual(["begin", "end", "undo", "redo", "redo", "mirror"]);
});

it("takes no keys that are not its own", () => {
  expect(["Tab", "Escape", "a", "Enter"].map((key) => press(key))).toEqual([false, false, false, false]);
  expect(press("s", { ctrlKey: true })).toBe(false);
  expect(press("ArrowUp")).toBe(true);
  expect(told).toEqual(["begin"]);
});
