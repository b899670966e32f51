// The table: a row a draft, only those in sight drawn. One stop for the Tab key; arrows move, Space chooses, Enter opens.

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { Address } from "../shared/address.tsx";
import { useUniqueId } from "../shared/mount.tsx";
import { Details, type Ask } from "./details.tsx";
import { OPEN, ROW, slice, topOf } from "./layout.ts";
import { type Row, STATES } from "./status.ts";
import type { Thumbnails } from "./thumbnails.ts";

const TALLEST = 12 * ROW;

export interface TableProps {
  rows: Row[];
  /** Numbers of the rows that are shown, in order. */
  shown: number[];
  titles: Record<string, string>;
  thumbnails: Thumbnails;
  /** Whether thumbnails may be asked of the web. */
  web: boolean;
  /** Whether rows can be chosen and mended. */
  editable: boolean;
  ask: Ask;
  send: (message: { kind: string } & Record<string, unknown>) => void;
  choose: (numbers: number[], on: boolean) => void;
  decide: (numbers: number[], on: boolean) => void;
}

export function Table(props: TableProps) {
  const { rows, shown, web, editable, choose } = props;
  const id = useUniqueId();
  const scroller = useRef<HTMLDivElement>(null);
  const [scroll, setScroll] = useState(0);
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set());
  const [active, setActive] = useState(0); // the place, not the number
  const places = shown.flatMap((number, place) => (open.has(number) ? [place] : []));
  const height = Math.min(TALLEST + (places.length > 0 ? OPEN : 0), Math.max(ROW, topOf(shown.length, places)));
  const { first, end, above, height: whole } = slice(shown.length, places, scroll, height);
  const pictures = web || rows.some((row) => row.local);
  const current = Math.min(active, shown.length - 1);

  // A filter can leave fewer rows than were scrolled past.
  useLayoutEffect(() => {
    const now = scroller.current?.scrollTop ?? 0;
    if (now !== scroll) setScroll(now);
  });

  const goTo = (place: number) => {
    const next = Math.max(0, Math.min(shown.length - 1, place));
    setActive(next);
    const element = scroller.current;
    if (!element) return;
    const top = topOf(next, places);
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + ROW > element.scrollTop + height) element.scrollTop = top + ROW - height;
  };
  const toggle = (number: number, on = !open.has(number)) => {
    const next = new Set(open);
    if (on) next.add(number);
    else next.delete(number);
    setOpen(next);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target !== event.currentTarget || event.altKey || event.ctrlKey || event.metaKey) return;
    const number = shown[current];
    if (number === undefined) return;
    const page = Math.floor(TALLEST / ROW) - 1;
    const moves: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -shown.length, End: shown.length };
    if (moves[event.key]) goTo(current + moves[event.key]!);
    else if (event.key === " " && editable && !rows[number]!.id) choose([number], !rows[number]!.chosen);
    else if (event.key === "Enter") toggle(number);
    else if (event.key === "ArrowRight") toggle(number, true);
    else if (event.key === "ArrowLeft") toggle(number, false);
    else return;
    event.preventDefault();
  };

  return (
    <div
      class={`cxw-batch-table${pictures ? " cxw-pictures" : ""}`}
      role="grid"
      aria-label="Images"
      aria-rowcount={shown.length + 1}
      aria-multiselectable={true}
      aria-activedescendant={shown.length > 0 ? `${id}-${shown[current]}` : undefined}
      aria-describedby={`${id}-keys`}
      tabIndex={0}
      onKeyDown={onKeyDown}
    >
      <span id={`${id}-keys`} class="cxw-hidden">
        Arrow keys move, Space chooses, Enter opens a row.
      </span>
      <div role="row" aria-rowindex={1} class="cxw-batch-row cxw-batch-heads">
        <span role="columnheader">
          <span class="cxw-hidden">Chosen</span>
        </span>
        {pictures && (
          <span role="columnheader">
            <span class="cxw-hidden">Thumbnail</span>
          </span>
        )}
        <span role="columnheader">Image</span>
        <span role="columnheader">Problems</span>
        <span role="columnheader">State</span>
        <span role="columnheader">Why, or the record</span>
      </div>
      <div
        ref={scroller}
        role="presentation"
        class="cxw-batch-scroller"
        style={{ height: `${height}px` }}
        onScroll={(event) => setScroll(event.currentTarget.scrollTop)}
      >
        <div role="presentation" style={{ height: `${whole}px` }}>
          <div role="rowgroup" style={{ transform: `translateY(${above}px)` }}>
            {shown.slice(first, end).map((number, index) => (
              <TableRow
                key={number}
                {...props}
                row={rows[number]!}
                id={`${id}-${number}`}
                place={first + index}
                active={first + index === current}
                open={open.has(number)}
                pictures={pictures}
                onOpen={() => {
                  setActive(first + index);
                  toggle(number);
                }}
              />
            ))}
          </div>
        </div>
      </div>
    </div>
  );
}

