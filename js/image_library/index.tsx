// The image library: search, the grid, the image that is looked at, uploads.

import "../shared/theme.css";
import "./image_library.css";
import type { AnyModel } from "@anywidget/types";
import { render } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Comm } from "../shared/comm.ts";
import { mendHearing } from "../shared/hearing.ts";
import { keep, words } from "../shared/keepsake.ts";
import { useTrait, useUniqueId } from "../shared/mount.tsx";
import { Details, type Mode } from "./details.tsx";
import { sendFiles } from "./drop.ts";
import { Grid } from "./grid.tsx";
import { Picker } from "./picker.tsx";
import { counted, type Row, type State } from "./state.ts";
import { Thumbs } from "./thumbs.ts";
import { Uploads } from "./uploads.tsx";

interface LibraryProps {
  model: AnyModel;
  /** For what is answered at once. */
  comm: Comm;
  /** For what waits for the server. */
  slow: Comm;
  thumbs: Thumbs;
}

function Library({ model, comm, slow, thumbs }: LibraryProps) {
  const state = useTrait<State>(model, "state");
  const root = useRef<HTMLDivElement>(null);
  const [search, setSearch] = useState("");
  const [order, setOrder] = useState("name");
  const [found, setFound] = useState<number | null>(null);
  const [chosen, setChosen] = useState<Row | null>(null);
  const [mode, setMode] = useState<Mode>("closed");
  const [picking, setPicking] = useState(false);
  const [dragged, setDragged] = useState(false);
  const [silent, setSilent] = useState(false);
  const [fault, setFault] = useState("");
  const [called, setCalled] = useState<{ at: number | null } | null>(null);
  const [gone, setGone] = useState<ReadonlySet<string>>(new Set());
  useEffect(() => {
    comm.onSilence = setSilent;
    comm.ask("open").catch(() => {});
  }, [comm]);

  // Whoever signs in does so elsewhere, in what then goes away: the keyboard comes back to where it was needed.
  const wasOut = useRef(false);
  useEffect(() => {
    const lost = document.activeElement?.contains(root.current);
    if (wasOut.current && !state.signed_out && lost) {
      const field = root.current!.querySelector<HTMLElement>(".cxw-details input");
      if (field) field.focus();
      else setCalled({ at: null });
    }
    wasOut.current = state.signed_out !== "";
  }, [state.signed_out]);

  const refresh = () => void comm.ask("refresh").catch(() => {});
  const send = (files: File[]) => {
    setFault("");
    void sendFiles(comm, files).then((faults) => setFault(faults.join(" ")));
  };
  const choose = (row: Row | null) => {
    if (row?.id !== chosen?.id) setMode(mode === "open" ? "open" : "closed");
    setChosen(row);
  };
  /** Gives the keyboard to the image that was looked at, which may have another place under another name. */
  const toGrid = () =>
    void comm.ask("place", { image: chosen?.id, search, order }).then(
      ({ content }) => setCalled({ at: content.place as number | null }),
      () => {},
    );
  const onDrop = (event: DragEvent) => {
    event.preventDefault();
    setDragged(false);
    send([...(event.dataTransfer?.files ?? [])]);
  };

  return (
    <div
      ref={root}
      class="cxw-library"
      role="group"
      aria-label={`Image library at ${state.base_url}`}
      data-phase={state.phase}
      data-dragged={dragged}
      onDragOver={(event) => {
        if (!event.dataTransfer?.types.includes("Files")) return;
        event.preventDefault();
        setDragged(true);
      }}
      onDragLeave={(event) => {
        if (!root.current?.contains(event.relatedTarget as Node | null)) setDragged(false);
      }}
      onDrop={onDrop}
    >
      <Toolbar {...{ search, setSearch, order, setOrder, picking, refresh, send }} pick={() => setPicking(!picking)} />
      {silent && (
        <div class="cxw-notice" role="alert">
          The kernel does not answer: it may be busy. If it was restarted, run the cell again.
        </div>
      )}
      {state.signed_out && (
        <div class="cxw-notice" role="alert">
          {state.signed_out} Sign in below, or in Python: <code>library.sign_in(auth)</code>.{" "}
          <button type="button" onClick={refresh}>
            I have signed in: go on
          </button>
        </div>
      )}
      {fault && (
        <div class="cxw-notice" role="alert">
          {fault}
        </div>
      )}
      {picking && (
        <Picker
          comm={comm}
          close={() => {
            setPicking(false);
            root.current?.querySelector<HTMLElement>("[data-pick]")?.focus();
          }}
        />
      )}
      <Status state={state} search={search} found={found} refresh={refresh} leave={() => void comm.ask("leave").catch(() => {})} />
      <div key="middle" class="cxw-middle">
        <Grid
          {...{ comm, thumbs, state, chosen, choose, called, gone }}
          query={{ search, order }}
          act={(what) => setMode(what)}
          counted={setFound}
        />
        {chosen && (
          <Details
            comm={slow}
            {...{ mode, setMode }}
            revision={state.revision}
            image={chosen}
            leave={toGrid}
            deleted={() => {
              setMode("closed");
              setGone(new Set([...gone, chosen.id]));
              setChosen(null);
              if (found === 1) root.current?.querySelector<HTMLElement>('input[type="search"]')?.focus();
              else setCalled({ at: null });
            }}
          />
        )}
      </div>
      <Uploads comm={comm} uploads={state.uploads} />
      <p class="cxw-drop-here cxw-quiet">Files from this computer can be dropped here.</p>
    </div>
  );
}

