/** The preview's entry point for anywidget. */

import type { RenderProps } from "@anywidget/types";
import { Comm } from "../shared/comm";
import { keep } from "../shared/keepsake";
import { openView } from "../shared/open_view";
import { PreviewView } from "./view";
import "./preview.css";

function render({ model, el }: RenderProps<{ height: string }>): () => void {
  const view = new PreviewView(new Comm(model), model.get("height"));
  const closeView = openView(model);
  const forget = keep(model, () => view.keepsake());
  const resize = () => view.setHeight(model.get("height"));
  model.on("change:height", resize);
  el.append(view.element);
  void view.start();
  return () => {
    model.off("change:height", resize);
    view.remove();
    closeView();
    forget();
  };
}

export default { render };
