// What the kernel tells of saving a published image; see constellations_widgets/widgets/saving.py, which writes it.

import type { Value } from "../shared/types.ts";

export interface Saving {
  phase: "editing" | "reading" | "review" | "saving" | "saved" | "failed";
  /** Paths of the fields that are not as the server has them. */
  changed: string[];
  /** Why nothing can be saved by this account, "" if it can. */
  blocked: string;
  message: string;
  progress: string;
  review: Review | null;
  /** What became of each field that was to change. */
  result: Outcome[];
  /** Whether it failed in a way that leaves open what became of it. */
  unclear: boolean;
  place: { id: string; handle: string; api_url: string; record_url: string; wtml_url: string };
}

export interface Review {
  /** Names this review: confirming another one does nothing. */
  ticket: string;
  rows: { path: string; before: Value; after: Value; meanwhile: boolean }[];
  /** What somebody else has changed and this form has not. */
  theirs: { path: string; now: Value }[];
}

export interface Outcome {
  field: string;
  before: string;
  asked: string;
  now: string;
  made: boolean;
}
