// A handle's images: searched in what is loaded, loaded on while it is scrolled; below it what was opened, as a widget of its own.

import "../shared/ui/theme.css";
import "./handle_images.css";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { isolated } from "../shared/foreign.ts";
import type { KernelLink } from "../shared/kernel_link.ts";
import { useRedrawSoon, useSilence, useTrait, useUniqueId, type ViewProps, widgetOf } from "../shared/mount.tsx";
import { paragraph } from "../shared/static_fallback.ts";
import { KernelGone, KernelSilent } from "../shared/ui/kernel_notices.tsx";
import { List } from "./list.tsx";
import { RowStore } from "./rows.ts";
import { images, inWords, matching, type Status } from "./status.ts";

function useRows(kernel: KernelLink, status: Status) {
  const soon = useRedrawSoon();
  const store = useMemo(() => new RowStore(kernel, soon), [kernel, soon]);
  useEffect(() => store.expect(status.version, status.loaded), [store, status.version, status.loaded]);
  const press = (what: string, of = "") => void kernel.request("do", { what, of }).catch(() => {});
  return { store, press };
}

/** What is opened below, or why it is not. */
function Opened({ status, press }: { status: Status; press: (what: string) => void }) {
  const { what, phase, message } = status.opened;
  if (phase === "opening") return <p role="status">Loading the image from the server …</p>;
  if (phase === "failed") {
    return (
      <div class="cxw-notice" role="alert">
        <bdi>{message}</bdi>{" "}
        <button type="button" onClick={() => press("close")}>
          Close
        </button>
      </div>
    );
  }
  return (
    <p class="cxw-hidden" role="status">
      {phase === "open" && (what === "form" ? "The form is open below the list." : "The sky is open below the list.")}
    </p>
  );
}

function HandleImages({ kernel }: ViewProps) {
  const status = useTrait<Status>(kernel, "status");
  const { store, press } = useRows(kernel, status);
  const silent = useSilence(kernel);
  const [search, setSearch] = useState("");
  const [pictures, setPictures] = useState(status.pictures);
  const asked = useRef("");
  const id = useUniqueId();
  const rows = useMemo(() => matching(store.rows, search), [store.rows, search]);
  const more = status.total !== null && status.loaded < status.total;
  const loading = status.phase === "loading";

  const onSight = (ids: string[], nearTheEnd: boolean) => {
    if (pictures) store.want(ids);
    // A search covers the loaded images and loads none. Each page is requested once.
    const page = `${status.version} ${status.loaded}`;
    if (
      nearTheEnd &&
      more &&
      status.phase === "idle" &&
      search.trim() === "" &&
      store.rows.length === status.loaded &&
      asked.current !== page
    ) {
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
    <div class="cxw-images" role="group" aria-label={`Images of @${isolated(status.handle)}`} data-phase={status.phase}>
      <KernelGone kernel={kernel} again="to see the images" loses={false} />
      <KernelSilent silent={silent && !kernel.gone} />
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
          aria-label="Search loaded images"
          aria-describedby={id}
          placeholder="Search titles, addresses and ids"
          value={search}
          onInput={(event) => setSearch(event.currentTarget.value)}
        />
        <label title="The kernel reads the record of each image in view, and your browser loads its thumbnail from the server named there; these servers can log the request.">
          <input type="checkbox" checked={pictures} onChange={(event) => setPictures(event.currentTarget.checked)} />{" "}
          Load thumbnails from the web
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
          <bdi>{status.message}</bdi>{" "}
          <button type="button" onClick={() => press("more")}>
            Retry
          </button>
        </div>
      )}
      {rows.length > 0 && (
        <List
          rows={rows}
          status={status}
          pictures={pictures}
          pictureOf={(row) => store.pictureOf(row)}
          onSight={onSight}
          open={open}
        />
      )}
      <Opened status={status} press={press} />
    </div>
  );
}

function staticFallback({ kernel }: ViewProps): Node {
  const { handle, api_url, total } = kernel.trait<Status>("status");
  const many = total === null ? "" : ` It had ${images(total)} when this notebook was saved.`;
  return paragraph(`The images of @${isolated(handle)} at ${api_url}.${many} Run the cell to see them.`);
}

export default widgetOf(HandleImages, staticFallback);
