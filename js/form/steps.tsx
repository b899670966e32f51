// Steps as an accordion: each shows whether it is done, and a summary while it is closed.

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useUniqueId } from "../shared/mount.tsx";

export type StepState = "done" | "open" | "advice" | "attention" | "neutral";

interface StepProps {
  /** "1", or "⋯" for what most people leave alone. */
  number: string;
  title: string;
  summary: string;
  state: StepState;
  open: boolean;
  toggle: () => void;
  disabled: boolean;
  children: () => ComponentChildren;
}

const WORDS: Record<StepState, string> = {
  done: "done",
  open: "not complete",
  advice: "has recommendations",
  attention: "needs attention",
  neutral: "",
};

export function Step({ number, title, summary, state, open, toggle, disabled, children }: StepProps) {
  const id = useUniqueId();
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    // The step above it has closed: in a narrow panel the title would be behind the sky.
    if (open && button.current?.matches(":focus")) button.current.scrollIntoView({ block: "nearest" });
  }, [open]);
  return (
    <section class="cxw-step" data-state={state}>
      <h3>
        <button
          ref={button}
          type="button"
          aria-expanded={open}
          aria-controls={open ? id : undefined}
          aria-describedby={`${id}-about`}
          onClick={toggle}
        >
          <span class="cxw-step-sign" aria-hidden="true">
            {state === "done" ? "✓" : state === "attention" || state === "advice" ? "!" : number}
          </span>
          <span class="cxw-step-title">{title}</span>
        </button>
      </h3>
      {/* Beside the button, not in it: its name stays short. */}
      <div id={`${id}-about`} class="cxw-step-summary">
        <span class="cxw-hidden">{WORDS[state]}</span> {!open && <bdi>{summary}</bdi>}
      </div>
      {open && (
        <div id={id} role="region" aria-label={title} class="cxw-step-body">
          <fieldset disabled={disabled}>{children()}</fieldset>
        </div>
      )}
    </section>
  );
}
