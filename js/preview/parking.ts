/**
 * How many previews of a page are alive. Each costs 30 MB of graphics memory, and from the sixteenth on the browser takes that of the
 * oldest away: so those in sight live, others rest as pictures until they are seen.
 */

import { pageWide } from "../shared/page_wide";

/** One preview's place in the page. Plain, since the page may run this module more than once, and in more than one version. */
export interface Berth {
  /** Has an app that runs or is being started. */
  live: boolean;
  /** The app is being started. One after the other: each takes the page's only thread for half a second. */
  starting: boolean;
  inSight: boolean;
  /** Its image was on the sky: put aside, it has a picture to show. */
  pictured: boolean;
  /** When it was last seen or used, by `performance.now()`. */
  used: number;
  /** Gives its app up. */
  park(): void;
  /** A place may have become free. */
  placeFree(): void;
}

export const MOST_LIVE = 6;

const berths = (): Set<Berth> => pageWide("previews.1", () => new Set<Berth>());

export function enter(berth: Berth): void {
  berths().add(berth);
}

/** Whether it was the page's last. */
export function leave(berth: Berth): boolean {
  berth.live = berth.starting = false;
  berths().delete(berth);
  offerPlaces();
  return berths().size === 0;
}

/** Says that a preview has started, or could give its place since it is out of sight or has a picture: so one in sight may have it. */
export function offerPlaces(): void {
  for (const berth of berths()) if (berth.inSight && !berth.live) berth.placeFree();
}

/**
 * Makes `berth` live and starting if there is room, or room can be made: by parking one out of sight; one that has a picture, where `berth` has none
 * yet; any other if somebody insists. "later" while others are starting.
 */
export function takePlace(berth: Berth, insist = false): "taken" | "later" | "full" {
  const others = [...berths()].filter((other) => other.live && other !== berth);
  if (!insist && others.some((other) => other.starting && other.inSight)) return "later";
  if (others.length >= MOST_LIVE) {
    const longestUnused = others.sort((a, b) => a.used - b.used);
    const giving = longestUnused.find((other) => !other.inSight) ?? longestUnused.find((other) => insist || (other.pictured && !berth.pictured));
    if (!giving) return "full";
    giving.live = giving.starting = false;
    giving.park();
  }
  berth.live = berth.starting = true;
  return "taken";
}
