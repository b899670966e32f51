// A long list of which only the rows in sight are in the page, with a few around them; and where the keyboard goes in it.

import "./virtual_list.css";
import type { ComponentChildren, HTMLAttributes, RefObject } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

export interface Rows {
  count: number;
  /** Height of a row in pixels. */
  rowHeight: number;
  /** Rows, in rising order, that are taller by `expandedBy` pixels. */
  expanded?: readonly number[];
  expandedBy?: number;
}

export interface VirtualRow {
  index: number;
  /** Pixels from the top of the list. */
  top: number;
}

const OVERSCAN = 4; // rows above and below those in sight

/** How far below the top of the list a row is. */
export function topOf(index: number, { rowHeight, expanded = [], expandedBy = 0 }: Rows): number {
  let above = 0;
  while (above < expanded.length && expanded[above]! < index) above += 1;
  return index * rowHeight + above * expandedBy;
}

/** The first row to draw and the one after the last, seen from `scroll` on through a window of `height` pixels. */
export function rangeOf(
  rows: Rows,
  scroll: number,
  height: number,
  overscan = OVERSCAN,
): { first: number; end: number } {
  const { count, rowHeight } = rows;
  let index = Math.max(0, Math.min(count - 1, Math.floor(scroll / rowHeight)));
  while (index > 0 && topOf(index, rows) > scroll) index -= 1;
  const first = Math.max(0, index - overscan);
  const end = Math.min(count, index + Math.ceil(height / rowHeight) + overscan + 1);
  return { first, end };
}

/** How far to scroll so that the whole of a row is in sight. */
export function scrolledTo(index: number, rows: Rows, scroll: number, height: number): number {
  const top = topOf(index, rows);
  if (top < scroll) return top;
  return top + rows.rowHeight > scroll + height ? top + rows.rowHeight - height : scroll;
}

/** The row that a key leads to from row `at`; null for a key that does not move. `page` is a number of rows. */
export function moved(key: string, at: number, count: number, page: number): number | null {
  const steps: Record<string, number> = {
    ArrowDown: 1,
    ArrowUp: -1,
    PageDown: page,
    PageUp: -page,
    Home: -count,
    End: count,
  };
  const step = steps[key];
  return step === undefined ? null : Math.max(0, Math.min(count - 1, at + step));
}

export interface VirtualListState {
  scroller: RefObject<HTMLDivElement | null>;
  height: number;
  /** Pixels of the whole list. */
  total: number;
  first: number;
  end: number;
  /** The rows to draw. */
  rows: VirtualRow[];
  /** Scroll until the whole of a row is in sight. */
  scrollTo(index: number): void;
  scrolled(): void;
}

interface Options extends Rows {
  /** Of the window, in pixels. */
  height: number;
  overscan?: number;
  /** A row that is drawn wherever the list is scrolled to: the one with the focus. */
  keep?: number;
}

/** The state of a virtual list: draw `rows` in a `VirtualList`. */
export function useVirtualList(options: Options): VirtualListState {
  const { count, height, overscan, keep } = options;
  const scroller = useRef<HTMLDivElement>(null);
  const [scroll, setScroll] = useState(0);
  const { first, end } = rangeOf(options, scroll, height, overscan);
  const drawn = new Set(Array.from({ length: Math.max(0, end - first) }, (_, row) => first + row));
  if (keep !== undefined && keep >= 0 && keep < count) drawn.add(keep);
  const scrolled = () => setScroll(scroller.current?.scrollTop ?? 0);

  // A filter can leave fewer rows than were scrolled past.
  useLayoutEffect(() => {
    if (scroll !== (scroller.current?.scrollTop ?? 0)) scrolled();
  });

  const scrollTo = (index: number) => {
    const element = scroller.current;
    if (!element) return;
    element.scrollTop = scrolledTo(index, options, element.scrollTop, height);
    scrolled();
  };
  const rows = [...drawn].sort((a, b) => a - b).map((index) => ({ index, top: topOf(index, options) }));
  return { scroller, height, total: topOf(count, options), first, end, rows, scrollTo, scrolled };
}

interface VirtualListProps extends Omit<HTMLAttributes<HTMLDivElement>, "list"> {
  list: VirtualListState;
  /** The element that holds the rows. */
  as?: "div" | "ul";
  inner: { role: "list" | "rowgroup" | "presentation"; label?: string };
  children: ComponentChildren;
}

/** The scrolling element with its rows, each of class `cxw-virtual-row` and placed by its `top`. */
export function VirtualList({ list, as: Inner = "div", inner, children, ...attributes }: VirtualListProps) {
  const { class: name = "", ...more } = attributes;
  return (
    <div
      ref={list.scroller}
      class={`cxw-virtual ${name}`}
      style={{ height: `${list.height}px` }}
      onScroll={list.scrolled}
      {...more}
    >
      <Inner role={inner.role} aria-label={inner.label} style={{ height: `${list.total}px` }}>
        {children}
      </Inner>
    </div>
  );
}
