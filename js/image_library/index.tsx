// The image library: search, the grid, the selected image, uploads.

import "../shared/ui/theme.css";
import "./image_library.css";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { LibraryIndexResponse } from "../protocol.ts";
import { isolated } from "../shared/foreign.ts";
import type { KernelLink } from "../shared/kernel_link.ts";
import { useSilence, useTrait, useUniqueId, type ViewProps, widgetOf } from "../shared/mount.tsx";
import { count, plural } from "../shared/numbers.ts";
import { paragraph } from "../shared/static_fallback.ts";
import { KernelGone, KernelSilent } from "../shared/ui/kernel_notices.tsx";
import { Details, type Mode } from "./details.tsx";
import { sendFiles } from "./drop.ts";
import { Grid } from "./grid.tsx";
import { Picker } from "./picker.tsx";
import type { Row, State } from "./state.ts";
import { Thumbs } from "./thumbs.ts";
import { Uploads } from "./uploads.tsx";

/** A link for requests that wait for the server, and the thumbnails that come over it. */
function useServer(kernel: KernelLink): { slow: KernelLink; thumbs: Thumbs } {
  const server = useMemo(() => {
    const slow = kernel.fork();
    return { slow, thumbs: new Thumbs(slow) };
  }, [kernel]);
  useEffect(() => () => server.slow.close(), [server]);
  return server;
}

function Library({ kernel }: ViewProps) {
  const { slow, thumbs } = useServer(kernel);
  const state = useTrait<State>(kernel, "state");
  const root = useRef<HTMLDivElement>(null);
  const [search, setSearch] = useState("");
  const [order, setOrder] = useState("name");
  const [found, setFound] = useState<number | null>(null);
  const [chosen, setChosen] = useState<Row | null>(null);
  const [mode, setMode] = useState<Mode>("closed");
  const [picking, setPicking] = useState(false);
  const [dragged, setDragged] = useState(false);
  const silent = useSilence(kernel);
  const [fault, setFault] = useState("");
  const [called, setCalled] = useState<{ at: number | null } | null>(null);
  const [gone, setGone] = useState<ReadonlySet<string>>(new Set());
  useEffect(() => {
    kernel.request("open").catch(() => {});
  }, [kernel]);

  // Signing in happens in a widget that then disappears: the focus comes back to where it was needed.
  const wasOut = useRef(false);
  useLayoutEffect(() => {
    const lost = document.activeElement?.contains(root.current);
    if (wasOut.current && !state.signed_out && lost) {
      const field = root.current!.querySelector<HTMLElement>(".cxw-details input");
      if (field) field.focus();
      else setCalled({ at: null });
    }
    wasOut.current = state.signed_out !== "";
  }, [state.signed_out]);

  const refresh = () => void kernel.request("refresh").catch(() => {});
  const send = (files: File[]) => {
    setFault("");
    void sendFiles(kernel, files).then((faults) => setFault(faults.join(" ")));
  };
  const choose = (row: Row | null) => {
    if (row?.id !== chosen?.id) setMode(mode === "open" ? "open" : "closed");
    setChosen(row);
  };
  /** Move the focus to the selected image, which may have moved after it was renamed. */
  const toGrid = () =>
    void kernel.request<LibraryIndexResponse>("index", { image: chosen?.id, search, order }).then(
      ({ content }) => setCalled({ at: content.index }),
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
      aria-label={`Image library at ${isolated(state.base_url)}`}
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
      <KernelGone kernel={kernel} again="to see the library" loses={false} />
      <KernelSilent silent={silent && !kernel.gone} />
      {state.signed_out && (
        <div class="cxw-notice" role="alert">
          <bdi>{state.signed_out}</bdi> Sign in below, or in Python: <code>library.sign_in(auth)</code>.{" "}
          <button type="button" onClick={refresh}>
            Continue
          </button>
        </div>
      )}
      {fault && (
        <div class="cxw-notice" role="alert">
          <bdi>{fault}</bdi>
        </div>
      )}
      {picking && (
        <Picker
          kernel={kernel}
          close={() => {
            setPicking(false);
            root.current?.querySelector<HTMLElement>("[data-pick]")?.focus();
          }}
        />
      )}
      <Status
        state={state}
        search={search}
        found={found}
        refresh={refresh}
        cancel={() => void kernel.request("cancel").catch(() => {})}
      />
      <div key="middle" class="cxw-middle">
        <Grid
          {...{ kernel, thumbs, state, chosen, choose, called, gone }}
          query={{ search, order }}
          act={(what) => setMode(what)}
          counted={setFound}
        />
        {chosen && (
          <Details
            kernel={slow}
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
      <Uploads kernel={kernel} uploads={state.uploads} />
      <p class="cxw-drop-here cxw-quiet">Drop files here to upload them.</p>
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
        placeholder="Words in the name"
        value={search}
        onInput={(event) => setSearch(event.currentTarget.value)}
      />
      <label for={`${id}-order`}>Sort</label>
      <select id={`${id}-order`} value={order} onChange={(event) => setOrder(event.currentTarget.value)}>
        <option value="name">Name, A to Z</option>
        <option value="name-down">Name, Z to A</option>
        <option value="">Server order</option>
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
        Refresh
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
  cancel(): void;
}

function Status({ state, search, found, refresh, cancel }: StatusProps) {
  const all = plural(state.count, "image");
  const matching = search.trim() && found !== null ? `${count(found)} of ${all}` : all;
  const listing = state.phase === "loading" || state.phase === "new";
  return (
    <>
      <div class="cxw-status" role="status">
        {listing && state.count === 0 ? "Loading images …" : state.phase === "ready" || state.count > 0 ? matching : ""}
        {state.phase === "ready" && state.count === 0 && ". Upload an image to begin."}
      </div>
      {state.busy && (
        <div class="cxw-row">
          <bdi role="status">{state.busy}</bdi>
          <button type="button" onClick={cancel}>
            Cancel
          </button>
        </div>
      )}
      {state.phase === "failed" && !state.signed_out && (
        <div class="cxw-notice" role="alert">
          <bdi>{state.message}</bdi>{" "}
          <button type="button" onClick={refresh}>
            Retry
          </button>
        </div>
      )}
      {state.note && (
        <div class="cxw-notice" role="status">
          <bdi>{state.note}</bdi> {state.url && <code>{state.url}</code>}
        </div>
      )}
    </>
  );
}

export default widgetOf(Library, ({ kernel }) =>
  paragraph(`The image library at ${isolated(kernel.trait<State>("state").base_url)}. Run the cell to see it.`),
);
