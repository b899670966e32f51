// What the kernel tells the page of a publication; see constellations_widgets/widgets/publisher.py, which writes it.

export interface Review {
  /** Goes back with the confirmation: it holds for this review and no other. */
  ticket: string;
  /** Whether it can be confirmed. */
  ready: boolean;
  /** Why not, or what is to be known before. */
  reasons: string[];
  /** "POST https://…/handle/me/image" */
  request: string;
  /** The exact body, as text. */
  body: string;
  size: number;
}

export interface ReceiptState {
  id: string;
  handle: string;
  api_url: string;
  created: string;
  record_url: string;
  wtml_url: string;
  /** Whether the draft still says what was sent. */
  same: boolean;
}

export interface Status {
  phase: "editing" | "planning" | "review" | "sending" | "published" | "failed" | "unclear";
  handle: string;
  api_url: string;
  /** Why nothing can be published here at all, "" if it can. */
  blocked: string;
  progress: string;
  message: string;
  review: Review | null;
  receipt: ReceiptState | null;
}
