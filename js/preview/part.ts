/**
 * The preview is made of parts: the image, the sky behind it, where the view looks. Each knows one thing, keeps what it needs to
 * tell the app of it again, and is told when the app begins, says something, has drawn a frame and ends.
 */

import type { Addresses } from "./addresses";
import type { Engine } from "./engine";
import type { AppMessage, Frame } from "./frame";

/** The app as it runs in its frame. */
export interface App {
  frame: Frame;
  /** The side door, null where it does not open. */
  engine: Engine | null;
  addresses: Addresses;
  /** Says something to the app, and has it draw. */
  post(message: AppMessage): void;
  /** Has it draw: something has changed that was no message. */
  wake(): void;
  /** Has it draw in this task, or soon: something has changed that is all here. */
  drawSoon(): void;
}

export interface Part {
  /** What stands in the toolbar for this part. */
  readonly controls?: readonly HTMLElement[];
  /** The app listens, and knows nothing: at first, after the browser has emptied its frame, after it was parked. */
  appReady?(app: App): void;
  /** The app said something; its messages are those of the npm package @wwtelescope/research-app-messages. */
  heard?(message: Record<string, unknown>): void;
  /** A frame was drawn. */
  drawn?(app: App): void;
  /** The app is gone, for now or for good. */
  appGone?(): void;
}
