// What the kernel tells the page of a publication; see constellations_widgets/widgets/publisher.py, which writes it.

/** What exactly will be sent. */
export interface Request {
  /** Goes back with the confirmation: it holds for this review and no other. */
  ticket: string;
  /** "POST https://…/handle/me/image" */
  request: string;
  /** The exact body, as text. */
  body: string;
  size: number;
}

export interface Review extends Request {
  /** Whether it can be confirmed. */
  ready: boolean;
  /** Why not, or what is to be known before. */
  reasons: string[];
}

export interface ReceiptState {
  id: string;
  handle: string;
  api_url: string;
  created: string;
  record_url: string;
  wtml_url: string;
  /** The handle's page, "" where the API has no website. */
  handle_url: string;
  note: string;
  key: string;
  body_sha256: string;
  /** What was sent, as text. */
  body: string;
  /** Whether the draft still says what was sent. */
  same: boolean;
}

/** A scene of the published image; see constellations_widgets/widgets/scene_offer.py. */
export interface SceneState {
  phase: "none" | "offer" | "review" | "sending" | "failed" | "unclear" | "made";
  progress: string;
  message: string;
  review: (Request & { looks: string; published: boolean }) | null;
  receipt: { id: string; record_url: string; scene_url: string | null; handle_url: string | null; published: boolean } | null;
  /** Whether there is a preview whose view the scene can have. */
  preview: boolean;
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
