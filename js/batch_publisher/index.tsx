// Many images: a table of drafts, fields that they share, what would happen, progress, receipts.

import "../shared/theme.css";
import "./batch_publisher.css";
import { useEffect, useMemo, useReducer, useRef, useState } from "preact/hooks";
import { Comm } from "../shared/comm.ts";
import { useFollowingFocus } from "../shared/follow_focus.ts";
import { type LeftoversState, LeftoversView } from "../shared/leftovers.tsx";
import { Gone, useDraft, useTrait, type ViewProps, widgetOf } from "../shared/mount.tsx";
import { Earlier, Filters, Notices, passes } from "./around.tsx";
import { keepsake } from "./keepsake.ts";
import { AtRest, Receipts, Start, UnderWay } from "./progress.tsx";
import { ReviewView } from "./review.tsx";
import { RowStore } from "./rows.ts";
import { SharedFields } from "./shared_fields.tsx";
import { isBusy, type Row, type Status } from "./status.ts";
import { Table } from "./table.tsx";
import { Thumbnails } from "./thumbnails.ts";

const STILL_THERE = 4000; // milliseconds after which a kernel that works is asked whether it is there

/** The rows that the page knows, for the keepsake. */
const rowsOf = new WeakMap<object, Row[]>();

function useRows({ model, draft }: ViewProps, status: Status) {
  const [, redraw] = useReducer<number, void>((count) => count + 1, 0);
  const [silent, setSilent] = useState(false);
  const { comm, store, thumbnails } = useMemo(() => {
    let waiting = 0;
    const soon = () => {
      waiting ||= requestAnimationFrame(() => {
        waiting = 0;
        redraw();
      });
    };
    const comm = new Comm(model);
    comm.onSilence = setSilent;
    const store = new RowStore(comm, soon);
    rowsOf.set(model, store.rows);
    return { comm, store, thumbnails: new Thumbnails(comm, soon) };
  }, [model]);
  useEffect(() => {
    void store.load();
    return () => comm.close();
  }, [comm, store]);
  useEffect(() => store.expect(status.news), [store, status.news]);
  const heard = status.heard[draft.client] ?? 0;
  useEffect(() => store.settle(heard), [store, heard]);
  const busy = isBusy(status);
  useEffect(() => {
    if (!busy) return;
    const timer = setInterval(() => comm.ask("alive").catch(() => {}), STILL_THERE);
    return () => clearInterval(timer);
  }, [comm, busy]);
  const ask = useMemo(() => (kind: string, content: Record<string, unknown>) => comm.ask(kind, content), [comm]);
  return { store, thumbnails, ask, silent };
}

function BatchPublisher(view: ViewProps) {
  const { model, draft } = view;
  useDraft(draft);
  const told = useTrait<Status>(model, "status");
  const leftovers = useTrait<LeftoversState>(model, "leftovers");
  const titles = useTrait<Record<string, string>>(model, "titles");
  const { store, thumbnails, ask, silent } = useRows(view, told);
  const [wanted, setFilter] = useState("");
  const [web, setWeb] = useState(false);
  const steps = useRef<HTMLDivElement>(null);
  const clicks = useRef(0);
  useFollowingFocus(steps, told.phase);

  const rows = store.rows;
  const filter = rows.some((row) => row && passes(row, wanted)) ? wanted : ""; // what it showed may have gone on
  const shown = store.complete ? rows.filter((row) => row && passes(row, filter)).map((row) => row.i) : [];
  const status = store.complete ? { ...told, open: rows.filter((row) => row.chosen && !row.id).length } : told;
  const tell = (kind: string, numbers: number[], on: boolean, change: Partial<Row>) => {
    clicks.current += 1;
    draft.send({ kind, rows: numbers, on, page: draft.client, click: clicks.current });
    store.set(numbers, change, clicks.current);
  };
  const choose = (numbers: number[], on: boolean) => tell("choose", numbers, on, { chosen: on });
  const decide = (numbers: number[], on: boolean) => tell("decide", numbers, on, { anyway: on });
  const decideAll = (on: boolean) => decide(rows.flatMap((row) => (row.decides ? [row.i] : [])), on);
  const anyway = rows.filter((row) => row?.decides && row.anyway).length;
  const props = { draft, status };
  return (
    <div class="cxw-batch" role="group" aria-label={`Publish ${status.total} images`} data-phase={status.phase}>
      <Gone draft={draft} />
      <LeftoversView state={leftovers} send={(message) => draft.send(message)} />
      <Notices status={status} silent={silent && !draft.gone} />
      <Earlier {...props} />
      <SharedFields model={model} {...props} />
      <Filters rows={rows} shown={shown} filter={filter} setFilter={setFilter} web={web} setWeb={setWeb} choose={choose} status={status} />
      {store.complete ? (
        <Table
          rows={rows}
          shown={shown}
          titles={titles}
          thumbnails={thumbnails}
          web={web}
          editable={!isBusy(status)}
          ask={ask}
          send={(message) => draft.send(message)}
          choose={choose}
          decide={decide}
        />
      ) : (
        <p class="cxw-quiet">Asking the kernel for the rows …</p>
      )}
      {status.message && (
        <div class="cxw-notice cxw-told" role="alert">
          {status.message}
        </div>
      )}
      <div ref={steps}>
        {status.phase === "editing" && <Start {...props} />}
        {status.phase === "review" && <ReviewView {...props} titles={titles} anyway={anyway} decideAll={decideAll} show={setFilter} />}
        {isBusy(status) && <UnderWay {...props} />}
        {status.phase === "at rest" && <AtRest {...props} />}
      </div>
      <Receipts {...props} />
    </div>
  );
}

export default widgetOf(BatchPublisher, ({ model }) => keepsake(model.get("status") as Status, rowsOf.get(model) ?? []));
