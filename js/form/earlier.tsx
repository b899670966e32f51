// Edits of the same image that an earlier kernel kept and nobody published: offered, never forced.

import type { AnyModel } from "@anywidget/types";
import { useTrait } from "../shared/mount.tsx";

export function EarlierEdits({ model }: { model: AnyModel }) {
  const saved = useTrait<string>(model, "earlier");
  if (!saved) return null;
  return (
    <div class="cxw-notice" role="status">
      You edited this image before ({new Date(saved).toLocaleString()}) and did not publish it.{" "}
      <button type="button" onClick={() => model.send({ kind: "restore" })}>
        Restore these edits
      </button>{" "}
      <button type="button" onClick={() => model.send({ kind: "forget" })}>
        Start afresh
      </button>
    </div>
  );
}
