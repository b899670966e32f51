// What earlier sessions left open: how many, which, and a button that looks; see constellations_widgets/widgets/leftovers.py.

import { useRef } from "preact/hooks";
import { Address } from "./address.tsx";
import { useFollowingFocus } from "./follow_focus.ts";

export interface Leftover {
  kind: "image" | "scene";
  name: string;
  handle: string;
  /** When it was sent, ISO 8601. */
  when: string;
  state: string;
  id: string;
  /** Of its record, "" while there is none. */
  url: string;
  answer: string;
}

export interface LeftoversState {
  phase: "none" | "offer" | "looking" | "done";
  count: number;
  done: number;
  items: Leftover[];
  message: string;
}

const NAMED = 3;

/** "2 images and 1 scene" */
function countOf(items: Leftover[], count: number): string {
  if (items.length < count) return `${count} publications`;
  const of = (kind: Leftover["kind"]) => {
    const many = items.filter((item) => item.kind === kind).length;
    return many > 0 ? `${many} ${kind}${many > 1 ? "s" : ""}` : "";
  };
  return [of("image"), of("scene")].filter(Boolean).join(" and ");
}

function Item({ item }: { item: Leftover }) {
  const found = item.state === "published";
  const marks: Record<string, string> = { published: "✓", refused: "✗" };
  return (
    <li>
      {marks[item.state] ?? "?"}{" "}
      {item.kind === "scene" && "Scene: "}“{item.name}” to @{item.handle}, {new Date(item.when).toLocaleString()}
      {found && (
        <>
          : it is there, <Address url={item.url}>{item.id}</Address>
        </>
      )}
      {item.state === "unclear" && item.answer && <span class="cxw-quiet"> ({item.answer})</span>}
    </li>
  );
}

function List({ items, count }: { items: Leftover[]; count: number }) {
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
      <summary>Which</summary>
      {all}
    </details>
  );
}

function Outcome({ items, count }: { items: Leftover[]; count: number }) {
  const found = items.filter((item) => item.state === "published");
  const given = items.filter((item) => item.state === "refused");
  const open = count - found.length - given.length;
  if (given.length === count) {
    return <b>{count === 1 ? "It is not at the server, and is not asked about again." : "They are not at the server, and are not asked about again."}</b>;
  }
  const outcome = found.length === 0 ? "None of them is at the server" : `${found.length} of ${count} succeeded`;
  return (
    <>
      <b>{count === 1 ? (open ? "It is not at the server." : "It had succeeded.") : `${outcome}.`}</b>{" "}
      {open > 0 && "What the server does not show is not sent again by itself: to publish it, press Publish on it once more; that looks first."}
    </>
  );
}

/** Shows the offer, the progress and what was found; nothing while there is nothing to say. It has a focus of its own: put it beside other steps. */
export function LeftoversView({ state, send }: { state: LeftoversState; send: (message: { kind: "settle" | "give_up" }) => void }) {
  const root = useRef<HTMLDivElement>(null);
  useFollowingFocus(root, state.phase === "none" ? "offer" : state.phase); // what comes unasked takes nobody's focus
  if (state.phase === "none") return null;
  const { phase: now, items, count } = state;
  return (
    <div ref={root} class="cxw-leftovers">
      <div class="cxw-notice" role="status" tabIndex={-1} data-focus>
        {now === "offer" && (
          <>
            {countOf(items, count)} {count > 1 ? "were" : "was"} on the way when an earlier session ended, or got no answer: nobody knows whether{" "}
            {count > 1 ? "they succeeded" : "it succeeded"}.{" "}
            <button type="button" onClick={() => send({ kind: "settle" })}>
              Look now
            </button>{" "}
            <span class="cxw-quiet">It only looks, and sends nothing.</span>
            {state.message && <p>It could not be looked at: {state.message}</p>}
          </>
        )}
        {now === "looking" && (
          <>
            <progress aria-label="Looking" max={count} value={state.done} /> Looking at the server: {state.done} of {count} …
          </>
        )}
        {now === "done" && <Outcome items={items} count={count} />}
        {now !== "looking" && <List items={items} count={count} />}
        {now === "done" && items.some((item) => item.state === "unclear") && (
          <div class="cxw-row">
            <button type="button" onClick={() => send({ kind: "give_up" })}>
              Don't ask about {count > 1 ? "these" : "it"} again
            </button>
            <span class="cxw-quiet">Looks once more; what was sent less than a minute ago is asked about still.</span>
          </div>
        )}
      </div>
    </div>
  );
}
