/** The sky as a picture. The engine's canvas is empty between two frames, so each picture is of a frame drawn for it, seen or not. */

import type { App } from "../part.ts";

/** The sky as it is now, on a canvas of its own, in the view's own pixels or in at most so many in width. */
export function copySky({ frame, engine }: App, widest = Infinity): HTMLCanvasElement {
  const sky = engine?.canvas ?? frame.realm?.document.querySelector("canvas");
  if (!sky?.width || !sky.height) throw new Error("There is no picture of the sky yet.");
  const scale = Math.min(1, widest / sky.width);
  const copy = document.createElement("canvas");
  copy.width = Math.round(sky.width * scale);
  copy.height = Math.round(sky.height * scale);
  frame.throttle?.drawNow();
  copy.getContext("2d")!.drawImage(sky, 0, 0, copy.width, copy.height);
  return copy;
}

// A picture that is kept with the page or its notebook: small rather than perfect.
const LARGEST = 60_000 * (4 / 3); // characters, of 60 kB
const QUALITIES = [0.8, 0.6, 0.4, 0.2];

/** The sky as it is now, as the address (data:, which every policy allows) of a small JPEG of at most this width. */
export function smallPicture(app: App, widest: number): string {
  const copy = copySky(app, widest);
  for (const quality of QUALITIES) {
    const address = copy.toDataURL("image/jpeg", quality);
    if (address.length <= LARGEST) return address;
  }
  return smallPicture(app, copy.width / 2);
}

/** A picture as a PNG. */
export async function pngOf(picture: HTMLCanvasElement): Promise<Blob> {
  const blob = await new Promise<Blob | null>((resolve) => picture.toBlob(resolve));
  if (!blob) throw new Error("The browser could not create the picture.");
  return blob;
}
