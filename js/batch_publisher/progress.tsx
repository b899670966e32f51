// What is under way and what came of it, with what can be done next.

import type { DraftLink } from "../shared/draft_link.ts";
import { images, inWords, progressOf, type Status } from "./status.ts";

const WAIT = "Asking the server once more …";

interface Props {
  draft: DraftLink;
  status: Status;
}

/** Before a plan: the button that makes one. */
export function Start({ draft, status }: Props) {
  return (
    <div class="cxw-row">
      <button type="button" class="cxw-primary" data-focus disabled={status.open === 0} onClick={() => draft.send({ kind: "look" })}>
        Look what would happen to {images(status.open)}
      </button>
      <span class="cxw-quiet">
        {status.open > 0
          ? `Asks ${status.api_url} about @${status.handle} and these images; nothing is sent yet.`
          : status.total === 0
            ? "There are no images here."
            : status.counts.published === status.total
              ? "All images are published."
              : "Choose images that are not published yet."}
      </span>
    </div>
  );
}

export function UnderWay({ draft, status }: Props) {
  const { done, of } = progressOf(status);
  const planning = status.phase === "planning";
  const stopping = status.phase === "stopping";
  return (
    <div class="cxw-underway">
      <div class="cxw-row">
        {planning || of === 0 ? <progress aria-label="Progress" /> : <progress aria-label="Progress" max={of} value={done} />}
        <span data-focus tabIndex={-1}>
          {planning ? status.progress : of === 0 ? WAIT : `${done.toLocaleString("en")} of ${images(of)}: ${inWords(status.sent)}`}
        </span>
        <button type="button" disabled={stopping} onClick={() => draft.send({ kind: "stop" })}>
          {planning ? "Call it off" : stopping ? "Stopping …" : "Stop"}
        </button>
      </div>
      {stopping && <p class="cxw-quiet">Nothing more is sent. What is under way ends.</p>}
      {!planning && status.progress && <p>{status.progress}</p>}
    </div>
  );
}

/** Something was sent, and nothing is under way. */
export function AtRest({ draft, status }: Props) {
  const { waiting = 0, failed = 0, unclear = 0, undecided = 0 } = status.sent;
  const rest = waiting + failed + unclear;
  const again = (what: string) => () => draft.send({ kind: "again", what });
  return (
    <section aria-label="Outcome" class={rest > 0 ? "cxw-failed" : "cxw-receipt"}>
      <h3 tabIndex={-1} data-focus>
        {waiting > 0 ? `Stopped with ${images(waiting)} left` : rest > 0 ? "Done, but for some" : "Done"}
      </h3>
      <p>{inWords(status.sent)}.</p>
      {unclear > 0 && (
        <p>
          Of {images(unclear)} it is not known whether the server has them. They are never sent again by themselves: wait a minute, look
          again, and send them again only if they are not there even then.
        </p>
      )}
      {undecided > 0 && (
        <p>
          {undecided === 1 ? "1 image was" : `${images(undecided)} were`} not sent: nobody has said so. Tick “publish anyway” in the table if
          you want to.
        </p>
      )}
      <div class="cxw-row">
        {waiting > 0 && (
          <button type="button" class="cxw-primary" onClick={() => draft.send({ kind: "go_on" })}>
            Go on with {images(waiting)}
          </button>
        )}
        {failed > 0 && (
          <button type="button" onClick={again("retry")}>
            Try the {failed.toLocaleString("en")} failed again
          </button>
        )}
        {unclear > 0 && (
          <>
            <button type="button" onClick={again("look")}>
              Look again for {images(unclear)}
            </button>
            <button type="button" onClick={again("resend")}>
              Look, and send again what is not there
            </button>
          </>
        )}
        <button type="button" onClick={() => draft.send({ kind: "leave" })}>
          Back to the table
        </button>
      </div>
    </section>
  );
}

/** The files with what became of each row. */
export function Receipts({ draft, status }: Props) {
  if (!status.counts.published && status.saved.length === 0) return null;
  return (
    <div class="cxw-row">
      <button type="button" onClick={() => draft.send({ kind: "save" })}>
        Save the receipts (JSON and CSV)
      </button>
      <span role="status">
        {status.saved.length > 0 ? (
          <>
            Saved by the kernel as{" "}
            {status.saved.map((path, index) => (
              <>
                {index > 0 && " and "}
                <code>{path}</code>
              </>
            ))}
          </>
        ) : (
          <span class="cxw-quiet">The kernel writes them beside the notebook.</span>
        )}
      </span>
    </div>
  );
}
