// Find the positions of all chosen images that have none; each is shown on the sky, and taken only by a click.

import { useRef, useState } from "preact/hooks";
import type { BatchPosition, BatchPositions } from "../protocol.ts";
import type { DraftLink } from "../shared/draft_link.ts";
import { Facts, Hints, Offer } from "../shared/finder.tsx";
import { isolated } from "../shared/foreign.ts";
import { useTrait, useUniqueId } from "../shared/mount.tsx";
import { boxOf, whenDrawn } from "../shared/opened_below.ts";
import { useKeptFocus } from "../shared/ui/follow_focus.ts";
import { images, isBusy, type PartProps, type Row } from "./status.ts";
import type { Thumbnails } from "./thumbnails.ts";

interface Props extends PartProps {
  rows: Row[];
  thumbnails: Thumbnails;
}

export function Positions(props: Props) {
  const { draft, status } = props;
  const search = useTrait<BatchPositions>(draft.kernel, "positions");
  const found = useTrait<BatchPosition[]>(draft.kernel, "found_positions");
  const root = useRef<HTMLElement>(null);
  const running = search.phase === "running";
  useKeptFocus(root);
  if (search.images === 0 && !running && found.length === 0) return null;
  return (
    <section ref={root} class="cxw-positions cxw-finder" aria-label="Positions" data-phase={search.phase}>
      {running ? (
        <Running draft={draft} search={search} />
      ) : (
        <Start draft={draft} search={search} busy={isBusy(status) || draft.gone} focused={found.length === 0} />
      )}
      {found.length > 0 && <Results {...props} found={found} />}
    </section>
  );
}

interface StartProps {
  draft: DraftLink;
  search: BatchPositions;
  busy: boolean;
  /** Whether the focus comes here when what has it is removed. */
  focused: boolean;
}

function Start({ draft, search, busy, focused }: StartProps) {
  const id = useUniqueId();
  const [near, setNear] = useState(search.near);
  const [width, setWidth] = useState(search.width);
  const none = search.images === 0;
  return (
    <>
      {!none && (
        <>
          <div class="cxw-finder-row">
            <button
              type="button"
              {...(focused && { "data-focus": true })}
              disabled={busy}
              aria-describedby={`${id}-about`}
              onClick={() => draft.send({ kind: "find_positions", near, width })}
            >
              Find {search.images === 1 ? "position" : "positions"} of {images(search.images)}
            </button>
            <Hints near={near} setNear={setNear} width={width} setWidth={setWidth} disabled={busy} />
          </div>
          <p id={`${id}-about`} class="cxw-quiet">
            By their stars, on this machine; nothing is sent, and no image is placed before you accept it. Hints are for
            all of these images.
          </p>
        </>
      )}
      {search.message && (
        <p class={search.phase === "failed" ? "cxw-problem cxw-warning" : ""} role="status">
          <bdi>{search.message}</bdi>
        </p>
      )}
      <Offer {...search} disabled={busy || none} download={() => draft.send({ kind: "download_indexes" })} />
    </>
  );
}

function Running({ draft, search }: { draft: DraftLink; search: BatchPositions }) {
  return (
    <div class="cxw-finder-row">
      <progress value={search.progress} max={1} aria-label="Part of all attempts" />
      <span class="cxw-finder-text">
        <span role="status">
          {search.searched.toLocaleString("en")} of {images(search.total)} searched
        </span>
        <br />
        <span class="cxw-quiet">
          <bdi>{search.message}</bdi>
        </span>
      </span>
      <button type="button" data-focus onClick={() => draft.send({ kind: "cancel_positions" })}>
        Cancel
      </button>
    </div>
  );
}

/** Show a row on the sky, or close the sky. It opens below the table, perhaps out of sight: scroll to it once it is there. */
function showOnSky(draft: DraftLink, row: number | null, button: HTMLElement): void {
  const box = boxOf(button);
  const before = box?.querySelector(".cxw-preview");
  draft.send({ kind: "show_position", row });
  if (row === null || !box) return;
  const find = () => {
    const sky = box.querySelector<HTMLElement>(".cxw-preview");
    return sky && sky !== before && sky.clientHeight > 0 ? sky : null;
  };
  whenDrawn(find, (sky) => sky.scrollIntoView({ block: "nearest" }));
}