interface RowProps extends TableProps {
  row: Row;
  id: string;
  place: number;
  active: boolean;
  open: boolean;
  /** Whether there is a column of thumbnails. */
  pictures: boolean;
  onOpen: () => void;
}

function TableRow(props: RowProps) {
  const { row, id, place, active, open, pictures, onOpen, editable, choose, decide, web, thumbnails } = props;
  const shade = row.chosen || row.id ? "" : " cxw-unchosen";
  return (
    <>
      <div
        id={id}
        role="row"
        class={`cxw-batch-row${active ? " cxw-active" : ""}${shade}`}
        style={{ height: `${ROW}px` }}
        data-row={row.i}
        data-state={row.state}
        aria-rowindex={place + 2}
        aria-selected={row.chosen}
        aria-expanded={open}
      >
        <span role="gridcell">
          {!row.id && (
            <input
              type="checkbox"
              tabIndex={-1}
              checked={row.chosen}
              disabled={!editable}
              aria-label={`Choose ${row.name}`}
              onChange={(event) => choose([row.i], event.currentTarget.checked)}
            />
          )}
        </span>
        {pictures && (
          <span role="gridcell" class="cxw-thumbnail">
            <Thumbnail row={row} web={web} thumbnails={thumbnails} />
          </span>
        )}
        <span role="gridcell" class="cxw-name">
          <button type="button" class="cxw-open" tabIndex={-1} aria-expanded={open} onClick={onOpen}>
            <span aria-hidden="true">{open ? "▾" : "▸"}</span> <bdi>{row.name}</bdi>
          </button>
        </span>
        <span role="gridcell" class="cxw-problem-count">
          {!row.id && <Counts row={row} />}
        </span>
        <span role="gridcell" class={`cxw-state cxw-is-${row.state}`}>
          {row.decides ? (
            <label title={row.reason}>
              <input type="checkbox" tabIndex={-1} checked={row.anyway} onChange={(event) => decide([row.i], event.currentTarget.checked)} /> publish
              anyway
            </label>
          ) : (
            (STATES[row.state] ?? row.state)
          )}
        </span>
        <span role="gridcell" class="cxw-reason" title={row.reason}>
          {row.record ? <RecordLink row={row} tabIndex={-1} /> : <bdi>{row.reason}</bdi>}
        </span>
      </div>
      {open && (
        <div role="row" class="cxw-batch-details" style={{ height: `${OPEN}px` }}>
          <div role="gridcell">
            <Details {...props} />
          </div>
        </div>
      )}
    </>
  );
}

export function RecordLink({ row, tabIndex }: { row: Row; tabIndex?: number }) {
  return (
    <Address url={row.record} tabIndex={tabIndex} aria-label={`Record of ${row.name}`}>
      {row.id}
    </Address>
  );
}

const SIGNS = { errors: "✕", warnings: "!" } as const;

function Counts({ row }: { row: Row }) {
  if (row.errors + row.warnings === 0) return <span class="cxw-quiet">none</span>;
  const kinds = (["errors", "warnings"] as const).filter((kind) => row[kind] > 0);
  return (
    <>
      {kinds.map((kind) => (
        <span key={kind} class={`cxw-count cxw-count-${kind}`}>
          <span aria-hidden="true">
            {SIGNS[kind]} {row[kind]}
          </span>
          <span class="cxw-hidden">
            {row[kind]} {row[kind] === 1 ? kind.slice(0, -1) : kind}
          </span>
        </span>
      ))}
    </>
  );
}

function Thumbnail({ row, web, thumbnails }: { row: Row; web: boolean; thumbnails: Thumbnails }) {
  const own = row.local ? thumbnails.of(row.i) : "";
  const address = own || (web && /^https?:\/\//i.test(row.web) ? row.web : "");
  if (!address) return null;
  const away = own ? {} : { loading: "lazy" as const, referrerPolicy: "no-referrer" as const };
  return <img src={address} alt="" width={62} height={29} {...away} />;
}
