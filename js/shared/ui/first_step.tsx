// The button that begins something, and beside it why it can't, or what it would do: read with the button, and aloud when it changes.

import type { ComponentChildren } from "preact";
import { useUniqueId } from "../mount.tsx";

interface FirstStepProps {
  label: string;
  begin: () => void;
  dead: boolean;
  words: string;
  /** Other buttons. */
  children?: ComponentChildren;
}

export function FirstStep({ label, begin, dead, words, children }: FirstStepProps) {
  const id = useUniqueId();
  return (
    <div class="cxw-row">
      <button type="button" class="cxw-primary" data-focus disabled={dead} aria-describedby={id} onClick={begin}>
        {label}
      </button>
      {children}
      <span id={id} role="status" tabIndex={-1} data-focus>
        <bdi>{words}</bdi>
      </span>
    </div>
  );
}
