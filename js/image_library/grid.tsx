// The grid of thumbnails: of ten thousand images only those in sight are in the page. One cell has the tab stop.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { isolated } from "../shared/foreign.ts";
import type { KernelLink } from "../shared/kernel_link.ts";
import { useVirtualList, VirtualList } from "../shared/virtual_list.tsx";
import { CELL, heightOf, moved } from "./layout.ts";
import { useRows } from "./rows.ts";
import type { Query, Row, State } from "./state.ts";
import type { Thumb, Thumbs } from "./thumbs.ts";

export interface GridProps {
  kernel: KernelLink;
  thumbs: Thumbs;
  state: State;
  query: Query;
  /** The selected image. */
  chosen: Row | null;
  choose(row: Row | null): void;
  /** What Enter, F2 and Delete do with it. */
  act(what: "open" | "rename" | "delete"): void;
  /** Called with the number of images that match. */
  counted(count: number): void;
  /** Moves the focus to the grid: another object each time, with the cell if it is not the one that had it. */
  called: { at: number | null } | null;
  /** Images that were deleted; the rows may still have one for a moment. */
  gone: ReadonlySet<string>;
}

const ACTS: Record<string, "open" | "rename" | "delete"> = { Enter: "open", F2: "rename", Delete: "delete" };

const hasKeyboard = (element: Element | null) =>
  element?.contains((element.getRootNode() as Document | ShadowRoot).activeElement) ?? false;

export function Grid({ kernel, thumbs, state, query, chosen, choose, act, counted, called, gone }: GridProps) {
  const [width, setWidth] = useState(CELL.width);
  const [at, setAt] = useState(0);
  const [count, setCount] = useState(0);
  /** The cell that is to get the focus. */
  const wanted = useRef<number | null>(null);
  const columns = Math.max(1, Math.floor(width / CELL.width));
  const rowCount = Math.ceil(count / columns);
  const height = heightOf(rowCount, window.innerHeight);
  const here = Math.min(at, Math.max(count - 1, 0));
  const rowOf = (index: number) => Math.floor(index / columns);
  const list = useVirtualList({ count: rowCount, rowHeight: CELL.height, height, overscan: 1, keep: rowOf(here) });
  const box = list.scroller;
  const rows = useRows(kernel, query, state.revision, list.first * columns, list.end * columns);
  const hadKeyboard = hasKeyboard(box.current); // before its cells are drawn again

  useLayoutEffect(() => {
    const element = box.current!;
    const measure = () => setWidth(element.clientWidth);
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

  // The grid becomes narrower when an image is selected: that image stays in sight.
  useLayoutEffect(() => {
    if (chosen) list.scrollTo(rowOf(here));
  }, [columns, height]);

  useLayoutEffect(() => {
    if (called) goTo(called.at ?? here);
  }, [called]);

  // A focus that has moved elsewhere in the meantime stays there.
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

  // The focus moves to its cell as soon as that is drawn, and its image is selected as soon as it is loaded. In a grid of
  // other columns the element that had the focus has gone, or is the cell of another image.
  useLayoutEffect(() => {
    const row = rows.at(here);
    const cell = box.current!.querySelector<HTMLElement>(`[data-index="${here}"]`);
    if (hadKeyboard && !hasKeyboard(cell)) wanted.current = here;
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
    list.scrollTo(rowOf(index));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const page = Math.max(1, Math.floor(height / CELL.height));
    const to = count > 0 ? moved(event.key, event.ctrlKey || event.metaKey, here, count, columns, page) : null;
    if (to !== null) goTo(to);
    else if (ACTS[event.key] && chosen) act(ACTS[event.key]!);
    else return;
    event.preventDefault();
  };

  return (
    <VirtualList
      list={list}
      class="cxw-grid-box"
      role="grid"
      aria-label="Images"
      aria-rowcount={rowCount}
      aria-colcount={columns}
      aria-busy={state.phase === "loading"}
      onKeyDown={onKeyDown}
      inner={{ role: "presentation" }}
    >
      {list.rows.map(({ index: row, top }) => (
        <div
          key={row}
          role="row"
          aria-rowindex={row + 1}
          class="cxw-grid-row cxw-virtual-row"
          style={{ top: `${top}px`, gridTemplateColumns: `repeat(${columns}, 1fr)` }}
        >
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
    </VirtualList>
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
      aria-label={image ? `${isolated(image.name) || "unnamed"}${thumb?.error ? `. ${thumb.error}` : ""}` : "loading"}
      onFocus={onFocus}
      onClick={(event) => event.currentTarget.focus()}
      onDblClick={onOpen}
    >
      <div class="cxw-thumb" aria-hidden="true">
        {thumb?.src && <img src={thumb.src} alt="" draggable={false} />}
        {thumb?.error && <bdi class="cxw-quiet">{thumb.error}</bdi>}
      </div>
      <div class="cxw-thumb-name" aria-hidden="true" dir="auto">
        <bdi>{image?.name}</bdi>
      </div>
    </div>
  );
}
