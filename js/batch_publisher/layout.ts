// Which rows of a long table are drawn: those in sight and a few around. Rows have one height, and another one while they are open.

export const ROW = 36; // pixels
export const OPEN = 176; // more, where a row's details are shown below it
const AROUND = 6; // rows

export interface Slice {
  first: number;
  /** One after the last. */
  end: number;
  /** Pixels above the first. */
  above: number;
  /** Pixels of the whole table. */
  height: number;
}

/** How far below the top the row at this place is; `open` holds places in rising order. */
export function topOf(place: number, open: number[]): number {
  let count = 0;
  while (count < open.length && open[count]! < place) count += 1;
  return place * ROW + count * OPEN;
}

/** What to draw of `count` rows, seen from `scroll` on through a window of `height` pixels. */
export function slice(count: number, open: number[], scroll: number, height: number): Slice {
  let place = Math.max(0, Math.min(count - 1, Math.floor(scroll / ROW)));
  while (place > 0 && topOf(place, open) > scroll) place -= 1;
  const first = Math.max(0, place - AROUND);
  const end = Math.min(count, place + Math.ceil(height / ROW) + AROUND + 1);
  return { first, end, above: topOf(first, open), height: topOf(count, open) };
}
