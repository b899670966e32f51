// Attempts of earlier sessions with an unknown outcome, and a button that checks them; see widgets/pending_attempts.py.

import { useRef } from "preact/hooks";
import type { PendingItem, PendingState } from "../protocol.ts";
import { Address } from "./ui/address.tsx";
import { useFollowingFocus } from "./ui/follow_focus.ts";

const NAMED = 3;

/** "2 images and 1 scene" */
function countOf(items: PendingItem[], count: number): string {
  if (items.length < count) return `${count} publications`;
  const of = (kind: PendingItem["kind"]) => {
    const many = items.filter((item) => item.kind === kind).length;
    return many > 0 ? `${many} ${kind}${many > 1 ? "s" : ""}` : "";
  };
  return [of("image"), of("scene")].filter(Boolean).join(" and ");
}

function Item({ item }: { item: PendingItem }) {
  const found = item.state === "published";
  const marks: Record<string, string> = { published: "✓", refused: "✗" };
  return (
    <li>
      {marks[item.state] ?? "?"} {item.kind === "scene" && "Scene: "}“<bdi>{item.name}</bdi>” to @
      <bdi>{item.handle}</bdi>, {new Date(item.when).toLocaleString()}
      {found && (
        <>
          : published as{" "}
          <Address url={item.url}>
            <bdi>{item.id}</bdi>
          </Address>
        </>
      )}
      {item.state === "unclear" && item.answer && (
        <span class="cxw-quiet">
          {" "}
          (<bdi>{item.answer}</bdi>)
        </span>
      )}
    </li>
  );
}

function List({ items, count }: { items: PendingItem[]; count: number }) {
  const more = count - items.length;
  const all = (
    <ul class="cxw-problem-list">
      {items.map((item) => (
        <Item key={`${item.when} ${item.name}`} item={item} />
      ))}
      {more > 0 && <li>and {more} more: constellations_widgets.history() lists all</li>}
    </ul>
  );
  if (count <= NAMED) return all;
  return (
    <details>
      <summary>Details</summary>
      {all}
    </details>
  );
}

function Outcome({ items, count }: { items: PendingItem[]; count: number }) {
  const found = items.filter((item) => item.state === "published");
  const given = items.filter((item) => item.state === "refused");
  const open = count - found.length - given.length;
  if (given.length === count) {
    return (
      <b>
        {count === 1
          ? "It is not on the server, and will not be checked again."
          : "They are not on the server, and will not be checked again."}
      </b>
    );
  }
  const outcome = found.length === 0 ? "None of them is on the server" : `${found.length} of ${count} were published`;
  return (
    <>
      <b>{count === 1 ? (open ? "It is not on the server." : "It was published.") : `${outcome}.`}</b>{" "}
      {open > 0 &&
        "Nothing is sent again automatically. To publish what is not on the server, press Publish again; the server is checked first."}
    </>
  );
}

/** Shows the offer, the progress and the outcome; nothing if there are none. It manages its own focus: put it beside other steps. */
export function PendingAttemptsView({
  state,
  send,
}: {
  state: PendingState;
  send: (message: { kind: "reconcile" | "abandon" }) => void;
}) {
  const root = useRef<HTMLDivElement>(null);
  useFollowingFocus(root, state.phase === "none" ? "offer" : state.phase); // an offer that appears by itself does not take the focus
  if (state.phase === "none") return null;
  const { phase: now, items, count } = state;
  return (
    <div ref={root} class="cxw-pending">
      <div class="cxw-notice" role="status" tabIndex={-1} data-focus>
        {now === "offer" && (
          <>
            {countOf(items, count)} {count > 1 ? "were" : "was"} being sent when an earlier session ended, or the server
            did not respond: the outcome is unknown.{" "}
            <button type="button" onClick={() => send({ kind: "reconcile" })}>
              Check now
            </button>{" "}
            <span class="cxw-quiet">This only reads from the server; nothing is sent.</span>
            {state.message && (
              <p>
                The check failed: <bdi>{state.message}</bdi>
              </p>
            )}
          </>
        )}
        {now === "checking" && (
          <>
            <progress aria-label="Checking" max={count} value={state.done} /> Checking the server: {state.done} of{" "}
            {count} …
          </>
        )}
        {now === "done" && <Outcome items={items} count={count} />}
        {now !== "checking" && <List items={items} count={count} />}
        {now === "done" && items.some((item) => item.state === "unclear") && (
          <div class="cxw-row">
            <button type="button" onClick={() => send({ kind: "abandon" })}>
              Don't check {count > 1 ? "these" : "it"} again
            </button>
            <span class="cxw-quiet">The server is checked again first. Attempts less than a minute old are kept.</span>
          </div>
        )}
      </div>
    </div>
  );
}
