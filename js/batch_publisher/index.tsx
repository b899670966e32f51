// Many images: a table of drafts, shared fields, review, progress, receipts.

import "../shared/ui/theme.css";
import "./batch_publisher.css";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { PendingState } from "../protocol.ts";
import type { DraftLink } from "../shared/draft_link.ts";
import { type DraftViewProps, draftWidgetOf, useDraft, useRedrawSoon, useSilence, useTrait } from "../shared/mount.tsx";
import { PendingAttemptsView } from "../shared/pending_attempts.tsx";
import { useFollowingFocus } from "../shared/ui/follow_focus.ts";
import { KernelGone } from "../shared/ui/kernel_notices.tsx";
import { Earlier, Filters, Notices, passes } from "./around.tsx";
import { Metadata } from "./metadata.tsx";
import { Positions } from "./positions.tsx";
import { AtRest, Receipts, Start, UnderWay } from "./progress.tsx";
import { ReviewView } from "./review.tsx";
import { RowFormHead } from "./row_form.tsx";
import { RowStore } from "./rows.ts";
import { SharedFields } from "./shared_fields.tsx";
import { staticFallback } from "./static_fallback.ts";
import { isBusy, type Row, type Status } from "./status.ts";
import { Table } from "./table.tsx";
import { Thumbnails } from "./thumbnails.ts";
import { Uploads } from "./uploads.tsx";

const STILL_THERE = 4000; // milliseconds between checks whether a busy kernel responds

/** The rows that the page has, for the static fallback. */
const rowsOf = new WeakMap<object, Row[]>();

function useRows(draft: DraftLink, status: Status) {
  const { kernel } = draft;
  const soon = useRedrawSoon();
  const { store, thumbnails } = useMemo(() => {
    const store = new RowStore(kernel, draft.client, soon);
    rowsOf.set(kernel, store.rows);
    return { store, thumbnails: new Thumbnails(kernel, soon) };
  }, [kernel, draft, soon]);
  useEffect(() => void store.load(), [store]);
  useEffect(() => store.expect(status.revision), [store, status.revision]);
  const acknowledged = status.acknowledged[draft.client] ?? 0;
  useEffect(() => store.acknowledge(acknowledged), [store, acknowledged]);
  const busy = isBusy(status);
  useEffect(() => {
    if (!busy) return;
    const timer = setInterval(() => kernel.request("alive").catch(() => {}), STILL_THERE);
    return () => clearInterval(timer);
  }, [kernel, busy]);
  return { store, thumbnails };
}

function BatchPublisher({ draft }: DraftViewProps) {
  const { kernel } = draft;
  useDraft(draft);
  const told = useTrait<Status>(kernel, "status");
  const pending = useTrait<PendingState>(kernel, "pending_attempts");
  const titles = useTrait<Record<string, string>>(kernel, "titles");
  const { store, thumbnails } = useRows(draft, told);
  const silent = useSilence(kernel);
  const [wanted, setFilter] = useState("");
  const [web, setWeb] = useState(false);
  const steps = useRef<HTMLDivElement>(null);
  useFollowingFocus(steps, told.phase);

  const rows = store.rows;
  const filter = rows.some((row) => row && passes(row, wanted)) ? wanted : ""; // its rows may have changed state
  const shown = store.complete ? rows.filter((row) => row && passes(row, filter)).map((row) => row.i) : [];
  const status = store.complete ? { ...told, open: rows.filter((row) => row.chosen && !row.id).length } : told;
  const choose = (numbers: number[], on: boolean) => store.click("choose", numbers, on);
  const decide = (numbers: number[], on: boolean) => store.click("decide", numbers, on);
  const decideAll = (on: boolean) =>
    decide(
      rows.flatMap((row) => (row.needs_review ? [row.i] : [])),
      on,
    );
  const anyway = rows.filter((row) => row?.needs_review && row.anyway).length;
  const props = { draft, status };
  return (
    <div class="cxw-batch" role="group" aria-label={`Publish ${status.total} images`} data-phase={status.phase}>
      <KernelGone kernel={kernel} />
      <PendingAttemptsView state={pending} send={(message) => draft.send(message)} />
      <Notices status={status} silent={silent && !draft.gone} />
      <Earlier {...props} />
      <Metadata {...props} />
      <SharedFields {...props} />
      <Filters
        rows={rows}
        shown={shown}
        filter={filter}
        setFilter={setFilter}
        web={web}
        setWeb={setWeb}
        choose={choose}
        status={status}
      />
      {store.complete ? (
        <Table
          rows={rows}
          shown={shown}
          titles={titles}
          thumbnails={thumbnails}
          web={web}
          editable={!isBusy(status)}
          kernel={kernel}
          choose={choose}
          decide={decide}
          edited={status.edited}
          edits={status.edits}
          edit={(row) => draft.send({ kind: "edit_row", row })}
        />
      ) : (
        <p class="cxw-quiet">Loading rows …</p>
      )}
      {status.message && (
        <div class="cxw-notice cxw-told" role="alert">
          <bdi>{status.message}</bdi>
        </div>
      )}
      <Positions {...props} rows={rows} thumbnails={thumbnails} />
      <div ref={steps}>
        {status.phase === "editing" && <Uploads draft={draft} />}
        {status.phase === "editing" && <Start {...props} />}
        {status.phase === "review" && (
          <ReviewView {...props} titles={titles} anyway={anyway} decideAll={decideAll} show={setFilter} />
        )}
        {isBusy(status) && <UnderWay {...props} />}
        {status.phase === "ended" && <AtRest {...props} />}
      </div>
      <Receipts {...props} />
      <RowFormHead {...props} rows={rows} shown={shown} />
    </div>
  );
}

export default draftWidgetOf(BatchPublisher, ({ draft: { kernel } }) =>
  staticFallback(kernel.trait<Status>("status"), rowsOf.get(kernel) ?? []),
);
