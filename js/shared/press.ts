// While the button of a pointer is down: what the widget draws meanwhile, and where the focus goes.

import { useCallback, useEffect, useRef } from "preact/hooks";

/**
 * A function that does `work` now, or, while a pointer is pressed, after the click that ends the press. A message that is drawn during
 * a press moves what is below it, and the click would miss.
 */
export function useAfterPress(): (work: () => void) => void {
  const waiting = useRef<(() => void)[] | null>(null); // null unless pressed
  useEffect(() => {
    const press = () => {
      waiting.current ??= [];
    };
    const release = () =>
      setTimeout(() => {
        const works = waiting.current ?? [];
        waiting.current = null;
        for (const work of works) work();
      });
    const listeners = { pointerdown: press, pointerup: release, pointercancel: release };
    const all = Object.entries(listeners);
    for (const [name, listener] of all) window.addEventListener(name, listener, true);
    return () => all.forEach(([name, listener]) => window.removeEventListener(name, listener, true));
  }, []);
  return useCallback((work) => (waiting.current ? void waiting.current.push(work) : work()), []);
}

/**
 * Give a button the focus when it is pressed. On macOS, Safari and Firefox give it to what is around instead: the keys that follow would
 * be commands of JupyterLab, and what closes when the focus leaves it would close before the click.
 */
export function focusPressed(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || !/^(Mac|iP)/.test(navigator.platform)) return;
  const button = (event.target as Element).closest<HTMLElement>(
    "button, summary, input[type=checkbox], input[type=radio]",
  );
  if (!button || button.matches(":disabled")) return;
  event.preventDefault();
  button.focus({ preventScroll: true, focusVisible: false } as FocusOptions);
}
