// The grid of thumbnails: of ten thousand images only those that are seen are in the page. One cell takes the keyboard.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Comm } from "../shared/comm.ts";
import { CELL, layoutOf, moved, scrolledTo } from "./layout.ts";
import { useRows } from "./rows.ts";
import type { Query, Row, State } from "./state.ts";
import type { Thumb, Thumbs } from "./thumbs.ts";

export interface GridProps {
  comm: Comm;
  thumbs: Thumbs;
  state: State;
  query: Query;
  /** The image that is looked at. */
  chosen: Row | null;
  choose(row: Row | null): void;
  /** What Enter, F2 and Delete do with it. */
  act(what: "open" | "rename" | "delete"): void;
  /** Told how many images match. */
  counted(count: number): void;
  /** Asks the grid to take the keyboard: another object each time, with the cell if it is not the one that had it. */
  called: { at: number | null } | null;
  /** Images that were deleted; the rows may still have one for a moment. */
  gone: ReadonlySet<string>;
}

const ACTS: Record<string, "open" | "rename" | "delete"> = { Enter: "open", F2: "rename", Delete: "delete" };

const hasKeyboard = (element: Element | null) => element?.contains((element.getRootNode() as Document | ShadowRoot).activeElement) ?? false;

export function Grid({ comm, thumbs, state, query, chosen, choose, act, counted, called, gone }: GridProps) {
  const box = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState({ width: CELL.width, height: 2 * CELL.height });
  const [scrolled, setScrolled] = useState(0);
  const [at, setAt] = useState(0);
  const [count, setCount] = useState(0);
  /** The cell that is to take the keyboard. */
  const wanted = useRef<number | null>(null);
  const { columns, rows: rowCount, first, last } = layoutOf(count, size.width, size.height, scrolled);
  const rows = useRows(comm, query, state.revision, first * columns, last * columns);
  const here = Math.min(at, Math.max(count - 1, 0));
  const hadKeyboard = hasKeyboard(box.current); // before its cells are drawn anew

  useLayoutEffect(() => {
    const element = box.current!;
    const measure = () => setSize({ width: element.clientWidth, height: element.clientHeight });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  useEffect(() => {
    if (rows.count === null) return;
    setCount(rows.count);
    counted(rows.count);
  }, [rows.count]);

  // Another search begins at its beginning.
  useEffect(() => {
    setAt(0);
    box.current!.scrollTop = 0;
  }, [query.search, query.order]);

  // The grid becomes narrower when an image is looked at: that image stays in sight, and keeps the keyboard in its new row.
  useLayoutEffect(() => {
    if (chosen) box.current!.scrollTop = scrolledTo(here, columns, box.current!.scrollTop, size.height);
    if (hadKeyboard && !hasKeyboard(box.current)) wanted.current = here;
  }, [columns, size.height]);

  useLayoutEffect(() => {
    if (called) goTo(called.at ?? here);
  }, [called]);

  // Whoever has gone elsewhere meanwhile is left there.
  useEffect(() => {
    const elsewhere = (event: Event) => {
      if (!box.current!.contains(event.target as Node)) wanted.current = null;
    };
    const root = box.current!.closest(".cxw-library");
    root?.addEventListener("focusin", elsewhere);
    document.addEventListener("pointerdown", elsewhere);
    return () => {
      root?.removeEventListener("focusin", elsewhere);
      document.removeEventListener("pointerdown", elsewhere);
    };
  }, []);

  // The keyboard goes to its cell in the moment in which that is drawn, and its image is looked at as soon as it is known which it is.
  useLayoutEffect(() => {
    const row = rows.at(here);
    const cell = box.current!.querySelector<HTMLElement>(`[data-index="${here}"]`);
    if (!cell || (row && gone.has(row.id))) return;
    if (wanted.current !== null && Math.min(wanted.current, count - 1) === here) {
      wanted.current = null;
      cell.focus({ preventScroll: true });
    }
    if (row && row.id !== chosen?.id && hasKeyboard(cell)) choose(row);
  });

  const goTo = (index: number) => {
    setAt(index);
    wanted.current = index;
    const top = scrolledTo(index, columns, box.current!.scrollTop, size.height);
    box.current!.scrollTop = top;
    setScrolled(box.current!.scrollTop);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const page = Math.max(1, Math.floor(size.height / CELL.height));
    const to = count > 0 ? moved(event.key, event.ctrlKey || event.metaKey, here, count, columns, page) : null;
    if (to !== null) goTo(to);
    else if (ACTS[event.key] && chosen) act(ACTS[event.key]!);
    else return;
    event.preventDefault();
  };

  // The row of the cell that has the keyboard stays in the page wherever the grid is scrolled to.
  const drawn = Array.from({ length: Math.max(last - first, 0) }, (_, index) => first + index);
  const own = Math.floor(here / columns);
  if (count > 0 && (own < first || own >= last)) drawn.push(own);

  return (
    <div
      ref={box}
      class="cxw-grid-box"
      role="grid"
      aria-label="Images"
      aria-rowcount={rowCount}
      aria-colcount={columns}
      aria-busy={state.phase === "loading"}
      onScroll={(event) => setScrolled(event.currentTarget.scrollTop)}
      onKeyDown={onKeyDown}
    >
      <div class="cxw-grid-all" role="presentation" style={{ height: `${rowCount * CELL.height}px` }}>
        {drawn.map((row) => (
          <div key={row} role="row" aria-rowindex={row + 1} class="cxw-grid-row" style={{ top: `${row * CELL.height}px`, gridTemplateColumns: `repeat(${columns}, 1fr)` }}>
            {Array.from({ length: Math.min(columns, count - row * columns) }, (_, column) => {
              const index = row * columns + column;
              const image = rows.at(index);
              return (
                <Cell
                  key={column}
                  index={index}
                  column={column}
                  image={image}
                  session={state.session}
                  thumbs={thumbs}
                  tabs={index === here}
                  chosen={image !== undefined && image.id === chosen?.id}
                  onFocus={() => {
                    setAt(index);
                    if (image) choose(image);
                  }}
                  onOpen={() => act("open")}
                />
              );
            })}
          </div>
        ))}
      </div>
    </div>
  );
}

interface CellProps {
  index: number;
  column: number;
  image: Row | undefined;
  session: number;
  thumbs: Thumbs;
  tabs: boolean;
  chosen: boolean;
  onFocus(): void;
  onOpen(): void;
}

function Cell({ index, column, image, session, thumbs, tabs, chosen, onFocus, onOpen }: CellProps) {
  const [thumb, setThumb] = useState<Thumb | null>(null);
  const id = image?.id;
  useEffect(() => {
    setThumb(null);
    return id === undefined ? undefined : thumbs.want(id, setThumb);
  }, [id, session, thumbs]);
  return (
    <div
      role="gridcell"
      class="cxw-cell"
      data-index={index}
      tabIndex={tabs ? 0 : -1}
      aria-colindex={column + 1}
      aria-selected={chosen}
      aria-label={image ? `${image.name || "without a name"}${thumb?.none ? `. ${thumb.none}` : ""}` : "on its way"}
      onFocus={onFocus}
      onClick={(event) => event.currentTarget.focus()}
      onDblClick={onOpen}
    >
      <div class="cxw-thumb" aria-hidden="true">
        {thumb?.src && <img src={thumb.src} alt="" draggable={false} />}
        {thumb?.none && <span class="cxw-quiet">{thumb.none}</span>}
      </div>
      <div class="cxw-name" aria-hidden="true" dir="auto">
        {image?.name}
      </div>
    </div>
  );
}
