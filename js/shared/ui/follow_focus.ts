// Moves the focus along when a widget passes from one phase to the next, so that it is never lost.

import type { RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

/**
 * When `phase` changes and the focus was inside `root`, it goes to the first `[data-focus]` there. What had the focus is often gone by then,
 * and the browser or JupyterLab has put it on something around this. It goes there at once, not after the next frame: that comes late
 * on a busy machine, and would take the focus from where the user's next key has put it.
 */
export function useFollowingFocus(root: RefObject<HTMLElement | null>, phase: string): void {
  const before = useRef(phase);
  useLayoutEffect(() => {
    if (before.current === phase) return;
    before.current = phase;
    const active = document.activeElement;
    const moved = root.current?.contains(active) || active?.contains(root.current);
    if (moved) root.current?.querySelector<HTMLElement>("[data-focus]:not(:disabled)")?.focus();
  }, [phase, root]);
}

/**
 * When what has the focus inside `root` is removed, the focus goes to the first `[data-focus]` there. A change while the focus is
 * elsewhere moves nothing.
 */
export function useKeptFocus(root: RefObject<HTMLElement | null>): void {
  const had = root.current?.contains(document.activeElement) ?? false; // asked before this component's elements are changed
  useLayoutEffect(() => {
    if (had && !root.current?.contains(document.activeElement))
      root.current?.querySelector<HTMLElement>("[data-focus]:not(:disabled)")?.focus();
  });
}
