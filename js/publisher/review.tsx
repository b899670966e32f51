// The review: what readers will see, what is final, and what speaks against publishing. The raw request is collapsed.

import { useState } from "preact/hooks";
import type { PublisherStatus, PublishReview } from "../protocol.ts";
import { draw } from "../shared/credits.tsx";
import { type DraftViewProps, useUniqueId } from "../shared/mount.tsx";
import { ConfirmOnce, ReviewDialog, SentBy } from "../shared/ui/confirm_once.tsx";
import { Reason } from "../shared/ui/problems.tsx";
import { RequestDetails } from "../shared/ui/request_details.tsx";

function Doubts({ review, titles, id }: { review: PublishReview; titles: Record<string, string>; id: string }) {
  if (review.reasons.length === 0) return null;
  return (
    <div class={review.ready ? "cxw-doubts" : "cxw-doubts cxw-blocked"}>
      <b>{review.ready ? "Check before you publish:" : "This image can't be published:"}</b>
      <ul id={id} class="cxw-reasons">
        {review.reasons.map((reason) => (
          <li key={reason}>
            <Reason reason={reason} titles={titles} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function Facts({ review, status }: { review: PublishReview; status: PublisherStatus }) {
  return (
    <dl class="cxw-facts">
      <dt>Publisher</dt>
      <dd>
        @<bdi>{status.handle}</bdi> {status.sandbox ? <>on the sandbox of this computer</> : <>at {status.api_url}</>}
      </dd>
      {review.position && (
        <>
          <dt>Position</dt>
          <dd>{review.position}</dd>
        </>
      )}
      {review.addresses.map(({ title, url, checked }) => (
        <>
          <dt>{title}</dt>
          <dd>
            <bdi>{url}</bdi> {checked && <span class="cxw-checked">✓ found</span>}
          </dd>
        </>
      ))}
      <dt>Credit</dt>
      <dd>
        {review.credits.length > 0 && (
          <>
            Image credits: <bdi>{draw(review.credits)}</bdi>.{" "}
          </>
        )}
        <bdi>{review.copyright}</bdi>.
      </dd>
      <dt>License</dt>
      <dd>
        <bdi>{review.license}</bdi>
      </dd>
      <dt>Description</dt>
      <dd>{review.alt_text ? <bdi>{review.alt_text}</bdi> : <span class="cxw-quiet">none</span>}</dd>
    </dl>
  );
}

export function ReviewView({
  draft,
  status,
  titles,
}: DraftViewProps & { status: PublisherStatus; titles: Record<string, string> }) {
  const review = status.review;
  const id = useUniqueId();
  const [anyway, setAnyway] = useState("");
  if (!review) return null;
  const cancel = () => draft.send({ kind: "cancel" });
  const doubtful = review.ready && review.reasons.length > 0;
  const ticked = anyway === review.ticket;
  return (
    <ReviewDialog
      cancel={cancel}
      question={
        <>
          Publish “<bdi>{review.title}</bdi>”?
        </>
      }
    >
      <Doubts review={review} titles={titles} id={id} />
      <div class="cxw-review-facts">
        {review.picture && <img src={review.picture} alt={review.alt_text || "The image"} />}
        <Facts review={review} status={status} />
      </div>
      <div class="cxw-final">
        <b>Final:</b> position, image address and thumbnail can't be changed, and the image can't be deleted.{" "}
        <b>Editable later:</b> title, description and rights.
      </div>
      <RequestDetails review={review} titles={titles} />
      {doubtful && (
        <label class="cxw-check">
          <input
            type="checkbox"
            checked={ticked}
            onChange={(event) => setAnyway(event.currentTarget.checked ? review.ticket : "")}
          />{" "}
          I have checked {review.reasons.length === 1 ? "this" : `these ${review.reasons.length} points`}; publish the
          image as it is.
        </label>
      )}
      {review.ready && <SentBy account={review.account} verb="publishes" />}
      <div class="cxw-row">
        {review.ready && (
          <ConfirmOnce
            ticket={review.ticket}
            ready={(!doubtful || ticked) && !draft.gone}
            plain={doubtful}
            describedBy={id}
            confirm={(ticket) => draft.send({ kind: "confirm", ticket, anyway: doubtful && ticked })}
          >
            {doubtful ? "Publish anyway" : "Publish"}
          </ConfirmOnce>
        )}
        <button type="button" disabled={draft.gone} onClick={cancel}>
          Back
        </button>
      </div>
    </ReviewDialog>
  );
}