function Results({ draft, status, rows, thumbnails, found }: Props & { found: BatchPosition[] }) {
  const busy = isBusy(status) || draft.gone;
  const waiting = found.filter(({ state }) => state === "found");
  const seen = waiting.filter((each) => each.seen).map(({ row }) => row);
  const failed = found.filter(({ state }) => state === "failed").map(({ row }) => row);
  const accepted = found.some(({ state }) => state === "accepted");
  const next = waiting.find((each) => !each.seen);
  return (
    <>
      <ul class="cxw-positions-list" aria-label="Results" tabIndex={0} data-focus>
        {found.map((each) => (
          <Result
            key={each.row}
            draft={draft}
            status={status}
            busy={busy}
            item={each}
            picture={rows[each.row]?.local ? thumbnails.of(each.row) : ""}
          />
        ))}
      </ul>
      {waiting.some(({ row }) => row === status.on_sky) && (
        <p>
          The sky below shows the image where it would be placed: crosses are its stars, rings those of the catalog, and
          lines the residuals, enlarged.
        </p>
      )}
      <div class="cxw-row">
        {status.edits && next && (
          <button type="button" onClick={(event) => showOnSky(draft, next.row, event.currentTarget)}>
            Show next on the sky
          </button>
        )}
        {seen.length > 0 && (
          <button
            type="button"
            disabled={busy}
            title="Those that were shown on the sky, and that you have not discarded"
            onClick={() => draft.send({ kind: "accept_positions", rows: seen })}
          >
            Accept {seen.length.toLocaleString("en")} shown
          </button>
        )}
        {status.on_sky !== null && (
          <button type="button" onClick={() => draft.send({ kind: "show_position", row: null })}>
            Close sky
          </button>
        )}
        {failed.length > 0 && (
          <button type="button" onClick={() => draft.send({ kind: "discard_positions", rows: failed })}>
            Clear {failed.length.toLocaleString("en")} not found
          </button>
        )}
        <span class="cxw-quiet" role="status">
          {accepted ? "Undo is under Shared fields." : ""}
        </span>
      </div>
    </>
  );
}

interface ResultProps extends PartProps {
  busy: boolean;
  item: BatchPosition;
  picture: string;
}

function Result({ draft, status, busy, item, picture }: ResultProps) {
  const { row, name, state, message, found } = item;
  const id = useUniqueId();
  const shown = status.on_sky === row;
  const send = (kind: "accept_positions" | "discard_positions") => draft.send({ kind, rows: [row] });
  const label = (word: string) => `${word} ${isolated(name)}`;
  return (
    <li class="cxw-position" data-row={row} data-state={state} aria-labelledby={id}>
      {picture && <img src={picture} alt="" width={62} height={29} />}
      <div class="cxw-position-text">
        <b id={id}>
          <bdi>{name}</bdi>
        </b>
        {state !== "found" && (
          <p class={state === "failed" ? "cxw-problem cxw-warning" : ""}>
            <bdi>{message}</bdi>
          </p>
        )}
        {state === "found" && found && <Facts found={found} />}
        <div class="cxw-row">
          {state === "found" && status.edits && (
            <button
              type="button"
              aria-label={label("Show on the sky:")}
              aria-pressed={shown}
              onClick={(event) => showOnSky(draft, shown ? null : row, event.currentTarget)}
            >
              Show on the sky
            </button>
          )}
          {state === "found" && (
            <>
              <button
                type="button"
                aria-label={label("Accept")}
                disabled={busy}
                class={shown ? "cxw-primary" : ""}
                onClick={() => send("accept_positions")}
              >
                Accept
              </button>
              <button
                type="button"
                aria-label={label("Discard")}
                disabled={busy}
                onClick={() => send("discard_positions")}
              >
                Discard
              </button>
            </>
          )}
          {state === "failed" && status.edits && (
            <button
              type="button"
              aria-label={label("Edit")}
              aria-pressed={status.edited === row}
              onClick={() => draft.send({ kind: "edit_row", row: status.edited === row ? null : row })}
            >
              Edit
            </button>
          )}
        </div>
      </div>
    </li>
  );
}
