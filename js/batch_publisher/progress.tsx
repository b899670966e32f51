// Progress and result of a batch, with the next actions.

import { isolated } from "../shared/foreign.ts";
import { images, inWords, type PartProps, progressOf } from "./status.ts";

const WAIT = "Waiting for the server …";

/** Before a plan: the button that makes one. */
export function Start({ draft, status }: PartProps) {
  return (
    <div class="cxw-row">
      <button
        type="button"
        class="cxw-primary"
        data-focus
        disabled={status.open === 0}
        onClick={() => draft.send({ kind: "review" })}
      >
        Check {images(status.open)}
      </button>
      <span class="cxw-quiet">
        {status.open > 0
          ? `Checks @${isolated(status.handle)} and these images at ${isolated(status.api_url)}. Nothing is sent yet.`
          : status.total === 0
            ? "There are no images here."
            : status.counts.published === status.total
              ? "All images are published."
              : "Select images that are not published yet."}
      </span>
    </div>
  );
}

export function UnderWay({ draft, status }: PartProps) {
  const { done, of } = progressOf(status);
  const planning = status.phase === "planning";
  const stopping = status.phase === "stopping";
  return (
    <div class="cxw-underway">
      <div class="cxw-row">
        {planning || of === 0 ? (
          <progress aria-label="Progress" />
        ) : (
          <progress aria-label="Progress" max={of} value={done} />
        )}
        <span data-focus tabIndex={-1}>
          {planning ? (
            <bdi>{status.progress}</bdi>
          ) : of === 0 ? (
            WAIT
          ) : (
            `${done.toLocaleString("en")} of ${images(of)}: ${inWords(status.sent)}`
          )}
        </span>
        <button type="button" disabled={stopping} onClick={() => draft.send({ kind: "stop" })}>
          {planning ? "Cancel" : stopping ? "Stopping …" : "Stop"}
        </button>
      </div>
      {stopping && <p class="cxw-quiet">No further images are sent. Requests in progress are completed.</p>}
      {!planning && status.progress && (
        <p>
          <bdi>{status.progress}</bdi>
        </p>
      )}
    </div>
  );
}

/** The result of a batch that is not running. */
export function AtRest({ draft, status }: PartProps) {
  const { waiting = 0, failed = 0, unclear = 0, undecided = 0 } = status.sent;
  const rest = waiting + failed + unclear;
  const repeat = (what: string) => () => draft.send({ kind: "repeat", what });
  return (
    <section aria-label="Result" class={rest > 0 ? "cxw-failed" : "cxw-receipt"}>
      <h3 tabIndex={-1} data-focus>
        {waiting > 0 ? `Stopped: ${images(waiting)} left` : rest > 0 ? "Finished with errors" : "Finished"}
      </h3>
      <p>{inWords(status.sent)}.</p>
      {unclear > 0 && (
        <p>
          For {images(unclear)} it is unknown whether the server has them. They are not sent again automatically. If you
          send them again, the server is checked first, and only missing images are sent.
        </p>
      )}
      {undecided > 0 && (
        <p>
          {undecided === 1 ? "1 image has" : `${images(undecided)} have`} warnings and{" "}
          {undecided === 1 ? "was" : "were"} not sent. To publish {undecided === 1 ? "it" : "them"}, select “publish
          anyway” in the table.
        </p>
      )}
      <div class="cxw-row">
        {waiting > 0 && (
          <button type="button" class="cxw-primary" onClick={() => draft.send({ kind: "resume" })}>
            Continue with {images(waiting)}
          </button>
        )}
        {failed > 0 && (
          <button type="button" onClick={repeat("retry")}>
            Retry {failed.toLocaleString("en")} failed
          </button>
        )}
        {unclear > 0 && (
          <>
            <button type="button" onClick={repeat("check")}>
              Check {images(unclear)} again
            </button>
            <button type="button" onClick={repeat("resend")}>
              Not on the server: send again
            </button>
          </>
        )}
        <button type="button" onClick={() => draft.send({ kind: "cancel" })}>
          Back to the table
        </button>
      </div>
    </section>
  );
}

/** The files with the outcome of each row. */
export function Receipts({ draft, status }: PartProps) {
  if (!status.counts.published && status.saved.length === 0) return null;
  return (
    <div class="cxw-row">
      <button type="button" onClick={() => draft.send({ kind: "save" })}>
        Save receipts (JSON and CSV)
      </button>
      <span role="status">
        {status.saved.length > 0 ? (
          <>
            Saved as{" "}
            {status.saved.map((path, index) => (
              <>
                {index > 0 && " and "}
                <code>{path}</code>
              </>
            ))}
          </>
        ) : (
          <span class="cxw-quiet">They are saved in the notebook’s folder.</span>
        )}
      </span>
    </div>
  );
}
