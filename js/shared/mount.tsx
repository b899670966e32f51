// Puts a Preact component into a widget's element, and takes it away again.

import type { AnyModel } from "@anywidget/types";
import { render, type ComponentType } from "preact";
import { useEffect, useLayoutEffect, useReducer, useState } from "preact/hooks";
import { DraftLink } from "./draft_link.ts";
import { keep } from "./keepsake.ts";
import { openView } from "./open_view.ts";

export interface ViewProps {
  model: AnyModel;
  draft: DraftLink;
}

/** An anywidget module that shows `View`, in an element of class `cxw`; a notebook is saved with `keepsake` in its place. */
export function widgetOf(View: ComponentType<ViewProps>, keepsake: (view: ViewProps) => Node) {
  return {
    render({ model, el }: { model: AnyModel; el: HTMLElement }) {
      const draft = new DraftLink(model);
      const closeView = openView(model);
      const forget = keep(model, () => keepsake({ model, draft }));
      el.classList.add("cxw");
      // JupyterLab's own keyboard shortcuts must not see what is typed into a field.
      el.dataset.lmSuppressShortcuts = "true";
      render(<View model={model} draft={draft} />, el);
      return () => {
        render(null, el);
        draft.dispose();
        closeView();
        forget();
      };
    },
  };
}

/** An id that nothing else in the page has. Preact's own `useId` counts in each widget from 0, and a page holds many. */
export function useUniqueId(): string {
  return useState(() => `cxw-${Math.random().toString(36).slice(2)}`)[0];
}

function useRedraw(): () => void {
  const [, redraw] = useReducer<number, void>((count) => count + 1, 0);
  return redraw;
}

// These listen from the moment of drawing on, not from the next frame: a change in between would never be shown.

/** Draws the component again whenever the draft changes. */
export function useDraft(draft: DraftLink): void {
  const redraw = useRedraw();
  useLayoutEffect(() => draft.subscribe(redraw), [draft, redraw]);
}

/** Whether edits have waited for the kernel for longer than a person takes for granted. */
export function useKernelIsLate(draft: DraftLink): boolean {
  const [late, setLate] = useState(false);
  const waiting = draft.waiting;
  useEffect(() => {
    if (!waiting) return setLate(false);
    const timer = setTimeout(() => setLate(true), 1500);
    return () => clearTimeout(timer);
  }, [waiting]);
  return late;
}

/** Says that the kernel's half of this widget is gone: nothing that is typed or pressed here reaches anybody. */
export function Gone({ draft, offers = true }: { draft: DraftLink; offers?: boolean }) {
  useDraft(draft);
  if (!draft.gone) return null;
  return (
    <div class="cxw-notice" role="alert">
      The kernel that made this was restarted or shut down. Run the cell again{offers && ": it offers what you had typed until then"}. What you type now is not
      kept.
    </div>
  );
}

/** A trait of the model, as state. */
export function useTrait<T>(model: AnyModel, name: string): T {
  const redraw = useRedraw();
  useLayoutEffect(() => {
    const changed = () => redraw();
    model.on(`change:${name}`, changed);
    return () => model.off(`change:${name}`, changed);
  }, [model, name, redraw]);
  return model.get(name) as T;
}
