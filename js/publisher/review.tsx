// The last look: what will be sent, where, and that it can't be taken back.

import { ConfirmOnce } from "../shared/confirm_once.tsx";
import { useUniqueId, type ViewProps } from "../shared/mount.tsx";
import { countOf, ProblemList } from "../shared/problems.tsx";
import type { Request, Status } from "./status.ts";

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

export function What({ review, titles }: { review: Request; titles: Record<string, string> }) {
  return (
    <>
      <table class="cxw-body">
        <caption class="cxw-hidden">Values that will be sent</caption>
        <tbody>
          {rowsOf(review.body).map(([path, value]) => (
            <tr key={path}>
              <th scope="row">{titles[path] ?? path}</th>
              <td>{value === "" ? <span class="cxw-quiet">empty</span> : value}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <details>
        <summary>The exact request ({review.size} bytes)</summary>
        <pre tabIndex={0}>{`${review.request}\n\n${review.body}`}</pre>
      </details>
    </>
  );
}

/** A reason; where it begins with a field's path, people read the field's name. */
function Reason({ reason, titles }: { reason: string; titles: Record<string, string> }) {
  const [path = "", ...rest] = reason.split(": ");
  return titles[path] ? (
    <>
      <b>{titles[path]}</b> {rest.join(": ")}
    </>
  ) : (
    <>{reason}</>
  );
}

export function ReviewView({ draft, status, titles }: ViewProps & { status: Status; titles: Record<string, string> }) {
  const review = status.review;
  const id = useUniqueId();
  if (!review) return null;
  const cancel = () => draft.send({ kind: "cancel" });
  const warnings = draft.problems.filter((problem) => problem.severity === "warning");
  return (
    <section role="dialog" aria-label="Review" class="cxw-review" onKeyDown={(event) => event.key === "Escape" && cancel()}>
      <h3 tabIndex={-1} data-focus>
        Publish “{draft.name}” as @{status.handle}?
      </h3>
      <p>
        It goes to <code>{status.api_url}</code>. <b>Once published, the image can be neither corrected nor deleted</b>; only note, alt text and
        permissions can be changed later.
      </p>
      {review.reasons.length > 0 && (
        <ul id={id} class="cxw-reasons">
          {review.reasons.map((reason) => (
            <li key={reason}>
              <Reason reason={reason} titles={titles} />
            </li>
          ))}
        </ul>
      )}
      {warnings.length > 0 && (
        <details open>
          <summary>{countOf(warnings)}</summary>
          <ProblemList draft={draft} titles={titles} />
        </details>
      )}
      <What review={review} titles={titles} />
      <div class="cxw-row">
        <ConfirmOnce ticket={review.ticket} ready={review.ready} describedBy={id} confirm={(ticket) => draft.send({ kind: "confirm", ticket })}>
          Confirm and publish
        </ConfirmOnce>
        <button type="button" onClick={cancel}>
          Cancel
        </button>
        {!review.ready && <span>It can't be published, for the reason above.</span>}
      </div>
    </section>
  );
}
