import { beforeEach, expect, test } from "vitest";
import { enter, leave, MOST_LIVE, offerPlaces, takePlace, type Berth } from "./parking";

let berths: Berth[] = [];
let clock = 0;

function berth(inSight: boolean): Berth {
  const made: Berth = {
    ...{ live: false, starting: false, pictured: false, inSight, used: clock++ },
    park: () => {},
    placeFree: () => void start(made),
  };
  enter(made);
  berths.push(made);
  return made;
}

/** Starts one, at once. */
function start(it: Berth, insist = false): boolean {
  const taken = takePlace(it, insist) === "taken";
  it.starting = false;
  return taken;
}

const live = () => berths.filter((it) => it.live).length;

beforeEach(() => {
  for (const it of berths) it.inSight = false;
  berths.forEach(leave);
  berths = [];
});

test("as many as may live do, whoever comes first", () => {
  const all = Array.from({ length: 20 }, () => berth(true));
  expect(all.map((it) => start(it))).toEqual(all.map((_, index) => index < MOST_LIVE));
  expect(live()).toBe(MOST_LIVE);
});

test("one out of sight gives its place, the one longest unused first", () => {
  const all = Array.from({ length: MOST_LIVE }, () => berth(true));
  all.forEach((it) => start(it));
  all[1]!.inSight = all[3]!.inSight = false;
  all[1]!.used = clock++;
  expect(start(berth(true))).toBe(true);
  expect(all.map((it) => it.live)).toEqual([true, true, true, false, true, true]);
  expect(live()).toBe(MOST_LIVE);
});

test("one that insists is given the place of the one longest unused, though that is in sight", () => {
  const all = Array.from({ length: MOST_LIVE }, () => berth(true));
  all.forEach((it) => start(it));
  const asked = berth(true);
  expect(takePlace(asked)).toBe("full");
  expect(takePlace(asked, true)).toBe("taken");
  expect(all[0]!.live).toBe(false);
  expect(live()).toBe(MOST_LIVE);
});

test("they start one after the other, and nobody waits for one that is out of sight", () => {
  const [first, second] = [berth(true), berth(true)];
  takePlace(first);
  expect(takePlace(second)).toBe("later");
  first.inSight = false;
  expect(takePlace(second)).toBe("taken");
});

test("too many in sight have their turn until each has a picture", () => {
  const all = Array.from({ length: 20 }, () => berth(true));
  let turns = 0;
  const draw = () => all.filter((it) => it.live && !it.pictured).map((it) => (it.pictured = true)).length;
  for (offerPlaces(); draw() > 0; turns++) offerPlaces();
  expect(all.every((it) => it.pictured)).toBe(true);
  expect([live(), turns]).toEqual([MOST_LIVE, 4]);
});

test("a place that becomes free goes to one in sight that has none", () => {
  const all = Array.from({ length: MOST_LIVE }, () => berth(true));
  all.forEach((it) => start(it));
  const [waiting, hidden] = [berth(true), berth(false)];
  leave(all[2]!);
  expect([waiting.live, hidden.live]).toEqual([true, false]);
  const next = berth(true);
  all[0]!.inSight = false;
  offerPlaces();
  expect([next.live, all[0]!.live]).toEqual([true, false]);
});