interface ToolbarProps {
  search: string;
  setSearch(search: string): void;
  order: string;
  setOrder(order: string): void;
  picking: boolean;
  pick(): void;
  refresh(): void;
  send(files: File[]): void;
}

function Toolbar({ search, setSearch, order, setOrder, picking, pick, refresh, send }: ToolbarProps) {
  const id = useUniqueId();
  const files = useRef<HTMLInputElement>(null);
  return (
    <div class="cxw-row cxw-library-tools">
      <label for={`${id}-search`}>Search</label>
      <input
        id={`${id}-search`}
        type="search"
        placeholder="words of the name"
        value={search}
        onInput={(event) => setSearch(event.currentTarget.value)}
      />
      <label for={`${id}-order`}>Sort</label>
      <select id={`${id}-order`} value={order} onChange={(event) => setOrder(event.currentTarget.value)}>
        <option value="name">by name, A to Z</option>
        <option value="name-down">by name, Z to A</option>
        <option value="">as the server lists them</option>
      </select>
      <span class="cxw-space" />
      <button type="button" data-pick aria-expanded={picking} onClick={pick}>
        Upload from the kernel's disk …
      </button>
      <button type="button" onClick={() => files.current?.click()}>
        Upload from this computer …
      </button>
      <input
        ref={files}
        type="file"
        multiple
        hidden
        onChange={(event) => {
          send([...(event.currentTarget.files ?? [])]);
          event.currentTarget.value = "";
        }}
      />
      <button type="button" onClick={refresh}>
        List again
      </button>
    </div>
  );
}

interface StatusProps {
  state: State;
  search: string;
  found: number | null;
  refresh(): void;
  /** Does not wait any longer for the image that is being fetched. */
  leave(): void;
}

function Status({ state, search, found, refresh, leave }: StatusProps) {
  const all = counted(state.count, "image");
  const matching = search.trim() && found !== null ? `${found.toLocaleString("en")} of ${all}` : all;
  const listing = state.phase === "loading" || state.phase === "new";
  return (
    <>
      <div class="cxw-status" role="status">
        {listing && state.count === 0 ? "Listing the images …" : state.phase === "ready" || state.count > 0 ? matching : ""}
        {state.phase === "ready" && state.count === 0 && ". The library is empty: upload one."}
      </div>
      {state.busy && (
        <div class="cxw-row">
          <span role="status">{state.busy}</span>
          <button type="button" onClick={leave}>
            Cancel
          </button>
        </div>
      )}
      {state.phase === "failed" && !state.signed_out && (
        <div class="cxw-notice" role="alert">
          {state.message}{" "}
          <button type="button" onClick={refresh}>
            Try again
          </button>
        </div>
      )}
      {state.note && (
        <div class="cxw-notice" role="status">
          {state.note} {state.url && <code>{state.url}</code>}
        </div>
      )}
    </>
  );
}

export default {
  render({ model, el }: { model: AnyModel; el: HTMLElement }) {
    mendHearing(model);
    const comm = new Comm(model);
    const slow = new Comm(model);
    const forget = keep(model, () => words(`The image library at ${(model.get("state") as State).base_url}. Run the cell to see it.`));
    el.classList.add("cxw");
    el.dataset.lmSuppressShortcuts = "true";
    render(<Library {...{ model, comm, slow }} thumbs={new Thumbs(slow)} />, el);
    return () => {
      render(null, el);
      comm.close();
      slow.close();
      forget();
    };
  },
};
