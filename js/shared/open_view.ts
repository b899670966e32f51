/** Tells the kernel that somebody looks at a widget: one that nobody looks at does no work. See `OnDraft` in Python. */

import type { AnyModel } from "@anywidget/types";
import { mendHearing } from "./hearing.ts";

/** A view is open from now on; call what this returns when it is closed. */
export function openView(model: AnyModel): () => void {
  mendHearing(model);
  const view = Math.random().toString(36).slice(2);
  const say = (open: boolean) => {
    try {
      model.send({ kind: "view", view, open });
    } catch {
      // The kernel is gone, and with it whatever would do the work.
    }
  };
  const leave = () => say(false);
  const back = (event: PageTransitionEvent) => event.persisted && say(true);
  window.addEventListener("pagehide", leave);
  window.addEventListener("pageshow", back);
  say(true);
  return () => {
    window.removeEventListener("pagehide", leave);
    window.removeEventListener("pageshow", back);
    leave();
  };
}
