/** The pictures that a table's points are drawn with. The engine would load them from its own site. */

import type { Bytes } from "./addresses";

const SIZE = 64; // pixels

const PAINTERS: Record<string, (brush: CanvasRenderingContext2D) => void> = {
  "StarProfileAlpha.png": (brush) => {
    const glow = brush.createRadialGradient(SIZE / 2, SIZE / 2, 0, SIZE / 2, SIZE / 2, SIZE / 2);
    for (let at = 0; at <= 1; at += 0.1) glow.addColorStop(at, `rgba(255, 255, 255, ${Math.exp(-((at * 2.5) ** 2) / 2) * (1 - at)})`);
    brush.fillStyle = glow;
    brush.fillRect(0, 0, SIZE, SIZE);
  },
  "circle.png": (brush) => {
    brush.fillStyle = "white";
    brush.arc(SIZE / 2, SIZE / 2, SIZE / 2 - 1, 0, 2 * Math.PI);
    brush.fill();
  },
};

/** The picture called `asset` as a PNG; null if it is none of these. */
export function marker(asset: string): Promise<Bytes | null> | null {
  const paint = PAINTERS[asset];
  if (!paint) return null;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIZE;
  // Painted by the CPU: graphics hardware would have to be waited for, at the very moment at which it starts WWT.
  paint(canvas.getContext("2d", { willReadFrequently: true })!);
  return new Promise((resolve) => {
    canvas.toBlob((blob) => void (blob ? blob.arrayBuffer().then((bytes) => resolve(new Uint8Array(bytes))) : resolve(null)));
  });
}
