// Renders a Preact component into a widget's element, and removes it again; hooks that draw it again when something changes.

import type { AnyModel } from "@anywidget/types";
import { type ComponentType, type FunctionComponent, render } from "preact";
import { useEffect, useLayoutEffect, useReducer, useState } from "preact/hooks";
import { DraftLink } from "./draft_link.ts";
import { withoutMathJax } from "./foreign.ts";
import { keepFromHost } from "./keep_from_host.ts";
import { KernelLink } from "./kernel_link.ts";
import { patchMessageHandler } from "./message_handler.ts";
import { openView } from "./open_view.ts";
import { focusPressed } from "./press.ts";
import { registerFallback } from "./static_fallback.ts";

export interface ViewProps {
  kernel: KernelLink;
}

export interface DraftViewProps {
  draft: DraftLink;
}

interface Rendering {
  model: AnyModel;
  el: HTMLElement;
}

/** An anywidget module that shows `View` in an element of class `cxw`; a saved notebook shows `fallback` in its place. */
export function widgetOf(View: ComponentType<ViewProps>, fallback: (view: ViewProps) => Node) {
  return {
    render: ({ model, el }: Rendering) => mount(model, el, View, fallback, (kernel) => [{ kernel }, () => {}]),
  };
}

/** The same for a widget that shows a draft. */
export function draftWidgetOf(View: ComponentType<DraftViewProps>, fallback: (view: DraftViewProps) => Node) {
  const makeProps = (kernel: KernelLink): [DraftViewProps, () => void] => {
    const draft = new DraftLink(kernel);
    return [{ draft }, () => draft.dispose()];
  };
  return { render: ({ model, el }: Rendering) => mount(model, el, View, fallback, makeProps) };
}

function mount<Props extends object>(
  model: AnyModel,
  el: HTMLElement,
  View: ComponentType<Props>,
  fallback: (view: Props) => Node,
  makeProps: (kernel: KernelLink) => [props: Props, dispose: () => void],
): () => void {
  patchMessageHandler(model);
  const kernel = new KernelLink(model);
  const [props, dispose] = makeProps(kernel);
  const opened = openView(kernel);
  const forget = registerFallback(model, () => fallback(props));
  el.classList.add("cxw");
  withoutMathJax(el);
  el.addEventListener("keydown", keepFromHost);
  el.addEventListener("mousedown", focusPressed);
  const Component = View as FunctionComponent<Props>;
  render(<Component {...props} />, el);
  return () => {
    render(null, el);
    el.removeEventListener("keydown", keepFromHost);
    el.removeEventListener("mousedown", focusPressed);
    dispose();
    opened.close();
    kernel.close();
    forget();
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

const PERIOD = 200; // ms

/** A function that draws the component again in the next frame, once for many calls. */
export function useRedrawSoon(): () => void {
  const redraw = useRedraw();
  const [soon] = useState(() => {
    let waiting = false;
    return () => {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => {
        waiting = false;
        redraw();
      });
    };
  });
  return soon;
}

// These listen from the moment of drawing on, not from the next frame: a change in between would never be shown.

/** Draw the component again whenever the draft changes. */
export function useDraft(draft: DraftLink): void {
  const redraw = useRedraw();
  useLayoutEffect(() => draft.subscribe(redraw), [draft, redraw]);
}

/**
 * The same for what stands beside the field in use: redrawn at once for the first change, then at most once in `PERIOD`, so that it
 * takes no time from each key.
 */
export function useDraftInPeriods(draft: DraftLink): void {
  const redraw = useRedraw();
  useLayoutEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let changed = false;
    const next = () => {
      timer = changed ? setTimeout(next, PERIOD) : undefined;
      if (changed) redraw();
      changed = false;
    };
    const unsubscribe = draft.subscribe(() => {
      changed = true;
      if (timer === undefined) next();
    });
    return () => {
      clearTimeout(timer);
      unsubscribe();
    };
  }, [draft, redraw]);
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

/** Whether the kernel's half is gone. */
export function useGone(kernel: KernelLink): boolean {
  const redraw = useRedraw();
  useLayoutEffect(() => kernel.subscribe(redraw), [kernel, redraw]);
  return kernel.gone;
}

/** Whether the kernel has not responded for a while. */
export function useSilence(kernel: KernelLink): boolean {
  const [silent, setSilent] = useState(false);
  useEffect(() => {
    kernel.onSilence = setSilent;
  }, [kernel]);
  return silent;
}

/** A trait of the model, as state. */
export function useTrait<T>(kernel: KernelLink, name: string): T {
  const redraw = useRedraw();
  useLayoutEffect(() => kernel.onTrait(name, redraw), [kernel, name, redraw]);
  return kernel.trait<T>(name);
}

/** Properties of an input that follows the kernel's value, but not while it is typed in: an echo of what was typed earlier comes late. */
export function useTyped(value: string, take: (value: string) => void) {
  const [typed, setTyped] = useState<string | null>(null);
  const onInput = (event: { currentTarget: { value: string } }) => {
    setTyped(event.currentTarget.value);
    take(event.currentTarget.value);
  };
  return { value: typed ?? value, onInput, onBlur: () => setTyped(null) };
}
