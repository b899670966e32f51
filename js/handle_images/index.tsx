// A handle's images: searched in what is loaded, loaded on while it is scrolled; below it what was opened, as a widget of its own.

import "../shared/theme.css";
import "./handle_images.css";
import { useEffect, useMemo, useReducer, useRef, useState } from "preact/hooks";
import { Comm } from "../shared/comm.ts";
import { words } from "../shared/keepsake.ts";
import { Gone, useDraft, useTrait, useUniqueId, type ViewProps, widgetOf } from "../shared/mount.tsx";
import { List } from "./list.tsx";
import { RowStore } from "./rows.ts";
import { images, inWords, matching, type Status } from "./status.ts";

function useRows({ model }: ViewProps, status: Status) {
  const [, redraw] = useReducer<number, void>((count) => count + 1, 0);
  const [silent, setSilent] = useState(false);
  const { comm, store } = useMemo(() => {
    let waiting = 0;
    const soon = () => void (waiting ||= requestAnimationFrame(() => redraw((waiting = 0) as unknown as void)));
    const comm = new Comm(model);
    comm.onSilence = setSilent;
    return { comm, store: new RowStore(comm, soon) };
  }, [model]);
  useEffect(() => () => comm.close(), [comm]);
  useEffect(() => store.expect(status.version, status.loaded), [store, status.version, status.loaded]);
  const press = (what: string, of = "") => void comm.ask("do", { what, of }).catch(() => {});
  return { store, press, silent };
}

/** What is opened below, or why it is not. */
function Opened({ status, press }: { status: Status; press: (what: string) => void }) {
  const { what, phase, message } = status.opened;
  if (phase === "opening") return <p role="status">Reading the image from the server …</p>;
  if (phase === "failed") {
    return (
      <div class="cxw-notice" role="alert">
        {message}{" "}
        <button type="button" onClick={() => press("close")}>
          Close
        </button>
      </div>
    );
  }
  return <p class="cxw-hidden" role="status">{phase === "open" && (what === "form" ? "The form is open below the list." : "The sky is open below the list.")}</p>;
}

function HandleImages(view: ViewProps) {
  const { model, draft } = view;
  useDraft(draft);
  const status = useTrait<Status>(model, "status");
  const { store, press, silent } = useRows(view, status);
  const [search, setSearch] = useState("");
  const [pictures, setPictures] = useState(status.pictures);
  const asked = useRef("");
  const id = useUniqueId();
  const rows = useMemo(() => matching(store.rows, search), [store.rows, search]);
  const more = status.total !== null && status.loaded < status.total;
  const loading = status.phase === "loading";

  const onSight = (ids: string[], nearTheEnd: boolean) => {
    if (pictures) store.want(ids);
    // A search looks at what is here: it loads nothing by itself. Each page is asked for once.
    const page = `${status.version} ${status.loaded}`;
    if (nearTheEnd && more && status.phase === "idle" && search.trim() === "" && store.rows.length === status.loaded && asked.current !== page) {
      asked.current = page;
      press("more");
    }
  };
  const open = (what: "form" | "sky", of: string) => {
    const { opened } = status;
    if (opened.id === of && opened.what === what && opened.phase === "open") press("close");
    else press(what, of);
  };

  return (
    <div class="cxw-images" role="group" aria-label={`Images of @${status.handle}`} data-phase={status.phase}>
      <Gone draft={draft} offers={false} />
      {silent && !draft.gone && (
        <div class="cxw-notice" role="alert">
          The kernel does not answer: it may be busy with another cell. If it was restarted, run the cell again.
        </div>
      )}
      <div class="cxw-row">
        <b>
          Images of @<bdi>{status.handle}</bdi>
        </b>
        <span class="cxw-quiet">
          at <code>{status.api_url}</code>
        </span>
        <button type="button" disabled={loading} onClick={() => press("refresh")}>
          Refresh
        </button>
      </div>
      <div class="cxw-row">
        <input
          type="search"
          aria-label="Search in what is loaded"
          aria-describedby={id}
          placeholder="Search in notes, addresses and ids"
          value={search}
          onInput={(event) => setSearch(event.currentTarget.value)}
        />
        <label title="The kernel reads the record of each image in sight, and your browser loads its thumbnail from the server that it names. They learn that somebody looks.">
          <input type="checkbox" checked={pictures} onChange={(event) => setPictures(event.currentTarget.checked)} /> pictures, from the web
        </label>
      </div>
      <div class="cxw-row">
        <span id={id} role="status">
          {inWords(status, search, rows.length)}
        </span>
        {more && (
          <>
            <button type="button" disabled={loading} onClick={() => press("more")}>
              Load more
            </button>
            <button type="button" disabled={loading} onClick={() => press("all")}>
              Load all {images(status.total ?? 0)}
            </button>
          </>
        )}
      </div>
      {status.phase === "failed" && (
        <div class="cxw-notice" role="alert">
          {status.message}{" "}
          <button type="button" onClick={() => press("more")}>
            Try again
          </button>
        </div>
      )}
      {rows.length > 0 && <List rows={rows} status={status} pictures={pictures} pictureOf={(row) => store.pictureOf(row)} onSight={onSight} open={open} />}
      <Opened status={status} press={press} />
    </div>
  );
}

function keepsake({ model }: ViewProps): Node {
  const { handle, api_url, total } = model.get("status") as Status;
  const many = total === null ? "" : ` It had ${images(total)} when this notebook was saved.`;
  return words(`The images of @${handle} at ${api_url}.${many} Run the cell to see them.`);
}

export default widgetOf(HandleImages, keepsake);
