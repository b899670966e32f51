/** Access to the whole widget model behind the part of it that anywidget hands out. */

import type { AnyModel } from "@anywidget/types";

interface RealModel {
  constructor: { model_module?: string };
  comm?: { on_msg?(handler: (...message: unknown[]) => unknown): void };
  comm_live?: boolean;
}

type Handler = { _handle_comm_msg?: (...message: unknown[]) => unknown };

const PROBE = "cxw_probe"; // not a trait: it is never sent

/**
 * Have the model's messages handled by its base class.
 *
 * anywidget gives a widget's module two seconds to load. If the page is busy for longer, as it is while twenty widgets are
 * made, that widget never receives another message: each one waits for a promise that was rejected. By the time a view is drawn
 * the module has loaded, so messages may bypass that promise.
 */
export function patchMessageHandler(model: AnyModel): void {
  const real = realModel(model);
  if (real?.constructor.model_module !== "anywidget") return;
  const ownClass = Object.getPrototypeOf(real) as Handler;
  const { _handle_comm_msg: handler } = Object.getPrototypeOf(ownClass) as Handler;
  if (Object.hasOwn(ownClass, "_handle_comm_msg") && handler) real.comm?.on_msg?.(handler.bind(real));
}

/** Call `changed` when the model's comm closes or opens, where the host reports it; returns what ends that. */
export function watchComm(model: AnyModel, changed: (live: boolean) => void): () => void {
  const update = () => {
    const live = realModel(model)?.comm_live;
    if (live !== undefined) changed(live);
  };
  model.on("comm_live_update", update);
  return () => model.off("comm_live_update", update);
}

/** The model itself, which its change events name. */
function realModel(model: AnyModel): RealModel | undefined {
  let real: RealModel | undefined;
  const take = (it: RealModel) => {
    real = it;
  };
  model.on(`change:${PROBE}`, take);
  model.set(PROBE, Math.random());
  model.off(`change:${PROBE}`, take);
  return real;
}
