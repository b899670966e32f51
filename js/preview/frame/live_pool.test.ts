import { beforeEach, expect, test } from "vitest";
import { enter, leave, MOST_LIVE, offerSlots, type Slot, takeSlot } from "./live_pool.ts";

let slots: Slot[] = [];
let clock = 0;

function slot(inSight: boolean): Slot {
  const made: Slot = {
    ...{ live: false, starting: false, hasSnapshot: false, inSight, used: clock++ },
    pause: () => {},
    slotFree: () => void start(made),
  };
  enter(made);
  slots.push(made);
  return made;
}

/** Starts one, at once. */
function start(it: Slot, force = false): boolean {
  const taken = takeSlot(it, force) === "taken";
  it.starting = false;
  return taken;
}

const live = () => slots.filter((it) => it.live).length;

beforeEach(() => {
  for (const it of slots) it.inSight = false;
  slots.forEach(leave);
  slots = [];
});

test("as many as may live do, whoever comes first", () => {
  const all = Array.from({ length: 20 }, () => slot(true));
  expect(all.map((it) => start(it))).toEqual(all.map((_, index) => index < MOST_LIVE));
  expect(live()).toBe(MOST_LIVE);
});

test("one out of sight gives its place, the one longest unused first", () => {
  const all = Array.from({ length: MOST_LIVE }, () => slot(true));
  all.forEach((it) => start(it));
  all[1]!.inSight = all[3]!.inSight = false;
  all[1]!.used = clock++;
  expect(start(slot(true))).toBe(true);
  expect(all.map((it) => it.live)).toEqual([true, true, true, false, true, true]);
  expect(live()).toBe(MOST_LIVE);
});

test("one that forces is given the place of the one longest unused, though that is in sight", () => {
  const all = Array.from({ length: MOST_LIVE }, () => slot(true));
  all.forEach((it) => start(it));
  const asked = slot(true);
  expect(takeSlot(asked)).toBe("full");
  expect(takeSlot(asked, true)).toBe("taken");
  expect(all[0]!.live).toBe(false);
  expect(live()).toBe(MOST_LIVE);
});

test("they start one after the other, and nobody waits for one that is out of sight", () => {
  const [first, second] = [slot(true), slot(true)];
  takeSlot(first);
  expect(takeSlot(second)).toBe("later");
  first.inSight = false;
  expect(takeSlot(second)).toBe("taken");
});

test("too many in sight have their turn until each has a picture", () => {
  const all = Array.from({ length: 20 }, () => slot(true));
  let turns = 0;
  const draw = () => all.filter((it) => it.live && !it.hasSnapshot).map((it) => (it.hasSnapshot = true)).length;
  for (offerSlots(); draw() > 0; turns++) offerSlots();
  expect(all.every((it) => it.hasSnapshot)).toBe(true);
  expect([live(), turns]).toEqual([MOST_LIVE, 4]);
});

test("a place that becomes free goes to one in sight that has none", () => {
  const all = Array.from({ length: MOST_LIVE }, () => slot(true));
  all.forEach((it) => start(it));
  const [waiting, hidden] = [slot(true), slot(false)];
  leave(all[2]!);
  expect([waiting.live, hidden.live]).toEqual([true, false]);
  const next = slot(true);
  all[0]!.inSight = false;
  offerSlots();
  expect([next.live, all[0]!.live]).toEqual([true, false]);
});
