// The list: a row an image, only those in sight drawn. One stop for the Tab key: arrows go from row to row, Tab within one.

import type { VNode } from "preact";
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { Address, isOfTheWeb } from "../shared/address.tsx";
import type { Picture, Row, Status } from "./status.ts";

export const ROW = 62; // pixels
const TALLEST = 6.5 * ROW; // half a row says that there is more
const AROUND = 4; // rows
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
    const row = kept.get(name) ?? <ImageRow key={rows[index]!.id} {...props} row={rows[index]!} place={index} count={rows.length} stops={stops} />;
    kept.set(name, row);
    return row;
  };
  const scroller = useRef<HTMLDivElement>(null);
  const [scroll, setScroll] = useState(0);
  const [active, setActive] = useState("");
  const goingTo = useRef<string | null>(null); // the control that gets the focus when its row is drawn
  const height = Math.min(TALLEST, Math.max(1, rows.length) * ROW);
  const first = Math.max(0, Math.min(Math.floor(scroll / ROW) - AROUND, rows.length - 1));
  const end = Math.min(rows.length, Math.ceil((scroll + height) / ROW) + AROUND);
  const place = Math.max(0, rows.findIndex((row) => row.id === active));
  // Where the keyboard is, is drawn wherever it is scrolled to.
  const drawn = new Set([...Array(Math.max(0, end - first)).keys()].map((index) => first + index));
  if (rows.length > 0) drawn.add(place);

  useLayoutEffect(() => {
    // A search can leave fewer rows than were scrolled past.
    const now = scroller.current?.scrollTop ?? 0;
    if (now !== scroll) setScroll(now);
    if (goingTo.current !== null) {
      const control = scroller.current?.querySelector<HTMLElement>(`[data-place="${place}"] [data-control="${goingTo.current}"]`);
      goingTo.current = null;
      control?.focus({ preventScroll: true });
    }
  });
  const inSight = rows.slice(first, end).map((row) => row.id);
  useLayoutEffect(() => onSight(inSight, end >= rows.length - NEAR_THE_END), [inSight.join(), end >= rows.length - NEAR_THE_END, rows.length, props.pictures]);

  const onKeyDown = (event: KeyboardEvent) => {
    const control = (event.target as HTMLElement).dataset.control;
    if (!control || event.altKey || event.ctrlKey || event.metaKey) return;
    const page = Math.floor(height / ROW);
    const moves: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -rows.length, End: rows.length };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    const next = Math.max(0, Math.min(rows.length - 1, place + move));
    goingTo.current = control;
    setActive(rows[next]!.id);
    const element = scroller.current!;
    if (next * ROW < element.scrollTop) element.scrollTop = next * ROW;
    else if ((next + 1) * ROW > element.scrollTop + height) element.scrollTop = (next + 1) * ROW - height;
  };

  return (
    <div
      ref={scroller}
      class="cxw-images-scroller"
      style={{ height: `${height}px` }}
      onScroll={(event) => setScroll(event.currentTarget.scrollTop)}
      onKeyDown={onKeyDown}
      onFocusCapture={(event) => {
        const row = (event.target as HTMLElement).closest<HTMLElement>("[data-id]")?.dataset.id;
        if (row) setActive(row);
      }}
    >
      <ul role="list" aria-label={`Images of @${status.handle}`} style={{ height: `${rows.length * ROW}px` }}>
        {[...drawn].sort((a, b) => a - b).map((index) => rowAt(index, index === place))}
      </ul>
    </div>
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
  const name = row.note || "(no note)";
  const button = (what: "form" | "sky", word: string, short = word, dead = "") => (
    <button
      type="button"
      data-control={what}
      tabIndex={tabIndex}
      aria-expanded={is(what)}
      aria-busy={is(what, "opening")}
      aria-label={`${is(what) ? "Close" : word}: ${name}`}
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
      <Address url={url} data-control={control} tabIndex={tabIndex} aria-label={`${word} of ${name}`}>
        {word}
      </Address>
    );
  return (
    <li
      class={`cxw-image-row${opened.id === row.id && opened.phase !== "" ? " cxw-opened" : ""}`}
      style={{ top: `${place * ROW}px`, height: `${ROW}px` }}
      data-id={row.id}
      data-place={place}
      aria-setsize={count}
      aria-posinset={place + 1}
    >
      {pictures && <Thumbnail picture={pictureOf(row.id)} />}
      <div class="cxw-image-name">
        <bdi title={row.note}>{name}</bdi>
        <div class="cxw-quiet">
          {row.created && <time dateTime={row.created}>{TIME.format(new Date(row.created))}</time>} <code>{row.id}</code>
        </div>
      </div>
      <div class="cxw-row">
        {button("form", "Edit")}
        {button("sky", "Show on the sky", "Sky", row.url ? "" : "The record does not say where its pixels are")}
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
  if (!/^https?:\/\//i.test(thumbnail) || broken === thumbnail) return <span class="cxw-image-picture cxw-quiet">no picture</span>;
  return (
    <span class="cxw-image-picture">
      <img src={thumbnail} alt={alt} width={96} height={45} referrerPolicy="no-referrer" onError={() => setBroken(thumbnail)} />
    </span>
  );
}
