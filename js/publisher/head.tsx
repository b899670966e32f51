// The panel's first line: which image this is, whether it is saved or published, and where it goes. Shown only in a panel.

import { useState } from "preact/hooks";
import type { PublisherStatus } from "../protocol.ts";
import type { DraftLink } from "../shared/draft_link.ts";
import { isolated } from "../shared/foreign.ts";
import { type DraftViewProps, useTrait } from "../shared/mount.tsx";

const UNSAVED = "CXW902"; // edits can't be written to disk

const clock = (iso: string) => new Date(iso).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

function stateOf(draft: DraftLink, { phase, receipt }: PublisherStatus, saved: string): string {
  if (phase === "published" && receipt) return "published";
  if (phase === "sending") return "being published";
  if (phase === "unclear") return "outcome unclear";
  if (draft.gone) return "kernel gone";
  if (draft.waiting) return "draft · saving …";
  if (draft.problems.some(({ code }) => code === UNSAVED)) return "draft · not saved";
  return saved ? `draft · saved ${clock(saved)}` : "draft";
}

export function Head({ draft, status }: DraftViewProps & { status: PublisherStatus }) {
  const saved = useTrait<string>(draft.kernel, "saved");
  const [large, setLarge] = useState(false);
  const title = draft.text("note").trim() || draft.name;
  const enlarge = (event: MouseEvent) => {
    (event.currentTarget as Element).closest(".cxw-panel")?.classList.toggle("cxw-sky-large", !large);
    setLarge(!large);
  };
  return (
    <div class="cxw-head">
      <b class="cxw-head-title" title={isolated(title)}>
        <bdi>{title}</bdi>
      </b>
      <span class="cxw-tag cxw-head-state">{stateOf(draft, status, saved)}</span>
      <span class="cxw-head-gap" />
      <button type="button" class="cxw-enlarge" aria-pressed={large} onClick={enlarge}>
        {large ? "Reduce" : "Enlarge"}
      </button>
      {status.handle && (
        <span class="cxw-tag" title={isolated(status.api_url)}>
          <span class="cxw-head-handle">
            to @<bdi>{status.handle}</bdi>
            {status.sandbox && " · "}
          </span>
          {status.sandbox && (
            <>
              <b>SANDBOX</b> <code class="cxw-head-server">{status.api_url.replace(/^https?:\/\//, "")}</code>
            </>
          )}
        </span>
      )}
    </div>
  );
}
