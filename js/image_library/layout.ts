// The size of the grid and its cells, and where the keyboard goes.

export const CELL = { width: 148, height: 172 };
const BORDER = 2; // pixels, above and below together

/** The height of the grid in pixels: no higher than its rows, and no higher than leaves room in the window for what is around it. */
export function heightOf(rows: number, windowHeight: number): number {
  return Math.min(Math.max(1, rows) * CELL.height + BORDER, 440, Math.round(0.8 * windowHeight));
}

/** Where a key leads from the cell `at`; null for a key that does not move. */
export function moved(
  key: string,
  control: boolean,
  at: number,
  count: number,
  columns: number,
  page: number,
): number | null {
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
