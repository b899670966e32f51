// Around the table: what has to be known, what an earlier kernel left, which rows are shown and chosen.

import { useEffect, useRef, useState } from "preact/hooks";
import type { DraftLink } from "../shared/draft_link.ts";
import { images, inWords, isBusy, progressOf, type Row, STATES, type Status } from "./status.ts";

const PAUSE = 5000; // milliseconds between two sentences of progress for those who listen

/** What has to be known, and progress for those who listen rather than look. */
export function Notices({ status, silent }: { status: Status; silent: boolean }) {
  return (
    <>
      <div class="cxw-hidden" role="status">
        <Spoken status={status} />
      </div>
      {silent && (
        <div class="cxw-notice" role="alert">
          The kernel has not answered for a while: it is busy, was restarted, or the connection is gone. The journal knows what was published: if this
          stays, run the cell again to go on.
        </div>
      )}
      {status.continued && isBusy(status) && (
        <div class="cxw-notice">An earlier run of this cell began this batch, and it goes on. Nothing is sent twice.</div>
      )}
    </>
  );
}

function Spoken({ status }: { status: Status }) {
  const { done, of } = progressOf(status);
  const now = status.phase === "sending" ? `${done} of ${images(of)} are done.` : status.phase === "at rest" ? `At rest: ${inWords(status.sent)}.` : "";
  const [said, setSaid] = useState("");
  const newest = useRef(now);
  newest.current = now;
  const sending = status.phase === "sending";
  useEffect(() => {
    setSaid(newest.current);
    if (!sending) return;
    const timer = setInterval(() => setSaid(newest.current), PAUSE);
    return () => clearInterval(timer);
  }, [sending]);
  return <>{said}</>;
}

/** What was typed into these images before a kernel ended: offered, never forced. */
export function Earlier({ draft, status }: { draft: DraftLink; status: Status }) {
  const { earlier } = status;
  if (!earlier || isBusy(status)) return null;
  return (
    <div class="cxw-notice" role="status">
      In an earlier session ({new Date(earlier.saved).toLocaleString()}) you set {earlier.fields.join(", ")} of {images(earlier.count)}.{" "}
      <button type="button" onClick={() => draft.send({ kind: "restore" })}>
        Use them again
      </button>{" "}
      <button type="button" onClick={() => draft.send({ kind: "forget" })}>
        Start afresh
      </button>
    </div>
  );
}

/** Whether a filter shows a row: a state, "problems", "decides", or "" for all. */
export function passes(row: Row, filter: string): boolean {
  if (filter === "") return true;
  if (filter === "decides") return row.decides || row.state === "undecided";
  if (filter === "problems") return !row.id && row.errors + row.warnings > 0;
  return row.state === filter;
}

interface FilterProps {
  rows: Row[];
  shown: number[];
  filter: string;
  setFilter: (filter: string) => void;
  web: boolean;
  setWeb: (on: boolean) => void;
  choose: (numbers: number[], on: boolean) => void;
  status: Status;
}

export function Filters({ rows, shown, filter, setFilter, web, setWeb, choose, status }: FilterProps) {
  const open = shown.filter((number) => !rows[number]!.id);
  const chosen = open.filter((number) => rows[number]!.chosen).length;
  const count = (key: string) => rows.filter((row) => row && passes(row, key)).length;
  const states = Object.entries(STATES).filter(([state]) => state !== "undecided"); // of which some may be ticked by now
  const choices = [["", "all"], ["problems", "with problems"], ["decides", "to decide"], ...states] as [string, string][];
  return (
    <div class="cxw-row cxw-filters">
      <label>
        <input
          type="checkbox"
          checked={open.length > 0 && chosen === open.length}
          disabled={isBusy(status) || open.length === 0}
          ref={(element) => {
            if (element) element.indeterminate = chosen > 0 && chosen < open.length;
          }}
          onChange={(event) => choose(open, event.currentTarget.checked)}
        />{" "}
        {images(status.open)} chosen
      </label>
      <span role="group" aria-label="Rows that are shown" class="cxw-row">
        {choices.map(
          ([key, word]) =>
            count(key) > 0 && (
              <button key={key} type="button" aria-pressed={key === filter} onClick={() => setFilter(key)}>
                {word} {count(key).toLocaleString("en")}
              </button>
            ),
        )}
      </span>
      {rows.some((row) => row && !row.local && /^https?:/i.test(row.web)) && (
        <label title="Your browser asks the servers that the drafts name. They learn that somebody looks.">
          <input type="checkbox" checked={web} onChange={(event) => setWeb(event.currentTarget.checked)} /> thumbnails from the web
        </label>
      )}
    </div>
  );
}
