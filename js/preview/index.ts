/** The preview's entry point for anywidget. */

import type { RenderProps } from "@anywidget/types";
import { KernelLink } from "../shared/kernel_link.ts";
import { patchMessageHandler } from "../shared/message_handler.ts";
import { openView } from "../shared/open_view.ts";
import { registerFallback } from "../shared/static_fallback.ts";
import { PreviewView } from "./view.ts";
import "../shared/ui/colors.css";
import "./preview.css";
import "./solution.css";

const TOO_OLD = "The preview needs a browser from 2020 or later. Everything else works without it.";

/** Hide what the saved output shows in place of this preview (widgets/preview/embedded.py); returns what shows it again. */
function hideSavedPage(id: string): () => void {
  const style = document.createElement("style");
  style.textContent = `[data-cxw-saved="${CSS.escape(id)}"] { display: none }`;
  document.head.append(style);
  return () => style.remove();
}

function render({ model, el }: RenderProps<{ height: string; _saved_as: string }>): () => void {
  if (!("IntersectionObserver" in window)) {
    el.append(TOO_OLD);
    return () => {};
  }
  patchMessageHandler(model);
  const kernel = new KernelLink(model);
  const view = new PreviewView(kernel, model.get("height"));
  const opened = openView(kernel);
  view.onIdle = (idle) => (opened.idle = idle);
  const forget = registerFallback(model, () => view.staticFallback());
  const showSavedPage = hideSavedPage(model.get("_saved_as"));
  const resize = () => view.setHeight(model.get("height"));
  // The kernel is gone, or back: its response, or its silence, says which.
  const ask = () => void kernel.request("open").catch(() => {});
  model.on("change:height", resize);
  const stopWatching = kernel.subscribe(ask);
  el.append(view.element);
  void view.start();
  return () => {
    model.off("change:height", resize);
    stopWatching();
    view.remove();
    opened.close();
    forget();
    showSavedPage();
  };
}

export default { render };
