// The list: a row an image, only those in sight drawn. One stop for the Tab key: arrows go from row to row, Tab within one.

import type { VNode } from "preact";
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { isolated } from "../shared/foreign.ts";
import { Address, isOfTheWeb } from "../shared/ui/address.tsx";
import { moved, useVirtualList, VirtualList } from "../shared/virtual_list.tsx";
import type { Picture, Row, Status } from "./status.ts";

export const ROW = 62; // pixels
const TALLEST = 6.5 * ROW; // half a row shows that there is more
const NEAR_THE_END = 25; // rows
const TIME = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

interface ListProps {
  rows: Row[];
  status: Status;
  pictures: boolean;
  pictureOf: (id: string) => Picture | null;
  /** These are in sight; the last says whether the end of the list is near. */
  onSight: (ids: string[], nearTheEnd: boolean) => void;
  open: (what: "form" | "sky", id: string) => void;
}

export function List(props: ListProps) {
  const { rows, status, onSight } = props;
  // While it is only scrolled, a row that stays is the same as before, and costs nothing.
  const kept = useMemo(() => new Map<string, VNode>(), [props]);
  const rowAt = (index: number, stops: boolean) => {
    const name = `${index} ${stops}`;
    const row = kept.get(name) ?? (
      <ImageRow key={rows[index]!.id} {...props} row={rows[index]!} place={index} count={rows.length} stops={stops} />
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
  useLayoutEffect(() => onSight(inSight, nearTheEnd), [inSight.join(), nearTheEnd, rows.length, props.pictures]);

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
      class="cxw-images-scroller"
      onKeyDown={onKeyDown}
      onFocusCapture={(event: FocusEvent) => {
        const row = (event.target as HTMLElement).closest<HTMLElement>("[data-id]")?.dataset.id;
        if (row) setActive(row);
      }}
      as="ul"
      inner={{ role: "list", label: `Images of @${isolated(status.handle)}` }}
    >
      {list.rows.map(({ index }) => rowAt(index, index === place))}
    </VirtualList>
  );
}

interface RowProps extends ListProps {
  row: Row;
  place: number;
  count: number;
  /** Whether the Tab key stops here. */
  stops: boolean;
}

function ImageRow({ row, place, count, stops, status, pictures, pictureOf, open }: RowProps) {
  const tabIndex = stops ? 0 : -1;
  const { opened } = status;
  const is = (what: string, phase = "open") => opened.id === row.id && opened.what === what && opened.phase === phase;
  const name = row.note || "(untitled)";
  const label = isolated(name);
  const button = (what: "form" | "sky", word: string, short = word, dead = "") => (
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
  );
  const link = (url: string, word: string, control: string) =>
    isOfTheWeb(url) && (
      <Address url={url} data-control={control} tabIndex={tabIndex} aria-label={`${word} of ${label}`}>
        {word}
      </Address>
    );
  return (
    <li
      class={`cxw-image-row cxw-virtual-row${opened.id === row.id && opened.phase !== "" ? " cxw-opened" : ""}`}
      style={{ top: `${place * ROW}px`, height: `${ROW}px` }}
      data-id={row.id}
      data-place={place}
      aria-setsize={count}
      aria-posinset={place + 1}
    >
      {pictures && <Thumbnail picture={pictureOf(row.id)} />}
      <div class="cxw-image-name">
        <bdi title={isolated(row.note)}>{name}</bdi>
        <div class="cxw-quiet">
          {row.created && <time dateTime={row.created}>{TIME.format(new Date(row.created))}</time>}{" "}
          <code>{row.id}</code>
        </div>
      </div>
      <div class="cxw-row">
        {button("form", "Edit")}
        {button("sky", "Show on the sky", "Sky", row.url ? "" : "The record has no image address")}
        <span class="cxw-links">
          {link(row.record, "Record", "record")} {link(row.wtml, "WTML", "wtml")}
        </span>
      </div>
    </li>
  );
}

function Thumbnail({ picture }: { picture: Picture | null }) {
  const [broken, setBroken] = useState("");
  if (!picture) return <span class="cxw-image-picture cxw-quiet">…</span>;
  const { thumbnail, alt } = picture;
  if (!/^https?:\/\//i.test(thumbnail) || broken === thumbnail)
    return <span class="cxw-image-picture cxw-quiet">no thumbnail</span>;
  return (
    <span class="cxw-image-picture">
      <img
        src={thumbnail}
        alt={isolated(alt)}
        width={96}
        height={45}
        referrerPolicy="no-referrer"
        onError={() => setBroken(thumbnail)}
      />
    </span>
  );
}
