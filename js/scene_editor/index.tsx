// The form of one scene, new or at the server.

import "../shared/ui/theme.css";
import type { SceneState } from "../protocol.ts";
import { isolated } from "../shared/foreign.ts";
import { useGone, useTrait, type ViewProps, widgetOf } from "../shared/mount.tsx";
import { SceneView } from "../shared/scene/view.tsx";
import { paragraph } from "../shared/static_fallback.ts";
import { KernelGone } from "../shared/ui/kernel_notices.tsx";

function SceneEditor({ kernel }: ViewProps) {
  const state = useTrait<SceneState>(kernel, "scene");
  const gone = useGone(kernel);
  const send = (action: string, more: object = {}) => kernel.send({ kind: "scene", action, ...more });
  return (
    <>
      <KernelGone kernel={kernel} loses={false} />
      <SceneView state={state} send={send} gone={gone} />
    </>
  );
}

function staticFallback({ kernel }: ViewProps): Node {
  const text = kernel.trait<SceneState>("scene").form?.text ?? "";
  return paragraph(`The form of the scene “${isolated(text.slice(0, 80))}”. Run the cell to go on with it.`);
}

export default widgetOf(SceneEditor, staticFallback);
