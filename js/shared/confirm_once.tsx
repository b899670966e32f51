// The button that sends what a review has shown. One press is one sending: it is dead at once, and the kernel takes each ticket once.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

interface ConfirmOnceProps {
  /** Of the review. */
  ticket: string;
  confirm: (ticket: string) => void;
  /** Whether this review can be confirmed at all. */
  ready?: boolean;
  /** The id of the element that tells more. */
  describedBy?: string;
  children: ComponentChildren;
}

export function ConfirmOnce({ ticket, confirm, ready = true, describedBy, children }: ConfirmOnceProps) {
  const [confirmed, setConfirmed] = useState("");
  return (
    <button
      type="button"
      class="cxw-primary"
      aria-describedby={describedBy}
      disabled={!ready || confirmed === ticket}
      onClick={() => {
        setConfirmed(ticket);
        confirm(ticket);
      }}
    >
      {children}
    </button>
  );
}
