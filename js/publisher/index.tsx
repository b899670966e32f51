// Problems, then a review of exactly what will be sent and where, then progress, then the receipt.

import "../shared/theme.css";
import "./publisher.css";
import { useRef } from "preact/hooks";
import { FirstStep } from "../shared/first_step.tsx";
import { useFollowingFocus } from "../shared/follow_focus.ts";
import { type LeftoversState, LeftoversView } from "../shared/leftovers.tsx";
import { Gone, useDraft, useTrait, type ViewProps, widgetOf } from "../shared/mount.tsx";
import { countOf, ProblemList } from "../shared/problems.tsx";
import { keepsake } from "./keepsake.ts";
import { ReceiptView } from "./receipt.tsx";
import { ReviewView } from "./review.tsx";
import { SceneView } from "./scene.tsx";
import type { SceneState, Status } from "./status.ts";

type PanelProps = ViewProps & { status: Status };

/** Before the review: what stands in the way, and the button. */
function Start({ draft, status, titles }: PanelProps & { titles: Record<string, string> }) {
  const errors = draft.problems.filter((problem) => problem.severity === "error");
  const fields = [...new Set(errors.map((problem) => titles[problem.field] ?? "this image"))];
  const reason = status.blocked || (errors.length > 0 ? `Fix ${countOf(errors)} first: ${fields.join(", ")}.` : "");
  const planning = status.phase === "planning";
  const words = planning ? status.progress : reason || status.message || `Shows what would be sent to @${status.handle}; nothing is sent yet.`;
  return (
    <>
      <FirstStep label="Publish" begin={() => draft.send({ kind: "review" })} dead={reason !== "" || planning || draft.waiting} words={words} />
      {draft.problems.length > 0 && (
        <details>
          <summary>{countOf(draft.problems) || "Worth knowing"}</summary>
          <ProblemList draft={draft} titles={titles} />
        </details>
      )}
    </>
  );
}

function Sending({ status }: PanelProps) {
  return (
    <div class="cxw-row" role="status" tabIndex={-1} data-focus>
      <progress aria-label="Publishing" /> {status.progress}
    </div>
  );
}

/** Something went wrong: what, whether anything may have been published, and what can be done. */
function Failed({ draft, status }: PanelProps) {
  const unclear = status.phase === "unclear";
  return (
    <div role="alert" class="cxw-failed" tabIndex={-1} data-focus>
      <b>{unclear ? "It is not clear whether the image was published." : "Nothing was published."}</b> {status.message}
      <div class="cxw-row">
        {unclear && (
          <>
            <button type="button" class="cxw-primary" onClick={() => draft.send({ kind: "look" })}>
              Look again
            </button>
            <button type="button" onClick={() => draft.send({ kind: "resend" })}>
              It is not there: send it again
            </button>
          </>
        )}
        <button type="button" onClick={() => draft.send({ kind: "cancel" })}>
          Back to the draft
        </button>
      </div>
    </div>
  );
}

function Publisher(view: ViewProps) {
  const { model, draft } = view;
  useDraft(draft);
  const status = useTrait<Status>(model, "status");
  const titles = useTrait<Record<string, string>>(model, "titles");
  const leftovers = useTrait<LeftoversState>(model, "leftovers");
  const root = useRef<HTMLDivElement>(null);
  useFollowingFocus(root, status.phase);

  const props = { ...view, status };
  return (
    <>
      <LeftoversView state={leftovers} send={(message) => draft.send(message)} />
      <div ref={root} class="cxw-publisher" role="group" aria-label={`Send ${draft.name}`} data-phase={status.phase}>
        <Gone draft={draft} />
        {(status.phase === "editing" || status.phase === "planning") && <Start {...props} titles={titles} />}
        {status.phase === "review" && <ReviewView {...props} titles={titles} />}
        {status.phase === "sending" && <Sending {...props} />}
        {(status.phase === "failed" || status.phase === "unclear") && <Failed {...props} />}
        {status.phase === "published" && status.receipt && (
          <>
            <ReceiptView receipt={status.receipt} />
            <SceneView {...view} image={status.receipt} />
          </>
        )}
      </div>
    </>
  );
}

export default widgetOf(Publisher, ({ model, draft }) => keepsake(draft.name, model.get("status") as Status, model.get("scene") as SceneState));
