/**
 * Up to six previews per page are live; the others show a snapshot until scrolled into view. Each live one costs 30 MB of graphics
 * memory, and from the sixteenth on the browser takes that of the oldest away. Outdated snapshots in sight are redrawn by turns.
 */

import { pageWide } from "../../shared/page_wide.ts";

/** One preview's slot in the pool. A plain object, since the page may run this module more than once, and in more than one version. */
export interface Slot {
  /** Has an app that runs or is being started. */
  live: boolean;
  /** The app is being started. One after the other: each takes the page's only thread for half a second. */
  starting: boolean;
  inSight: boolean;
  /** Its present image was on the sky: paused, it has a true snapshot to show. */
  hasSnapshot: boolean;
  /** When it was last seen or used, by `performance.now()`. */
  used: number;
  /** Give up its app. */
  pause(): void;
  /** Called when there may be room for it. */
  slotFree(): void;
}

export const MOST_LIVE = 6;

const slots = (): Set<Slot> => pageWide("live_pool.1", () => new Set<Slot>());

export function enter(slot: Slot): void {
  slots().add(slot);
}

/** Remove a preview; return whether it was the last one of the page. */
export function leave(slot: Slot): boolean {
  slot.live = slot.starting = false;
  slots().delete(slot);
  offerSlots();
  return slots().size === 0;
}

/** Offer room to previews in sight: another one has started, or could be paused as it is out of sight or has a snapshot. */
export function offerSlots(): void {
  for (const slot of slots()) if (slot.inSight && !slot.live) slot.slotFree();
}

/**
 * Make `slot` live and starting if there is room or room can be made: by pausing one out of sight; one that has a snapshot, if `slot`
 * has none yet; any other if `force` is true, because the user wants this one. Return "later" while others are starting.
 */
export function takeSlot(slot: Slot, force = false): "taken" | "later" | "full" {
  const others = [...slots()].filter((other) => other.live && other !== slot);
  if (!force && others.some((other) => other.starting && other.inSight)) return "later";
  if (others.length >= MOST_LIVE) {
    const longestUnused = others.sort((a, b) => a.used - b.used);
    const paused =
      longestUnused.find((other) => !other.inSight) ??
      longestUnused.find((other) => force || (other.hasSnapshot && !slot.hasSnapshot));
    if (!paused) return "full";
    paused.live = paused.starting = false;
    paused.pause();
  }
  slot.live = slot.starting = true;
  return "taken";
}
