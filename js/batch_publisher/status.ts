// The state of a batch, its rows and its review, in words.

import type { BatchReviewKind, BatchRow, BatchStatus } from "../protocol.ts";
import type { DraftViewProps } from "../shared/mount.tsx";

export type { BatchReviewKind as Kind, BatchRow as Row, BatchStatus as Status };

/** What every part of the table's view is given. */
export interface PartProps extends DraftViewProps {
  status: BatchStatus;
}

/** Labels of the states of rows, in the order in which they are listed. */
export const STATES: Record<string, string> = {
  invalid: "has errors",
  unplanned: "not checked",
  waiting: "waiting",
  sending: "sending",
  published: "published",
  failed: "failed",
  unclear: "unclear",
  undecided: "needs review",
  skipped: "skipped",
  blocked: "blocked",
};

export const images = (count: number) => `${count.toLocaleString("en")} image${count === 1 ? "" : "s"}`;

export const isBusy = ({ phase }: BatchStatus) => phase === "planning" || phase === "sending" || phase === "stopping";

/** Number of planned images that are finished, and of all planned images. */
export function progressOf({ sent }: BatchStatus): { done: number; of: number } {
  const count = (...states: string[]) => states.reduce((sum, state) => sum + (sent[state] ?? 0), 0);
  const done = count("published", "failed", "unclear");
  return { done, of: done + count("waiting", "sending") };
}

/** "87 published, 2 failed": the states of the planned rows. */
export function inWords(counts: Record<string, number>): string {
  const parts = Object.keys(STATES).flatMap((state) =>
    counts[state] ? [`${counts[state]!.toLocaleString("en")} ${STATES[state]}`] : [],
  );
  return parts.join(", ");
}
