// Around the table: notices, unsaved edits of an earlier kernel, filters and selection.

import { useEffect, useRef, useState } from "preact/hooks";
import { isOfTheWeb } from "../shared/reach.ts";
import { KernelSilent } from "../shared/ui/kernel_notices.tsx";
import { images, inWords, isBusy, type PartProps, progressOf, type Row, STATES, type Status } from "./status.ts";

const PAUSE = 5000; // milliseconds between two announcements for screen readers

/** Notices, and progress for screen readers. */
export function Notices({ status, silent }: { status: Status; silent: boolean }) {
  return (
    <>
      <div class="cxw-hidden" role="status">
        <Spoken status={status} />
      </div>
      <KernelSilent silent={silent}> to continue: the journal knows what was published</KernelSilent>
      {status.continued && isBusy(status) && (
        <div class="cxw-notice">
          This batch was started by an earlier run of the cell and continues. Nothing is sent twice.
        </div>
      )}
    </>
  );
}

function Spoken({ status }: { status: Status }) {
  const { done, of } = progressOf(status);
  const now =
    status.phase === "sending"
      ? `${done} of ${images(of)} are finished.`
      : status.phase === "ended"
        ? `${status.sent.waiting ? "Stopped" : "Finished"}: ${inWords(status.sent)}.`
        : "";
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

/** Unsaved edits of an earlier kernel: offered, never applied without a click. */
export function Earlier({ draft, status }: PartProps) {
  const { earlier } = status;
  if (!earlier || isBusy(status)) return null;
  return (
    <div class="cxw-notice" role="status">
      Unsaved edits from {new Date(earlier.saved).toLocaleString()}: {earlier.fields.join(", ")} of{" "}
      {images(earlier.count)}.{" "}
      <button type="button" onClick={() => draft.send({ kind: "restore" })}>
        Restore
      </button>{" "}
      <button type="button" onClick={() => draft.send({ kind: "discard" })}>
        Discard
      </button>
    </div>
  );
}

/** Whether a filter shows a row: a state, "problems", "needs_review", or "" for all. */
export function passes(row: Row, filter: string): boolean {
  if (filter === "") return true;
  if (filter === "needs_review") return row.needs_review || row.state === "undecided";
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
  const choices = [["", "all"], ["problems", "with problems"], ["needs_review", "needs review"], ...states] as [
    string,
    string,
  ][];
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
        {images(status.open)} selected
      </label>
      <span role="group" aria-label="Show rows" class="cxw-row">
        {choices.map(
          ([key, word]) =>
            count(key) > 0 && (
              <button key={key} type="button" aria-pressed={key === filter} onClick={() => setFilter(key)}>
                {word} {count(key).toLocaleString("en")}
              </button>
            ),
        )}
      </span>
      {rows.some((row) => row && !row.local && isOfTheWeb(row.web)) && (
        <label title="Your browser loads thumbnails from the servers named in the drafts; those servers can log the request.">
          <input type="checkbox" checked={web} onChange={(event) => setWeb(event.currentTarget.checked)} /> Load
          thumbnails from the web
        </label>
      )}
    </div>
  );
}
