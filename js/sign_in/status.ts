// What the kernel tells of a sign-in. No password and no token is ever in it.

export interface Status {
  phase: "out" | "busy" | "waiting" | "in";
  service: "constellations" | "images";
  api_url: string;
  /** Whether the official client keeps a sign-in here. */
  official: boolean;
  progress: string;
  /** What went wrong. */
  message: string;
  link: string;
  user_code: string;
  /** Whether the address of the page that the browser ended on can be pasted. */
  pastes: boolean;
  paste_message: string;
  username: string;
  handle: string;
  may: "" | "asking" | "yes" | "no" | "missing" | "unknown";
  handle_message: string;
}
