// Below the form of a published image: what was changed, a last look at before and after, progress, what became of each field.

import { useRef } from "preact/hooks";
import { Address, isOfTheWeb } from "../shared/address.tsx";
import { ConfirmOnce } from "../shared/confirm_once.tsx";
import type { DraftLink } from "../shared/draft_link.ts";
import { FirstStep } from "../shared/first_step.tsx";
import { useFollowingFocus } from "../shared/follow_focus.ts";
import { countOf } from "../shared/problems.tsx";
import type { Value } from "../shared/types.ts";
import type { Outcome, Review, Saving } from "./saving_status.ts";

type Titles = Record<string, string>;

interface SavingProps {
  draft: DraftLink;
  saving: Saving;
  titles: Titles;
}

function Text({ value }: { value: Value }) {
  return value === "" || value === null ? <span class="cxw-quiet">empty</span> : <bdi>{String(value)}</bdi>;
}

function Quoted({ text }: { text: string }) {
  return text ? <bdi>“{text}”</bdi> : <Text value="" />;
}

/** Above the form: which image this is, and what of it can be changed. */
export function PublishedHead({ saving }: { saving: Saving }) {
  const { id, handle, api_url, record_url, wtml_url } = saving.place;
  return (
    <div class="cxw-published">
      <b>Published</b> as <code>{id}</code> by @<bdi>{handle}</bdi> at <code>{api_url}</code>
      {isOfTheWeb(record_url) && (
        <>
          {" · "}
          <Address url={record_url}>Record</Address>
          {wtml_url && (
            <>
              {" · "}
              <Address url={wtml_url}>WTML</Address>
            </>
          )}
        </>
      )}
      <div class="cxw-quiet">Note, alt text and permissions can be changed; everything else is fixed for good.</div>
    </div>
  );
}

/** "Note, License" */
const namesOf = (paths: string[], titles: Titles) => paths.map((path) => titles[path] ?? path).join(", ");

/** Why there is nothing to press, or what would be saved. */
function reasonOf({ draft, saving, titles }: SavingProps): { reason: string; words: string } {
  const errors = draft.problems.filter((problem) => problem.severity === "error");
  if (saving.blocked) return { reason: saving.blocked, words: "" };
  if (saving.changed.length === 0) return { reason: "Nothing has been changed.", words: "" };
  if (errors.length > 0) return { reason: `Fix ${countOf(errors)} first: ${namesOf(errors.map((problem) => problem.field), titles)}.`, words: "" };
  return { reason: "", words: `Changed: ${namesOf(saving.changed, titles)}. Nothing is saved yet.` };
}

function Start(props: SavingProps) {
  const { draft, saving } = props;
  const { reason, words } = reasonOf(props);
  const busy = saving.phase === "reading";
  const told = busy ? saving.progress : [saving.message, reason || words].filter(Boolean).join(" ");
  return (
    <FirstStep label="Save changes" begin={() => draft.send({ kind: "review" })} dead={reason !== "" || busy || draft.waiting} words={told}>
      <button type="button" disabled={saving.changed.length === 0 || busy || draft.locked} onClick={() => draft.send({ kind: "revert" })}>
        Discard changes
      </button>
    </FirstStep>
  );
}

function Rows({ review, titles }: { review: Review; titles: Titles }) {
  return (
    <table class="cxw-changes">
      <thead>
        <tr>
          <th scope="col">Field</th>
          <th scope="col">Now at the server</th>
          <th scope="col">Will be</th>
        </tr>
      </thead>
      <tbody>
        {review.rows.map(({ path, before, after, meanwhile }) => (
          <tr key={path}>
            <th scope="row">{titles[path] ?? path}</th>
            <td>
              <Text value={before} />
              {meanwhile && <div class="cxw-meanwhile">Changed by somebody else since you read it.</div>}
            </td>
            <td>
              <Text value={after} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function ReviewView({ draft, saving, titles }: SavingProps) {
  const review = saving.review;
  if (!review) return null;
  const cancel = () => draft.send({ kind: "cancel" });
  const overwrites = review.rows.some((row) => row.meanwhile);
  const permissions = review.rows.some((row) => row.path.startsWith("permissions."));
  return (
    <section role="dialog" aria-label="Review" class="cxw-review" onKeyDown={(event) => event.key === "Escape" && cancel()}>
      <h3 tabIndex={-1} data-focus>
        Save these changes of “{draft.name}”?
      </h3>
      {saving.message && (
        <p role="alert" class="cxw-meanwhile">
          {saving.message}
        </p>
      )}
      <Rows review={review} titles={titles} />
      {review.theirs.length > 0 && (
        <p>
          Somebody else has changed {namesOf(review.theirs.map((row) => row.path), titles)} meanwhile; the form shows it, and saving keeps it.
        </p>
      )}
      {permissions && <p class="cxw-quiet">Copyright, credits and license are sent together; those that you did not change stay as they are.</p>}
      <div class="cxw-row">
        <ConfirmOnce ticket={review.ticket} confirm={(ticket) => draft.send({ kind: "confirm", ticket })}>
          {overwrites ? "Write mine over theirs" : "Save"}
        </ConfirmOnce>
        <button type="button" onClick={cancel}>
          Back to the form
        </button>
      </div>
    </section>
  );
}

function Became({ result, titles }: { result: Outcome[]; titles: Titles }) {
  return (
    <ul class="cxw-outcomes">
      {result.map(({ field, before, asked, now, made }) => (
        <li key={field}>
          <b>{titles[field] ?? field}</b>{" "}
          {made ? (
            <>
              was changed from <Quoted text={before} /> to <Quoted text={now} />
              {now !== asked && (
                <>
                  {" "}
                  (sent was <Quoted text={asked} />)
                </>
              )}
            </>
          ) : (
            <>
              was <b>not</b> changed: it is still <Quoted text={now} />
            </>
          )}
        </li>
      ))}
    </ul>
  );
}

function Outcomes({ draft, saving, titles }: SavingProps) {
  const failed = saving.phase === "failed";
  const some = saving.result.some((outcome) => outcome.made);
  const failure = saving.unclear ? "It is not known whether this was saved." : some ? "Not everything was saved." : "Nothing was saved.";
  return (
    <div role={failed ? "alert" : "status"} class={failed ? "cxw-failed" : "cxw-receipt"} tabIndex={-1} data-focus>
      <b>{failed ? failure : "Saved, and read back from the server."}</b> {saving.message}
      <Became result={saving.result} titles={titles} />
      <div class="cxw-row">
        {failed && saving.changed.length > 0 && (
          <button type="button" class="cxw-primary" onClick={() => draft.send({ kind: "review" })}>
            Look, then save again
          </button>
        )}
        <button type="button" onClick={() => draft.send({ kind: "cancel" })}>
          Back to the form
        </button>
      </div>
    </div>
  );
}

/** Everything below the fields of a published image. */
export function SavingView(props: SavingProps) {
  const { phase, progress } = props.saving;
  const root = useRef<HTMLDivElement>(null);
  useFollowingFocus(root, phase);
  return (
    <div ref={root} class="cxw-saving" data-phase={phase}>
      {(phase === "editing" || phase === "reading") && <Start {...props} />}
      {phase === "review" && <ReviewView {...props} />}
      {phase === "saving" && (
        <div class="cxw-row" role="status" tabIndex={-1} data-focus>
          <progress aria-label="Saving" /> {progress}
        </div>
      )}
      {(phase === "saved" || phase === "failed") && <Outcomes {...props} />}
    </div>
  );
}
