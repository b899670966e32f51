/**
 * The preview is made of parts: the image, the sky behind it, where the view looks. Each knows one thing, keeps what it needs to
 * restore it in a new app, and is notified when the app starts, sends a message, has drawn a frame and ends.
 */

import type { Engine } from "./engine/engine.ts";
import type { Addresses } from "./frame/addresses.ts";
import type { AppMessage, Frame } from "./frame/frame.ts";

/** The app as it runs in its frame. */
export interface App {
  frame: Frame;
  /** The side door, null where it does not open. */
  engine: Engine | null;
  addresses: Addresses;
  /** Whether it has all messages, and the next frame would look like the last one; false where the side door does not open. */
  readonly atRest: boolean;
  /** Post a message to the app, and have it draw. */
  post(message: AppMessage): void;
  /** Has it draw: something has changed that was no message. */
  wake(): void;
  /** Has it draw in this task, or soon: something has changed that is all here. */
  drawSoon(): void;
}

export interface Part {
  /** What stands in the toolbar for this part. */
  readonly controls?: readonly HTMLElement[];
  /** What is used once in a while: behind ⋯ where there is no room for all. */
  readonly more?: readonly HTMLElement[];
  /** The app listens, and knows nothing: at first, after the browser has emptied its frame, after it was paused. */
  appReady?(app: App): void;
  /** The app sent a message; its messages are those of the npm package @wwtelescope/research-app-messages. */
  onMessage?(message: Record<string, unknown>): void;
  /** A frame was drawn. */
  drawn?(app: App): void;
  /** The app is gone, for now or for good. */
  appGone?(): void;
}
