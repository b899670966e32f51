/** Tells the kernel that a view of a widget is open: a widget without one does no work. See `DraftObserver` in Python. */

import type { KernelLink } from "./kernel_link.ts";

/** Report a view as open from now on; returns what reports it as closed. */
export function openView(kernel: Pick<KernelLink, "send">): () => void {
  const view = Math.random().toString(36).slice(2);
  const report = (open: boolean) => kernel.send({ kind: "view", view, open });
  const leave = () => report(false);
  const restore = (event: PageTransitionEvent) => event.persisted && report(true);
  window.addEventListener("pagehide", leave);
  window.addEventListener("pageshow", restore);
  report(true);
  return () => {
    window.removeEventListener("pagehide", leave);
    window.removeEventListener("pageshow", restore);
    leave();
  };
}
