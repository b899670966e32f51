// A handle's records as a list: searched in what is loaded, loaded on while it is scrolled; below it what was opened, as a widget of its own.

import "../ui/theme.css";
import "./handle_list.css";
import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { isolated } from "../foreign.ts";
import type { KernelLink } from "../kernel_link.ts";
import { useRedrawSoon, useSilence, useUniqueId } from "../mount.tsx";
import { plural } from "../numbers.ts";
import { useOpenedBelow } from "../opened_below.ts";
import { paragraph } from "../static_fallback.ts";
import { KernelGone, KernelSilent } from "../ui/kernel_notices.tsx";
import { List, type ListProps } from "./list.tsx";
import { RowStore } from "./rows.ts";
import { inWords, matching, type Row, type Status } from "./status.ts";

type Press = (what: string, of?: string) => void;

interface HandleListProps<R extends Row> extends Pick<ListProps<R>, "nameOf" | "before" | "about" | "controls"> {
  kernel: KernelLink;
  status: Status;
  /** One of the records: "image". */
  noun: string;
  /** The text of a row that a search covers, besides its id. */
  textOf: (row: R) => string;
  placeholder: string;
  /** What was opened, in words, by the kernel's way to open it. */
  openedText: (what: string) => string;
  /** Beside the title, behind “Refresh”. */
  actions?: (open: (what: string) => void) => ComponentChildren;
  /** Beside the search. */
  options?: ComponentChildren;
  /** These rows are in sight. */
  onSight?: (ids: string[]) => void;
}

/** What is opened below, or why it is not. */
function Opened({ status, noun, text, press }: { status: Status; noun: string; text: string; press: Press }) {
  const { phase, message } = status.opened;
  if (phase === "opening") return <p role="status">Loading the {noun} from the server …</p>;
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
      {phase === "open" && text}
    </p>
  );
}

export function HandleList<R extends Row>(props: HandleListProps<R>) {
  const { kernel, status, noun, textOf, onSight } = props;
  const soon = useRedrawSoon();
  const store = useMemo(() => new RowStore<R>(kernel, soon), [kernel, soon]);
  useEffect(() => store.expect(status.version, status.loaded), [store, status.version, status.loaded]);
  const root = useRef<HTMLDivElement>(null);
  const noteOpening = useOpenedBelow(root, status.opened);
  const press: Press = (what, of = "") => void kernel.request("do", { what, of }).catch(() => {});
  const silent = useSilence(kernel);
  const [search, setSearch] = useState("");
  const asked = useRef("");
  const id = useUniqueId();
  const rows = useMemo(() => matching(store.rows, search, textOf), [store.rows, search]);
  const more = status.total !== null && status.loaded < status.total;
  const loading = status.phase === "loading";
  const label = `${noun[0]!.toUpperCase()}${noun.slice(1)}s of @${isolated(status.handle)}`;

  const onRowsInSight = (ids: string[], nearTheEnd: boolean) => {
    onSight?.(ids);
    // A search covers the loaded rows and loads none. Each page is requested once.
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
  const open = (what: string, of: string) => {
    const { opened } = status;
    if (opened.id === of && opened.what === what && opened.phase === "open") press("close");
    else {
      noteOpening();
      press(what, of);
    }
  };

  return (
    <div ref={root} class="cxw-records" role="group" aria-label={label} data-phase={status.phase}>
      <KernelGone kernel={kernel} again={`to see the ${noun}s`} loses={false} />
      <KernelSilent silent={silent && !kernel.gone} />
      <div class="cxw-row">
        <b>
          {label.split("@")[0]}@<bdi>{status.handle}</bdi>
        </b>
        <span class="cxw-quiet">
          at <code>{status.api_url}</code>
        </span>
        <button type="button" disabled={loading} onClick={() => press("refresh")}>
          Refresh
        </button>
        {props.actions?.((what) => open(what, ""))}
      </div>
      <div class="cxw-row">
        <input
          type="search"
          aria-label={`Search loaded ${noun}s`}
          aria-describedby={id}
          placeholder={props.placeholder}
          value={search}
          onInput={(event) => setSearch(event.currentTarget.value)}
        />
        {props.options}
      </div>
      <div class="cxw-row">
        <span id={id} role="status">
          {inWords(status, noun, search, rows.length)}
        </span>
        {more && (
          <>
            <button type="button" disabled={loading} onClick={() => press("more")}>
              Load more
            </button>
            <button type="button" disabled={loading} onClick={() => press("all")}>
              Load all {plural(status.total ?? 0, noun)}
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
          label={label}
          nameOf={props.nameOf}
          before={props.before}
          about={props.about}
          controls={props.controls}
          onSight={onRowsInSight}
          open={open}
        />
      )}
      <Opened status={status} noun={noun} text={props.openedText(status.opened.what)} press={press} />
    </div>
  );
}

/** What a saved notebook shows in the list's place. */
export function fallbackOf({ handle, api_url, total }: Status, noun: string): Node {
  const many = total === null ? "" : ` It had ${plural(total, noun)} when this notebook was saved.`;
  return paragraph(`The ${noun}s of @${isolated(handle)} at ${api_url}.${many} Run the cell to see them.`);
}
