/** The sky as a picture. The engine's canvas is empty between two frames, so each picture is of a frame drawn for it, seen or not. */

import type { App } from "./part";

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

/** The sky as it is now, as a file. */
export function takeSnapshot(app: App, type = "image/png"): Promise<Blob> {
  const copy = copySky(app);
  return new Promise((resolve, reject) => {
    copy.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("The browser can't make a picture of the sky."))), type);
  });
}
