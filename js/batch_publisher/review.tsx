// The review: how many images of each kind, and why. Nothing else is sent.

import { isolated } from "../shared/foreign.ts";
import { useUniqueId } from "../shared/mount.tsx";
import { ConfirmOnce, ReviewDialog, SentBy } from "../shared/ui/confirm_once.tsx";
import { Reason } from "../shared/ui/problems.tsx";
import { images, type Kind, type PartProps } from "./status.ts";

const KINDS: Record<Kind["kind"], [title: string, filter: string]> = {
  publish: ["will be published", "waiting"],
  check: ["may already be on the server: they are checked first, and sent only if they are not there", "waiting"],
  decide: ["with warnings: published only if you choose to", "needs_review"],
  published: ["already published", "published"],
  skip: ["skipped", "skipped"],
  blocked: ["can't be published as they are", "blocked"],
};

interface Props extends PartProps {
  titles: Record<string, string>;
  /** How many of the rows with warnings are published anyway, as this page shows them. */
  anyway: number;
  /** Decide for all of these whether they are published. */
  decideAll: (on: boolean) => void;
  show: (filter: string) => void;
}

export function ReviewView({ draft, status, titles, anyway, decideAll, show }: Props) {
  const { review } = status;
  const id = useUniqueId();
  if (!review) return null;
  const warned = review.kinds.find(({ kind }) => kind === "decide")?.count ?? 0;
  const cancel = () => draft.send({ kind: "cancel" });
  const question =
    review.ready > 0
      ? `Publish ${images(review.ready)} as @${isolated(status.handle)}?`
      : warned > 0
        ? `${images(warned)} ${warned === 1 ? "has" : "have"} warnings. Publish ${warned === 1 ? "it" : "them"} anyway?`
        : "Nothing to publish";
  return (
    <ReviewDialog cancel={cancel} question={question}>
      <p id={id}>
        Destination: <code>{status.api_url}</code>.{" "}
        <b>Positions and addresses are final, and images cannot be deleted.</b> You can edit title, description and
        rights later.
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
      {review.ready > 0 && <SentBy account={review.account} verb="publishes" />}
      <div class="cxw-row">
        <ConfirmOnce
          ticket={review.ticket}
          ready={review.ready > 0}
          describedBy={id}
          confirm={(ticket) => draft.send({ kind: "confirm", ticket })}
        >
          {review.ready > 0 ? `Publish ${images(review.ready)}` : "Publish"}
        </ConfirmOnce>
        <button type="button" onClick={cancel}>
          Back
        </button>
      </div>
    </ReviewDialog>
  );
}

function Reasons({ kind, titles }: { kind: Kind; titles: Record<string, string> }) {
  if (kind.reasons.length === 0) return null;
  return (
    <ul class="cxw-batch-reasons">
      {kind.reasons.map(({ reason, count, name }) => (
        <li key={reason}>
          <Reason reason={reason} titles={titles} />{" "}
          <span class="cxw-quiet">{count === 1 ? <bdi>({name})</bdi> : `(${images(count)})`}</span>
        </li>
      ))}
      {kind.more > 0 && (
        <li class="cxw-quiet">and {kind.more.toLocaleString("en")} more; open a row to see its reasons</li>
      )}
    </ul>
  );
}
