// After the receipt: a scene of the image. Its form opens on demand; a scene that was made before is shown.

import { useState } from "preact/hooks";
import type { SceneState } from "../protocol.ts";
import { type DraftViewProps, useTrait } from "../shared/mount.tsx";
import { SceneView } from "../shared/scene/view.tsx";

export function SceneOffer({ draft }: DraftViewProps) {
  const state = useTrait<SceneState>(draft.kernel, "scene");
  const [open, setOpen] = useState(false);
  const send = (action: string, more: object = {}) => {
    if (action === "another") setOpen(true);
    draft.send({ kind: "scene", action, ...more });
  };
  const begin = () => {
    setOpen(true);
    send("open");
  };
  const isOffer = state.phase === "editing" && !state.exists && !open;
  return <SceneView state={state} send={send} gone={draft.gone} offer={isOffer ? begin : null} />;
}
