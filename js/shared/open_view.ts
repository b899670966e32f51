/** Tells the kernel that a view of a widget is open: a widget without one does no work. See `DraftObserver` in Python. */

import type { KernelLink } from "./kernel_link.ts";

export interface OpenView {
  /** Whether the view needs no updates for now. It must request the present state before it shows it again. */
  idle: boolean;
  /** Report the view as closed. */
  close(): void;
}

/** Report a view as open from now on. */
export function openView(kernel: Pick<KernelLink, "report">): OpenView {
  const view = Math.random().toString(36).slice(2);
  let idle = false;
  const report = (open: boolean) =>
    kernel.report({ kind: "view", view, open, ...(open && idle && { updates: false }) });
  const leave = () => report(false);
  const restore = (event: PageTransitionEvent) => event.persisted && report(true);
  window.addEventListener("pagehide", leave);
  window.addEventListener("pageshow", restore);
  report(true);
  return {
    get idle() {
      return idle;
    },
    set idle(value: boolean) {
      idle = value;
      report(true);
    },
    close() {
      window.removeEventListener("pagehide", leave);
      window.removeEventListener("pageshow", restore);
      leave();
    },
  };
}
