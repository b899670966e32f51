// "Find position": the kernel searches the image's place by its stars; it is taken only by a click.

import { useRef, useState } from "preact/hooks";
import type { FoundPosition, SolvingState } from "../protocol.ts";
import type { DraftLink } from "../shared/draft_link.ts";
import { Facts, Hints, Offer } from "../shared/finder.tsx";
import { type DraftViewProps, useTrait, useUniqueId } from "../shared/mount.tsx";
import { useKeptFocus } from "../shared/ui/follow_focus.ts";

export function FindPosition({ draft, disabled }: DraftViewProps & { disabled: boolean }) {
  const solving = useTrait<SolvingState | Record<string, never> | undefined>(draft.kernel, "solving");
  if (!solving?.phase) return null;
  return <Finder draft={draft} solving={solving as SolvingState} disabled={disabled} />;
}

function Finder({ draft, solving, disabled }: { draft: DraftLink; solving: SolvingState; disabled: boolean }) {
  const send = (kind: string) => () => draft.send({ kind });
  const root = useRef<HTMLElement>(null);
  useKeptFocus(root);
  return (
    <section ref={root} class="cxw-finder" aria-label="Find position">
      {solving.phase === "running" ? (
        <Running solving={solving} cancel={send("solve_cancel")} />
      ) : solving.phase === "found" && solving.found ? (
        <Found
          found={solving.found}
          disabled={disabled}
          accept={send("solve_accept")}
          discard={send("solve_discard")}
        />
      ) : (
        <Start draft={draft} solving={solving} disabled={disabled} undo={send("solve_undo")} />
      )}
    </section>
  );
}

interface StartProps {
  draft: DraftLink;
  solving: SolvingState;
  disabled: boolean;
  undo: () => void;
}

function Start({ draft, solving, disabled, undo }: StartProps) {
  const id = useUniqueId();
  const [near, setNear] = useState(solving.near);
  const [width, setWidth] = useState(solving.width);
  const blocked = disabled || solving.blocked !== "";
  const send = (online: boolean, key = "") => {
    draft.send({ kind: "solve", near, width, ...(online && { online }), ...(key && { key }) });
  };
  return (
    <>
      <div class="cxw-finder-row">
        <button
          type="button"
          data-focus
          disabled={blocked}
          aria-describedby={`${id}-about`}
          onClick={() => send(false)}
        >
          Find position
        </button>
        <Hints near={near} setNear={setNear} width={width} setWidth={setWidth} disabled={blocked} />
      </div>
      <p id={`${id}-about`} class="cxw-quiet cxw-help">
        {solving.blocked ||
          "By the image's stars, on this machine; nothing is sent. Hints make it fast: a position or an object such as M 51, and the width."}
      </p>
      {solving.message && (
        <p class={solving.phase === "failed" ? "cxw-problem cxw-warning" : ""} role="status">
          <span>
            <bdi>{solving.message}</bdi>{" "}
            {solving.phase === "accepted" && (
              <button type="button" class="cxw-fix" disabled={disabled} onClick={undo}>
                Undo
              </button>
            )}
          </span>
        </p>
      )}
      <Offer {...solving} disabled={blocked} download={() => draft.send({ kind: "solve_download" })} />
      {!solving.blocked && (
        <Online draft={draft} solving={solving} disabled={blocked} search={(key) => send(true, key)} />
      )}
    </>
  );
}

interface OnlineProps {
  draft: DraftLink;
  solving: SolvingState;
  disabled: boolean;
  search: (key: string) => void;
}

function Online({ draft, solving, disabled, search }: OnlineProps) {
  const id = useUniqueId();
  const [key, setKey] = useState("");
  return (
    <details
      class="cxw-finder-online"
      onToggle={(event) => event.currentTarget.open && draft.send({ kind: "solve_key" })}
    >
      <summary>Let nova.astrometry.net search</summary>
      <p id={`${id}-sent`}>{solving.sent}</p>
      <div class="cxw-finder-row">
        {!solving.has_key && (
          <label class="cxw-finder-hint" for={`${id}-key`}>
            <span>Your key there (account, API); stored on this machine like a sign-in</span>
            <input
              id={`${id}-key`}
              type="password"
              autocomplete="off"
              value={key}
              disabled={disabled}
              onInput={(event) => setKey(event.currentTarget.value)}
            />
          </label>
        )}
        <button
          type="button"
          disabled={disabled || (!solving.has_key && key.trim() === "")}
          aria-describedby={`${id}-sent`}
          onClick={() => search(key)}
        >
          Send and search
        </button>
        {solving.has_key && (
          <button type="button" disabled={disabled} onClick={() => draft.send({ kind: "solve_forget_key" })}>
            Delete key
          </button>
        )}
      </div>
    </details>
  );
}

function Running({ solving, cancel }: { solving: SolvingState; cancel: () => void }) {
  return (
    <div class="cxw-finder-row" role="status">
      <progress value={solving.progress} max={1} aria-label="Part of all attempts" />
      <span class="cxw-finder-text">{solving.message}</span>
      <button type="button" data-focus onClick={cancel}>
        Cancel
      </button>
    </div>
  );
}

interface FoundProps {
  found: FoundPosition;
  disabled: boolean;
  accept: () => void;
  discard: () => void;
}

function Found({ found, disabled, accept, discard }: FoundProps) {
  return (
    <div role="status">
      <p>
        <b>Position found.</b> The preview shows the image there: crosses are its stars, rings those of the catalog, and
        lines the residuals, enlarged.
      </p>
      <Facts found={found} />
      <div class="cxw-finder-row">
        <button type="button" class="cxw-primary" data-focus disabled={disabled} onClick={accept}>
          Accept
        </button>
        <button type="button" disabled={disabled} onClick={discard}>
          Discard
        </button>
      </div>
    </div>
  );
}
