/** The preview's entry point for anywidget. */

import type { RenderProps } from "@anywidget/types";
import { Comm } from "../shared/comm";
import { keep } from "../shared/keepsake";
import { openView } from "../shared/open_view";
import { PreviewView } from "./view";
import "./preview.css";

const TOO_OLD = "This browser is too old for the preview, which needs one of 2020 or later. Everything else works without.";

function render({ model, el }: RenderProps<{ height: string }>): () => void {
  if (!("IntersectionObserver" in window)) {
    el.append(TOO_OLD);
    return () => {};
  }
  const comm = new Comm(model);
  const view = new PreviewView(comm, model.get("height"));
  const closeView = openView(model);
  const forget = keep(model, () => view.keepsake());
  const resize = () => view.setHeight(model.get("height"));
  // The kernel is gone, or back: its answer, or its silence, says which.
  const ask = () => void comm.ask("open").catch(() => {});
  model.on("change:height", resize);
  model.on("comm_live_update", ask);
  el.append(view.element);
  void view.start();
  return () => {
    model.off("change:height", resize);
    model.off("comm_live_update", ask);
    view.remove();
    closeView();
    forget();
  };
}

export default { render };
