// The review: what readers will see, what is final, and what speaks against publishing. The raw request is collapsed.

import { useState } from "preact/hooks";
import type { PublisherStatus, PublishReview, RequestReview } from "../protocol.ts";
import { draw } from "../shared/credits.tsx";
import { type DraftViewProps, useUniqueId } from "../shared/mount.tsx";
import { ConfirmOnce } from "../shared/ui/confirm_once.tsx";

/** Rows of the body: a path and its value, in the order of the request. */
export function rowsOf(body: string): [string, string][] {
  const rows: [string, string][] = [];
  const walk = (value: unknown, path: string) => {
    if (value !== null && typeof value === "object") {
      for (const [name, inner] of Object.entries(value)) walk(inner, path ? `${path}.${name}` : name);
    } else {
      rows.push([path, typeof value === "string" ? value : JSON.stringify(value)]);
    }
  };
  walk(JSON.parse(body), "");
  return rows;
}

/** Every value that will be sent, and the exact request. */
export function What({ review, titles }: { review: RequestReview; titles: Record<string, string> }) {
  const rows = rowsOf(review.body);
  return (
    <details class="cxw-what">
      <summary>
        Technical details ({rows.length} values, {review.size} bytes)
      </summary>
      <table class="cxw-body">
        <caption class="cxw-hidden">Values that will be sent</caption>
        <tbody>
          {rows.map(([path, value]) => (
            <tr key={path}>
              <th scope="row">{titles[path] ?? path}</th>
              <td>{value === "" ? <span class="cxw-quiet">empty</span> : <bdi>{value}</bdi>}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <pre tabIndex={0} role="region" aria-label="The exact request">
        <bdi>{`${review.request}\n\n${review.body}`}</bdi>
      </pre>
    </details>
  );
}

/** A reason; where it begins with a field's path, people read the field's name. */
export function Reason({ reason, titles }: { reason: string; titles: Record<string, string> }) {
  const [path = "", ...rest] = reason.split(": ");
  return titles[path] ? (
    <>
      <b>{titles[path]}</b> <bdi>{rest.join(": ")}</bdi>
    </>
  ) : (
    <bdi>{reason}</bdi>
  );
}

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
    <section
      role="dialog"
      aria-label="Review"
      class="cxw-review"
      onKeyDown={(event) => event.key === "Escape" && cancel()}
    >
      <h3 tabIndex={-1} data-focus>
        Publish “<bdi>{review.title}</bdi>”?
      </h3>
      <Doubts review={review} titles={titles} id={id} />
      <div class="cxw-review-facts">
        {review.picture && <img src={review.picture} alt={review.alt_text || "The image"} />}
        <Facts review={review} status={status} />
      </div>
      <div class="cxw-final">
        <b>Final:</b> position, image address and thumbnail can't be changed, and the image can't be deleted.{" "}
        <b>Editable later:</b> title, description and rights.
      </div>
      <What review={review} titles={titles} />
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
      <div class="cxw-row">
        {review.ready && (
          <ConfirmOnce
            ticket={review.ticket}
            ready={!doubtful || ticked}
            plain={doubtful}
            describedBy={id}
            confirm={(ticket) => draft.send({ kind: "confirm", ticket, anyway: doubtful && ticked })}
          >
            {doubtful ? "Publish anyway" : "Publish"}
          </ConfirmOnce>
        )}
        <button type="button" onClick={cancel}>
          Back
        </button>
      </div>
    </section>
  );
}
