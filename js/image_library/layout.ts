// Which cells of the grid are in the page, and where the keyboard goes.

export const CELL = { width: 148, height: 172 };
/** Rows above and below what is seen that are in the page, too. */
const SPARE = 1;

export interface Layout {
  columns: number;
  /** Rows of the whole grid. */
  rows: number;
  /** The first row in the page, and the one after the last. */
  first: number;
  last: number;
}

export function layoutOf(count: number, width: number, height: number, scrolled: number): Layout {
  const columns = Math.max(1, Math.floor(width / CELL.width));
  const rows = Math.ceil(count / columns);
  const first = Math.max(0, Math.min(rows, Math.floor(scrolled / CELL.height)) - SPARE);
  const last = Math.min(rows, Math.ceil((scrolled + height) / CELL.height) + SPARE);
  return { columns, rows, first, last };
}

/** Where a key leads from the cell `at`; null if it is none that moves. */
export function moved(key: string, control: boolean, at: number, count: number, columns: number, page: number): number | null {
  const row = at - (at % columns);
  const steps: Record<string, number> = {
    ArrowLeft: at - 1,
    ArrowRight: at + 1,
    ArrowUp: at - columns < 0 ? at : at - columns,
    ArrowDown: at + columns < count ? at + columns : row + columns < count ? count - 1 : at,
    PageUp: Math.max(at % columns, at - columns * page),
    PageDown: at + columns * page,
    Home: control ? 0 : row,
    End: control ? count - 1 : row + columns - 1,
  };
  const to = steps[key];
  return to === undefined ? null : Math.max(0, Math.min(count - 1, to));
}

/** How far to scroll so that the row of a cell is seen whole. */
export function scrolledTo(index: number, columns: number, scrolled: number, height: number): number {
  const top = Math.floor(index / columns) * CELL.height;
  if (top < scrolled) return top;
  return top + CELL.height > scrolled + height ? top + CELL.height - height : scrolled;
}
