// The keyboard follows what happens in a part of the page.

import { type RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";

/**
 * The keyboard goes along: to the review when it opens, to the outcome when it comes, back when it is left. What had the focus is
 * often gone by then, and the browser or JupyterLab has put the focus on something around `root`.
 */
export function useFocusAlong(root: RefObject<HTMLElement | null>, phase: string): void {
  const last = useRef(phase);
  useEffect(() => {
    if (last.current === phase) return;
    const active = document.activeElement;
    const moved = root.current?.contains(active) || active?.contains(root.current);
    last.current = phase;
    if (moved) root.current?.querySelector<HTMLElement>("[data-focus]:not(:disabled)")?.focus();
  }, [phase]);
}
