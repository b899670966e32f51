// What a list opens is a widget of its own, below the list and perhaps out of sight: scroll to it, and move the focus there and back.

import type { RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { OpenedRecord } from "../protocol.ts";

const LONGEST = 10_000; // ms in which it must have opened
const FORM = "[data-focus], [data-path] input, [data-path] textarea, [data-path] select";
const SKY = ".cxw-preview";

/** Around the list and what it opens: the kernel's box, as ipywidgets draws it. */
export const boxOf = (element: Element | null) => element?.closest(".widget-box") ?? null;

/** Call `then` with what `find` finds once it is drawn; returns what ends that. */
export function whenDrawn(find: () => HTMLElement | null | undefined, then: (found: HTMLElement) => void): () => void {
  const end = performance.now() + LONGEST;
  let frame = requestAnimationFrame(function look() {
    const found = find();
    if (found) then(found);
    else if (performance.now() < end) frame = requestAnimationFrame(look);
  });
  return () => cancelAnimationFrame(frame);
}

/**
 * When a record is there that a button in this page has opened, scroll to it, and move the focus into its form. When it is closed and the
 * focus was in it, the focus returns to the button. Returns what to call when a button is pressed.
 */
export function useOpenedBelow(root: RefObject<HTMLElement | null>, opened: OpenedRecord): () => void {
  const pressed = useRef<HTMLElement | null>(null);
  const before = useRef<ReadonlySet<Element>>(new Set());
  const waits = useRef(false);

  useLayoutEffect(() => {
    if (!waits.current || opened.phase !== "open") return;
    const isForm = opened.what !== "sky";
    const isNew = (it: Element) => !root.current?.contains(it) && !before.current.has(it);
    const find = () =>
      [...(boxOf(root.current)?.querySelectorAll<HTMLElement>(isForm ? FORM : SKY) ?? [])].find(
        (it) => isNew(it.closest(".cxw") ?? it) && !it.matches(":disabled") && !(isForm && it.closest(SKY)),
      );
    return whenDrawn(find, (found) => {
      waits.current = false;
      const active = document.activeElement;
      const isElsewhere = active && active !== pressed.current && !active.contains(root.current);
      if (isForm && !isElsewhere) found.focus({ preventScroll: true });
      found.scrollIntoView({ block: isForm ? "center" : "nearest" });
    });
  }, [opened.phase, opened.what, opened.id]);

  useLayoutEffect(() => {
    if (opened.phase !== "") return;
    const button = pressed.current;
    pressed.current = null;
    waits.current = false;
    const active = document.activeElement;
    const wasBelow = !active || active.contains(root.current) || boxOf(root.current)?.contains(active);
    if (!button || !wasBelow || root.current?.contains(active)) return;
    (button.isConnected ? button : root.current?.querySelector<HTMLElement>('[data-control][tabindex="0"]'))?.focus();
  }, [opened.phase]);

  return () => {
    const active = document.activeElement;
    if (active instanceof HTMLElement && root.current?.contains(active)) pressed.current = active;
    before.current = new Set(boxOf(root.current)?.querySelectorAll(`.cxw, ${SKY}`));
    waits.current = true;
  };
}
