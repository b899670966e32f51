// What the kernel tells the page of a batch; see constellations_widgets/widgets/batch_publisher.py and its room-mates, which write it.

export type Phase = "editing" | "planning" | "review" | "sending" | "stopping" | "at rest";

export interface Row {
  /** Its number, counted from 0. */
  i: number;
  /** The news in which it was told: of two, the later one holds. */
  v: number;
  name: string;
  chosen: boolean;
  errors: number;
  warnings: number;
  state: string;
  reason: string;
  /** Whether somebody has to decide if it is published, and has (`anyway`). */
  decides: boolean;
  anyway: boolean;
  /** Whether the kernel can make a thumbnail of its files. */
  local: boolean;
  /** Address of its thumbnail on the web. */
  web: string;
  /** Of a published image; "" else. */
  id: string;
  record: string;
}

export interface Kind {
  kind: "publish" | "look" | "decide" | "before" | "skip" | "blocked";
  count: number;
  reasons: { reason: string; count: number; name: string }[];
  /** Reasons that are not shown. */
  more: number;
}

export interface Review {
  /** Goes back with the confirmation: it holds for this plan and no other. */
  ticket: string;
  /** How many would be published. */
  ready: number;
  kinds: Kind[];
}

export interface Status {
  phase: Phase;
  /** Number of the last news of rows. */
  news: number;
  /** By page: the last of its clicks on rows that the kernel has carried out and told. */
  heard: Record<string, number>;
  total: number;
  /** Chosen and not published. */
  open: number;
  /** All rows by state. */
  counts: Record<string, number>;
  /** The rows of the plan by state. */
  sent: Record<string, number>;
  handle: string;
  api_url: string;
  message: string;
  progress: string;
  /** Whether this shows a batch that an earlier run of the cell began. */
  continued: boolean;
  review: Review | null;
  undo: string;
  redo: string;
  /** What was typed in an earlier kernel. */
  earlier: { saved: string; count: number; fields: string[] } | null;
  /** Files that hold the receipts. */
  saved: string[];
}

/** What people call a row's state, in the order in which states are listed. */
export const STATES: Record<string, string> = {
  faulty: "has errors",
  unplanned: "not looked at",
  waiting: "waiting",
  sending: "sending",
  published: "published",
  failed: "failed",
  unclear: "unclear",
  undecided: "to decide",
  skipped: "skipped",
  blocked: "blocked",
};

export const images = (count: number) => `${count.toLocaleString("en")} image${count === 1 ? "" : "s"}`;

export const isBusy = ({ phase }: Status) => phase === "planning" || phase === "sending" || phase === "stopping";

/** How many of those that are to be sent are settled, and how many there are. */
export function progressOf({ sent }: Status): { done: number; of: number } {
  const count = (...states: string[]) => states.reduce((sum, state) => sum + (sent[state] ?? 0), 0);
  const done = count("published", "failed", "unclear");
  return { done, of: done + count("waiting", "sending") };
}

/** "87 published, 2 failed": what came of the rows of the plan. */
export function inWords(counts: Record<string, number>): string {
  const parts = Object.keys(STATES).flatMap((state) => (counts[state] ? [`${counts[state]!.toLocaleString("en")} ${STATES[state]}`] : []));
  return parts.join(", ");
}
