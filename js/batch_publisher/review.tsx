// What would happen, in short: so many of each kind, and why. Nothing is sent that isn't in it.

import { ConfirmOnce } from "../shared/confirm_once.tsx";
import type { DraftLink } from "../shared/draft_link.ts";
import { useUniqueId } from "../shared/mount.tsx";
import { images, type Kind, type Status } from "./status.ts";

const KINDS: Record<Kind["kind"], [title: string, filter: string]> = {
  publish: ["will be published", "waiting"],
  look: ["may be there already: they are looked for, and not sent before that is settled", "waiting"],
  decide: ["to decide: they are published only if you say so", "decides"],
  before: ["published before", "published"],
  skip: ["skipped", "skipped"],
  blocked: ["blocked: they can't be published as they are", "blocked"],
};

interface Props {
  draft: DraftLink;
  status: Status;
  titles: Record<string, string>;
  /** How many of the rows that are to be decided on are published anyway, as this page shows them. */
  anyway: number;
  /** Says of all these whether they are published. */
  decideAll: (on: boolean) => void;
  show: (filter: string) => void;
}

export function ReviewView({ draft, status, titles, anyway, decideAll, show }: Props) {
  const { review } = status;
  const id = useUniqueId();
  if (!review) return null;
  const leave = () => draft.send({ kind: "leave" });
  return (
    <section role="dialog" aria-label="Review" class="cxw-review" onKeyDown={(event) => event.key === "Escape" && leave()}>
      <h3 tabIndex={-1} data-focus>
        {review.ready > 0
          ? `Publish ${images(review.ready)} as @${status.handle}?`
          : review.kinds.some(({ kind }) => kind === "decide")
            ? "Nothing is published before you decide"
            : "There is nothing to publish"}
      </h3>
      <p id={id}>
        They go to <code>{status.api_url}</code>. <b>Once published, an image can be neither corrected nor deleted</b>; only note, alt text
        and permissions can be changed later.
      </p>
      <ul class="cxw-kinds">
        {review.kinds.map((it) => {
          const [title, filter] = KINDS[it.kind];
          return (
            <li key={it.kind} data-kind={it.kind}>
              <b>{it.count.toLocaleString("en")}</b> {title}{" "}
              <button type="button" class="cxw-link" onClick={() => show(filter)} aria-label={`Show: ${title}`}>
                show
              </button>
              {it.kind === "decide" && (
                <div>
                  <label>
                    <input
                      type="checkbox"
                      checked={anyway === it.count}
                      ref={(element) => {
                        if (element) element.indeterminate = anyway > 0 && anyway < it.count;
                      }}
                      onChange={(event) => decideAll(event.currentTarget.checked)}
                    />{" "}
                    Publish {it.count === 1 ? "it" : `all ${it.count.toLocaleString("en")}`} anyway
                  </label>
                  {anyway > 0 && anyway < it.count && ` (now ${anyway})`}
                </div>
              )}
              <Reasons kind={it} titles={titles} />
            </li>
          );
        })}
      </ul>
      <div class="cxw-row">
        <ConfirmOnce ticket={review.ticket} ready={review.ready > 0} describedBy={id} confirm={(ticket) => draft.send({ kind: "confirm", ticket })}>
          {review.ready > 0 ? `Publish ${images(review.ready)}` : "Publish"}
        </ConfirmOnce>
        <button type="button" onClick={leave}>
          Back
        </button>
      </div>
    </section>
  );
}

function Reasons({ kind, titles }: { kind: Kind; titles: Record<string, string> }) {
  if (kind.reasons.length === 0) return null;
  return (
    <ul class="cxw-reasons">
      {kind.reasons.map(({ reason, count, name }) => {
        const [path = "", ...rest] = reason.split(": ");
        return (
          <li key={reason}>
            {titles[path] && <b>{titles[path]} </b>}
            <bdi>{titles[path] ? rest.join(": ") : reason}</bdi>{" "}
            <span class="cxw-quiet">{count === 1 ? <bdi>({name})</bdi> : `(${images(count)})`}</span>
          </li>
        );
      })}
      {kind.more > 0 && <li class="cxw-quiet">and {kind.more.toLocaleString("en")} more: open the rows to see theirs</li>}
    </ul>
  );
}
