// What is missing, then a review of exactly what will be sent and where, then progress, then the receipt.

import "../shared/ui/theme.css";
import "../panel/panel.css";
import "./publisher.css";
import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Findings, findings, type Group } from "../panel/findings.tsx";
import { goTo } from "../panel/go_to.ts";
import type { PendingState, PublisherStatus, SceneState } from "../protocol.ts";
import { isolated } from "../shared/foreign.ts";
import { type DraftViewProps, draftWidgetOf, useDraftInPeriods, useSilence, useTrait } from "../shared/mount.tsx";
import { PendingAttemptsView } from "../shared/pending_attempts.tsx";
import { useFollowingFocus } from "../shared/ui/follow_focus.ts";
import { KernelGone, KernelSilent } from "../shared/ui/kernel_notices.tsx";
import { Head } from "./head.tsx";
import { PublishedBefore } from "./published_before.tsx";
import { ReceiptView } from "./receipt.tsx";
import { ReviewView } from "./review.tsx";
import { SceneOffer } from "./scene.tsx";
import { staticFallback } from "./static_fallback.ts";

type PanelProps = DraftViewProps & { status: PublisherStatus };

const blockingOf = (groups: Group[]) => groups.find(({ kind }) => kind === "missing" || kind === "to fix");

/** Set the height of the foot on the panel, so that no field that gets the focus is scrolled behind it. */
function useScrollPadding(foot: RefObject<HTMLElement | null>) {
  useEffect(() => {
    const element = foot.current!;
    const observer = new ResizeObserver(() => {
      const panel = element.closest<HTMLElement>(".cxw-panel");
      panel?.style.setProperty("--cxw-foot-now", `${element.offsetHeight}px`);
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
}

/** The foot: the button, and the only list of what stands in the way. */
function Foot({ draft, status, titles, id }: PanelProps & { titles: Record<string, string>; id: string }) {
  const row = useRef<HTMLDivElement>(null);
  useScrollPadding(row);
  const groups = findings(draft, titles, status.sandbox);
  const blocking = blockingOf(groups);
  const planning = status.phase === "planning";
  const [refused, setRefused] = useState(false);
  const begin = () => {
    const now = blockingOf(findings(draft, titles, status.sandbox)); // what is shown may be a moment older
    setRefused(now !== undefined);
    if (now) goTo(row.current, id, now.items[0]!.path, true);
    else draft.send({ kind: "review" });
  };
  const { account } = status;
  const note = planning ? status.progress : status.blocked || account.message || status.message;
  return (
    <div ref={row} class="cxw-foot">
      <button
        type="button"
        class="cxw-primary"
        data-focus
        disabled={status.blocked !== "" || account.blocks || planning || draft.gone}
        onClick={begin}
      >
        Review and publish…
      </button>
      <span class="cxw-foot-list" role="status" tabIndex={-1} data-focus>
        {note ? (
          <>
            <bdi>{note}</bdi>{" "}
            {account.blocks && (
              <button type="button" onClick={() => draft.send({ kind: "check_account" })}>
                Check again
              </button>
            )}
            {planning && (
              <button type="button" onClick={() => draft.send({ kind: "cancel" })}>
                Cancel
              </button>
            )}
          </>
        ) : (
          <>
            <Findings groups={groups} goTo={(path) => goTo(row.current, id, path)} none="Ready to review." />
            {refused && blocking && <span class="cxw-hidden"> Not published: fill in what is missing first.</span>}
          </>
        )}
      </span>
      <span class="cxw-quiet cxw-foot-note">Nothing is sent before you confirm.</span>
    </div>
  );
}

function Sending({ draft, status }: PanelProps) {
  return (
    <div class="cxw-row" role="status" tabIndex={-1} data-focus>
      {!draft.gone && <progress aria-label="Publishing" />} <bdi>{status.progress}</bdi>
      {status.waiting && (
        <button type="button" onClick={() => draft.send({ kind: "cancel" })}>
          Stop waiting
        </button>
      )}
    </div>
  );
}

/** Something went wrong: what, whether anything may have been published, and what can be done. */
function Failed({ draft, status }: PanelProps) {
  const unclear = status.phase === "unclear";
  return (
    <div role="alert" class="cxw-failed" tabIndex={-1} data-focus>
      <b>{unclear ? "It is not clear whether the image was published." : "Nothing was published."}</b>{" "}
      <bdi>{status.message}</bdi>
      <div class="cxw-row">
        {unclear && (
          <>
            <button type="button" class="cxw-primary" onClick={() => draft.send({ kind: "check" })}>
              Look again
            </button>
            <button type="button" onClick={() => draft.send({ kind: "resend" })}>
              Not on the server: send again
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

/** What running the cell again does, once the kernel is gone, where no form says that it restores edits. */
const AGAIN: Partial<Record<PublisherStatus["phase"], string>> = {
  sending: "to see whether the image was published",
  unclear: "to see whether the image was published",
  published: "to continue",
};

function Publisher({ draft }: DraftViewProps) {
  const { kernel } = draft;
  useDraftInPeriods(draft);
  const status = useTrait<PublisherStatus>(kernel, "status");
  const titles = useTrait<Record<string, string>>(kernel, "titles");
  const pending = useTrait<PendingState>(kernel, "pending_attempts");
  const root = useRef<HTMLDivElement>(null);
  useFollowingFocus(root, status.phase);
  const silent = useSilence(kernel);

  const props = { draft, status };
  const id = kernel.trait<string>("draft_id");
  const edit = () => draft.send({ kind: "edit_published" });
  const starts = status.phase === "editing" || status.phase === "planning";
  return (
    <>
      <PendingAttemptsView state={pending} send={(message) => draft.send(message)} />
      <div
        ref={root}
        class="cxw-publisher"
        role="group"
        aria-label={`Publish ${isolated(draft.name)}`}
        data-phase={status.phase}
      >
        <Head {...props} />
        <KernelSilent silent={silent && !draft.gone} />
        {starts && <PublishedBefore kernel={kernel} />}
        {!starts && (
          <div class="cxw-publish-body">
            <KernelGone kernel={kernel} again={AGAIN[status.phase]} loses={false} />
            {status.phase === "review" && <ReviewView {...props} titles={titles} />}
            {status.phase === "sending" && <Sending {...props} />}
            {(status.phase === "failed" || status.phase === "unclear") && <Failed {...props} />}
            {status.phase === "published" && status.receipt && (
              <>
                <ReceiptView receipt={status.receipt} message={status.message} edit={status.edits ? edit : null} />
                <SceneOffer draft={draft} />
              </>
            )}
          </div>
        )}
        {status.editing && (
          <div class="cxw-foot">
            <button type="button" onClick={edit}>
              Back to the receipt
            </button>
          </div>
        )}
        {starts && (
          <>
            <KernelGone kernel={kernel} loses={false} />
            <Foot {...props} titles={titles} id={id} />
          </>
        )}
      </div>
    </>
  );
}

export default draftWidgetOf(Publisher, ({ draft: { name, kernel } }) =>
  staticFallback(name, kernel.trait<PublisherStatus>("status"), kernel.trait<SceneState>("scene")),
);
