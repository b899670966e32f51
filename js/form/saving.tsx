// Below the form of a published image: what was changed, the review before saving, progress, and the outcome of each field.

import { useRef } from "preact/hooks";
import type { SavingOutcome, SavingReview, SavingState, Value } from "../protocol.ts";
import type { DraftLink } from "../shared/draft_link.ts";
import { useUniqueId } from "../shared/mount.tsx";
import { Address, isOfTheWeb } from "../shared/ui/address.tsx";
import { ConfirmOnce, ReviewDialog, SentBy } from "../shared/ui/confirm_once.tsx";
import { useFollowingFocus } from "../shared/ui/follow_focus.ts";
import { countOf } from "../shared/ui/problems.tsx";

type Titles = Record<string, string>;

interface SavingProps {
  draft: DraftLink;
  saving: SavingState;
  titles: Titles;
}

function Text({ value }: { value: Value }) {
  return value === "" || value === null ? <span class="cxw-quiet">empty</span> : <bdi>{String(value)}</bdi>;
}

function Quoted({ text }: { text: string }) {
  return text ? <bdi>“{text}”</bdi> : <Text value="" />;
}

/** Above the form: which image this is, and what of it can be changed. */
export function PublishedHead({ saving }: { saving: SavingState }) {
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
      <div class="cxw-quiet">Title, description and rights can be edited; position and addresses are final.</div>
    </div>
  );
}

/** "Note, License" */
const namesOf = (paths: string[], titles: Titles) => paths.map((path) => titles[path] ?? path).join(", ");

/** Why the button is disabled, or what would be saved. */
function reasonOf({ draft, saving, titles }: SavingProps): { reason: string; words: string } {
  const errors = draft.problems.filter((problem) => problem.severity === "error");
  if (saving.blocked) return { reason: saving.blocked, words: "" };
  if (saving.changed.length === 0) return { reason: "Nothing has been changed.", words: "" };
  if (errors.length > 0)
    return {
      reason: `Fix ${countOf(errors)} first: ${namesOf(
        errors.map((problem) => problem.field),
        titles,
      )}.`,
      words: "",
    };
  return { reason: "", words: `Changed: ${namesOf(saving.changed, titles)}. Nothing is saved yet.` };
}

function Start(props: SavingProps) {
  const { draft, saving } = props;
  const id = useUniqueId();
  const { reason, words } = reasonOf(props);
  const busy = saving.phase === "reading";
  const status = busy ? saving.progress : [saving.message, reason || words].filter(Boolean).join(" ");
  return (
    <div class="cxw-row">
      <button
        type="button"
        class="cxw-primary"
        data-focus
        disabled={reason !== "" || busy || draft.waiting}
        aria-describedby={id}
        onClick={() => draft.send({ kind: "review" })}
      >
        Save changes
      </button>
      <button
        type="button"
        disabled={saving.changed.length === 0 || busy || draft.locked}
        onClick={() => draft.send({ kind: "revert" })}
      >
        Discard changes
      </button>
      <span id={id} role="status" tabIndex={-1} data-focus>
        <bdi>{status}</bdi>
      </span>
    </div>
  );
}

function Rows({ review, titles }: { review: SavingReview; titles: Titles }) {
  return (
    <table class="cxw-changes">
      <thead>
        <tr>
          <th scope="col">Field</th>
          <th scope="col">On the server</th>
          <th scope="col">Will be</th>
        </tr>
      </thead>
      <tbody>
        {review.rows.map(({ path, before, after, meanwhile }) => (
          <tr key={path}>
            <th scope="row">{titles[path] ?? path}</th>
            <td>
              <Text value={before} />
              {meanwhile && <div class="cxw-meanwhile">Changed on the server since you read it.</div>}
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
    <ReviewDialog
      cancel={cancel}
      question={
        <>
          Save these changes of “<bdi>{draft.name}</bdi>”?
        </>
      }
    >
      {saving.message && (
        <p role="alert" class="cxw-meanwhile">
          <bdi>{saving.message}</bdi>
        </p>
      )}
      <Rows review={review} titles={titles} />
      {review.theirs.length > 0 && (
        <p>{namesOf(review.theirs, titles)} also changed on the server; the form shows that, and saving keeps it.</p>
      )}
      {permissions && (
        <p class="cxw-quiet">
          Copyright, credits and license are sent together; those that you did not change stay as they are.
        </p>
      )}
      <SentBy account={review.account} verb="saves" />
      <div class="cxw-row">
        <ConfirmOnce ticket={review.ticket} confirm={(ticket) => draft.send({ kind: "confirm", ticket })}>
          {overwrites ? "Overwrite with my changes" : "Save"}
        </ConfirmOnce>
        <button type="button" onClick={cancel}>
          Back to the form
        </button>
      </div>
    </ReviewDialog>
  );
}

function OutcomeList({ result, titles }: { result: SavingOutcome[]; titles: Titles }) {
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
                  (requested: <Quoted text={asked} />)
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
  const failure = saving.unclear
    ? "It is not known whether this was saved."
    : some
      ? "Not everything was saved."
      : "Nothing was saved.";
  return (
    <div role={failed ? "alert" : "status"} class={failed ? "cxw-failed" : "cxw-receipt"} tabIndex={-1} data-focus>
      <b>{failed ? failure : "Saved, and read back from the server."}</b> <bdi>{saving.message}</bdi>
      <OutcomeList result={saving.result} titles={titles} />
      <div class="cxw-row">
        {failed && saving.changed.length > 0 && (
          <button type="button" class="cxw-primary" onClick={() => draft.send({ kind: "review" })}>
            Check and retry save
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
          <progress aria-label="Saving" /> <bdi>{progress}</bdi>
        </div>
      )}
      {(phase === "saved" || phase === "failed") && <Outcomes {...props} />}
    </div>
  );
}
