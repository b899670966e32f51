// The dialog of a review, and the button that confirms it. It sends once: it is disabled at the first press, and the kernel accepts each
// ticket once. If the review is still there after a while, what was sent may be lost, and the button can be pressed again.

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";

const LOST = 8000; // ms after which the kernel has not got it, most probably

interface ConfirmOnceProps {
  /** Of the review. */
  ticket: string;
  confirm: (ticket: string) => void;
  /** Whether this review can be confirmed at all. */
  ready?: boolean;
  /** Not the primary button: there is a doubt. */
  plain?: boolean;
  /** The id of the element that describes it. */
  describedBy?: string;
  children: ComponentChildren;
}

interface ReviewDialogProps {
  question: ComponentChildren;
  cancel: () => void;
  children: ComponentChildren;
}

/** Moves the focus to its question when it opens; Escape cancels. */
export function ReviewDialog({ question, cancel, children }: ReviewDialogProps) {
  return (
    <section
      role="dialog"
      aria-label="Review"
      class="cxw-review"
      onKeyDown={(event) => event.key === "Escape" && cancel()}
    >
      <h3 tabIndex={-1} data-focus>
        {question}
      </h3>
      {children}
    </section>
  );
}

/**
 * Who sends: the account that is signed in in the notebook's kernel. In a shared notebook that is not the person who confirms, perhaps.
 */
export function SentBy({ account, verb }: { account: string; verb: "publishes" | "saves" }) {
  return (
    <p class="cxw-quiet cxw-sent-by">
      {account ? (
        <>
          Signed in as{" "}
          <b>
            <bdi>{account}</bdi>
          </b>{" "}
          in this notebook’s kernel
        </>
      ) : (
        "Signed in with a token in this notebook’s kernel"
      )}
      : that account {verb}, whoever confirms.
    </p>
  );
}

export function ConfirmOnce({ ticket, confirm, ready = true, plain = false, describedBy, children }: ConfirmOnceProps) {
  const [confirmed, setConfirmed] = useState("");
  useEffect(() => {
    if (!confirmed) return;
    const timer = setTimeout(() => setConfirmed(""), LOST);
    return () => clearTimeout(timer);
  }, [confirmed]);
  return (
    <button
      type="button"
      class={plain ? "cxw-confirm" : "cxw-primary cxw-confirm"}
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
