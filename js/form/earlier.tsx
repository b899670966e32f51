// Edits of the same image that an earlier kernel kept and nobody published or saved: offered, never forced.

import type { AnyModel } from "@anywidget/types";
import type { DraftLink } from "../shared/draft_link.ts";
import { useTrait } from "../shared/mount.tsx";

export function EarlierEdits({ model, draft }: { model: AnyModel; draft: DraftLink }) {
  const saved = useTrait<string>(model, "earlier");
  const isPublished = Boolean(useTrait<{ phase?: string } | undefined>(model, "saving")?.phase);
  if (!saved) return null;
  const answer = (kind: string) => (event: MouseEvent) => {
    draft.send({ kind });
    // The buttons will be gone: the keyboard goes on in the form.
    if (!draft.gone) (event.currentTarget as Element).closest(".cxw-form")?.querySelector<HTMLElement>("input, textarea")?.focus({ preventScroll: true });
  };
  return (
    <div class="cxw-notice" role="status">
      You edited this image before ({new Date(saved).toLocaleString()}) and did not {isPublished ? "save" : "publish"} it.{" "}
      <button type="button" onClick={answer("restore")}>
        Restore these edits
      </button>{" "}
      <button type="button" onClick={answer("forget")}>
        Start afresh
      </button>
    </div>
  );
}
