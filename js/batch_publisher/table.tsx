// The table: one row for each draft, only those in sight drawn. One stop for the Tab key; arrows move, Space selects, Enter opens.

import { useState } from "preact/hooks";
import { isolated } from "../shared/foreign.ts";
import type { KernelLink } from "../shared/kernel_link.ts";
import { useUniqueId } from "../shared/mount.tsx";
import { isOfTheWeb } from "../shared/reach.ts";
import { Address, useWayTo } from "../shared/ui/address.tsx";
import { moved, useVirtualList, VirtualList } from "../shared/virtual_list.tsx";
import { Details } from "./details.tsx";
import { type Row, STATES } from "./status.ts";
import type { Thumbnails } from "./thumbnails.ts";

const ROW = 36; // pixels
const DETAILS = 176; // pixels of a row's details, which are shown below it
const TALLEST = 12 * ROW;
const PAGE = Math.floor(TALLEST / ROW) - 1; // rows

export interface TableProps {
  rows: Row[];
  /** Numbers of the rows that are shown, in order. */
  shown: number[];
  titles: Record<string, string>;
  thumbnails: Thumbnails;
  /** Whether thumbnails may be loaded from the web. */
  web: boolean;
  /** Whether rows can be chosen and fixed. */
  editable: boolean;
  kernel: KernelLink;
  choose: (numbers: number[], on: boolean) => void;
  decide: (numbers: number[], on: boolean) => void;
  /** The row whose form is open. */
  edited: number | null;
  edit: (row: number | null) => void;
  /** Whether forms can be opened here. */
  edits: boolean;
}

export function Table(props: TableProps) {
  const { rows, shown, web, editable, choose } = props;
  const id = useUniqueId();
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set());
  const [active, setActive] = useState(0); // a place in the table, not the row's number
  const current = Math.min(active, shown.length - 1);
  const expanded = shown.flatMap((number, place) => (open.has(number) ? [place] : []));
  const whole = shown.length * ROW + expanded.length * DETAILS;
  const height = Math.min(TALLEST + (expanded.length > 0 ? DETAILS : 0), Math.max(ROW, whole));
  const list = useVirtualList({
    count: shown.length,
    rowHeight: ROW,
    expanded,
    expandedBy: DETAILS,
    height,
    keep: current,
  });
  const pictures = web || rows.some((row) => row.local);

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
    const next = moved(event.key, current, shown.length, PAGE);
    if (next !== null) {
      setActive(next);
      list.scrollTo(next);
    } else if (event.key === " " && editable && !rows[number]!.id) choose([number], !rows[number]!.chosen);
    else if (event.key === "Enter") toggle(number);
    else if (event.key === "ArrowRight") toggle(number, true);
    else if (event.key === "ArrowLeft") toggle(number, false);
    else return;
    event.preventDefault();
  };

  return (
    <div
      class={`cxw-batch-table${pictures ? " cxw-pictures" : ""}`}
      role="treegrid"
      aria-label="Images"
      aria-rowcount={shown.length + 1}
      aria-multiselectable={true}
      aria-activedescendant={shown.length > 0 ? `${id}-${shown[current]}` : undefined}
      aria-describedby={`${id}-keys`}
      tabIndex={0}
      onKeyDown={onKeyDown}
    >
      <span id={`${id}-keys`} class="cxw-hidden">
        Arrow keys move, Space selects, Enter shows the details of a row.
      </span>
      <div role="row" aria-rowindex={1} class="cxw-batch-row cxw-batch-heads">
        <span role="columnheader">
          <span class="cxw-hidden">Selected</span>
        </span>
        {pictures && (
          <span role="columnheader">
            <span class="cxw-hidden">Thumbnail</span>
          </span>
        )}
        <span role="columnheader">Image</span>
        <span role="columnheader">Problems</span>
        <span role="columnheader">State</span>
        <span role="columnheader">Reason or record</span>
      </div>
      <VirtualList list={list} role="presentation" class="cxw-batch-scroller" inner={{ role: "rowgroup" }}>
        {list.rows.map(({ index, top }) => {
          const number = shown[index]!;
          return (
            <TableRow
              key={number}
              {...props}
              row={rows[number]!}
              id={`${id}-${number}`}
              place={index}
              top={top}
              active={index === current}
              open={open.has(number)}
              pictures={pictures}
              onOpen={() => {
                setActive(index);
                toggle(number);
              }}
            />
          );
        })}
      </VirtualList>
    </div>
  );
}

interface RowProps extends TableProps {
  row: Row;
  id: string;
  place: number;
  /** Pixels from the top of the table. */
  top: number;
  active: boolean;
  open: boolean;
  /** Whether there is a column of thumbnails. */
  pictures: boolean;
  onOpen: () => void;
}

function TableRow(props: RowProps) {
  const { row, id, place, top, active, open, pictures, onOpen, editable, choose, decide, web, thumbnails } = props;
  const shade = row.chosen || row.id ? "" : " cxw-unchosen";
  return (
    <>
      <div
        id={id}
        role="row"
        class={`cxw-batch-row cxw-virtual-row${active ? " cxw-active" : ""}${shade}`}
        style={{ top: `${top}px`, height: `${ROW}px` }}
        data-row={row.i}
        data-state={row.state}
        aria-level={1}
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
              aria-label={`Select ${isolated(row.name)}`}
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
          {row.needs_review ? (
            <label title={isolated(row.reason)}>
              <input
                type="checkbox"
                tabIndex={-1}
                checked={row.anyway}
                onChange={(event) => decide([row.i], event.currentTarget.checked)}
              />{" "}
              publish anyway
            </label>
          ) : (
            (STATES[row.state] ?? row.state)
          )}
        </span>
        <span role="gridcell" class="cxw-reason" title={isolated(row.reason)}>
          {row.record ? <RecordLink row={row} tabIndex={-1} /> : <bdi>{row.reason}</bdi>}
        </span>
      </div>
      {open && (
        <div
          role="row"
          aria-level={2}
          class="cxw-batch-details cxw-virtual-row"
          style={{ top: `${top + ROW}px`, height: `${DETAILS}px` }}
        >
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
    <Address url={row.record} tabIndex={tabIndex} aria-label={`Record of ${isolated(row.name)}`}>
      <bdi>{row.id}</bdi>
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
  const way = useWayTo(!own && web && isOfTheWeb(row.web) ? row.web : "");
  const address = own || way;
  if (!address) return null;
  const away = own ? {} : { loading: "lazy" as const, referrerPolicy: "no-referrer" as const };
  return <img src={address} alt="" width={62} height={29} {...away} />;
}
