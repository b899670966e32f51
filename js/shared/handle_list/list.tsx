// The list: a row a record, only those in sight drawn. One stop for the Tab key: arrows go from row to row, Tab within one.

import type { ComponentChildren, VNode } from "preact";
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { isolated } from "../foreign.ts";
import { isOfTheWeb } from "../reach.ts";
import { Address } from "../ui/address.tsx";
import { moved, useVirtualList, VirtualList } from "../virtual_list.tsx";
import type { Row, Status } from "./status.ts";

export const ROW = 62; // pixels
const TALLEST = 6.5 * ROW; // half a row shows that there is more
const NEAR_THE_END = 25; // rows
const TIME = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** What a row is drawn with. */
export interface RowTools {
  /** A button that opens the row's record in a way of the kernel's, and closes it again. `short` stands where there is little room. */
  button: (what: string, word: string, short?: string, dead?: string) => VNode;
  link: (url: string, word: string, control: string) => VNode | false;
}

export interface ListProps<R extends Row> {
  rows: R[];
  status: Status;
  /** Of the whole list. */
  label: string;
  /** What a row is called. */
  nameOf: (row: R) => string;
  /** What stands before the name. */
  before?: (row: R) => ComponentChildren;
  /** What stands under the name, behind date and id. */
  about?: (row: R) => ComponentChildren;
  /** Buttons and links of a row. */
  controls: (row: R, tools: RowTools) => ComponentChildren;
  /** These are in sight; the last says whether the end of the list is near. */
  onSight: (ids: string[], nearTheEnd: boolean) => void;
  open: (what: string, id: string) => void;
}

export function List<R extends Row>(props: ListProps<R>) {
  const { rows, onSight } = props;
  // While it is only scrolled, a row that stays is the same as before, and costs nothing.
  const kept = useMemo(() => new Map<string, VNode>(), [props]);
  const rowAt = (index: number, stops: boolean) => {
    const name = `${index} ${stops}`;
    const row = kept.get(name) ?? (
      <ListRow key={rows[index]!.id} {...props} row={rows[index]!} place={index} count={rows.length} stops={stops} />
    );
    kept.set(name, row);
    return row;
  };
  const [active, setActive] = useState("");
  const goingTo = useRef<string | null>(null); // the control that gets the focus when its row is drawn
  const place = Math.max(
    0,
    rows.findIndex((row) => row.id === active),
  );
  const height = Math.min(TALLEST, Math.max(1, rows.length) * ROW);
  const list = useVirtualList({ count: rows.length, rowHeight: ROW, height, keep: place });

  useLayoutEffect(() => {
    if (goingTo.current === null) return;
    const control = list.scroller.current?.querySelector<HTMLElement>(
      `[data-place="${place}"] [data-control="${goingTo.current}"]`,
    );
    goingTo.current = null;
    control?.focus({ preventScroll: true });
  });
  const inSight = rows.slice(list.first, list.end).map((row) => row.id);
  const nearTheEnd = list.end >= rows.length - NEAR_THE_END;
  useLayoutEffect(() => onSight(inSight, nearTheEnd), [inSight.join(), nearTheEnd, rows.length, props.before]);

  const onKeyDown = (event: KeyboardEvent) => {
    const control = (event.target as HTMLElement).dataset.control;
    if (!control || event.altKey || event.ctrlKey || event.metaKey) return;
    const next = moved(event.key, place, rows.length, Math.floor(height / ROW));
    if (next === null) return;
    event.preventDefault();
    goingTo.current = control;
    setActive(rows[next]!.id);
    list.scrollTo(next);
  };

  return (
    <VirtualList
      list={list}
      class="cxw-records-scroller"
      onKeyDown={onKeyDown}
      onFocusCapture={(event: FocusEvent) => {
        const row = (event.target as HTMLElement).closest<HTMLElement>("[data-id]")?.dataset.id;
        if (row) setActive(row);
      }}
      as="ul"
      inner={{ role: "list", label: props.label }}
    >
      {list.rows.map(({ index }) => rowAt(index, index === place))}
    </VirtualList>
  );
}

interface RowProps<R extends Row> extends ListProps<R> {
  row: R;
  place: number;
  count: number;
  /** Whether the Tab key stops here. */
  stops: boolean;
}

function ListRow<R extends Row>({
  row,
  place,
  count,
  stops,
  status,
  nameOf,
  before,
  about,
  controls,
  open,
}: RowProps<R>) {
  const tabIndex = stops ? 0 : -1;
  const { opened } = status;
  const is = (what: string, phase = "open") => opened.id === row.id && opened.what === what && opened.phase === phase;
  const name = nameOf(row);
  const label = isolated(name);
  const tools: RowTools = {
    button: (what, word, short = word, dead = "") => (
      <button
        type="button"
        data-control={what}
        tabIndex={tabIndex}
        aria-expanded={is(what)}
        aria-busy={is(what, "opening")}
        aria-label={`${is(what) ? "Close" : word}: ${label}`}
        disabled={dead !== ""}
        title={dead}
        onClick={() => open(what, row.id)}
      >
        {is(what) ? (
          "Close"
        ) : (
          <>
            <span class="cxw-where-wide">{word}</span>
            <span class="cxw-where-narrow">{short}</span>
          </>
        )}
      </button>
    ),
    link: (url, word, control) =>
      isOfTheWeb(url) && (
        <Address url={url} data-control={control} tabIndex={tabIndex} aria-label={`${word} of ${label}`}>
          {word}
        </Address>
      ),
  };
  return (
    <li
      class={`cxw-record-row cxw-virtual-row${opened.id === row.id && opened.phase !== "" ? " cxw-opened" : ""}`}
      style={{ top: `${place * ROW}px`, height: `${ROW}px` }}
      data-id={row.id}
      data-place={place}
      aria-setsize={count}
      aria-posinset={place + 1}
    >
      {before?.(row)}
      <div class="cxw-record-name">
        <bdi title={label}>{name}</bdi>
        <div class="cxw-quiet">
          {row.created && <time dateTime={row.created}>{TIME.format(new Date(row.created))}</time>} {about?.(row)}{" "}
          <code>{row.id}</code>
        </div>
      </div>
      <div class="cxw-row">{controls(row, tools)}</div>
    </li>
  );
}
