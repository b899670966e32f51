/**
 * The textures of a table's points. The engine would load them from its own site; these are drawn here, so that points need no network.
 * Each has the size, shape and brightness of WWT's own.
 */

import type { Bytes } from "./addresses.ts";

const SIZE = 64; // pixels

/**
 * Brightness of a "gaussian" point from its middle (0) to its edge (1). Measured on pywwt's own reference picture
 * (`refimg_sky_layers` of its tests): a peak with wide wings, whose sum is less than half that of a Gaussian of this width.
 */
const PROFILE: readonly [at: number, brightness: number][] = [
  [0, 1],
  [0.04, 1],
  [0.06, 0.953],
  [0.08, 0.849],
  [0.1, 0.752],
  [0.13, 0.628],
  [0.16, 0.523],
  [0.2, 0.41],
  [0.25, 0.303],
  [0.3, 0.224],
  [0.35, 0.165],
  [0.4, 0.12],
  [0.45, 0.088],
  [0.5, 0.063],
  [0.55, 0.048],
  [0.6, 0.033],
  [0.7, 0.017],
  [0.8, 0.011],
  [0.9, 0.006],
  [1, 0],
];

// WWT's sheet of pins: 16 in a row, of which pywwt's marker types name three.
const PIN = 32; // pixels
const PINS_IN_ROW = 16;
const PIN_ROWS = 17;
const PUSHPIN = 0;
const POINT = 19;
const SQUARE = 35;
const DOT = 3.2; // pixels; the engine draws a "point" five times as large as the other types

type Painter = { width: number; height: number; paint(brush: CanvasRenderingContext2D): void };

const PAINTERS: Record<string, Painter> = {
  "StarProfileAlpha.png": {
    width: SIZE,
    height: SIZE,
    paint(brush) {
      const glow = brush.createRadialGradient(SIZE / 2, SIZE / 2, 0, SIZE / 2, SIZE / 2, SIZE / 2);
      for (const [at, brightness] of PROFILE) glow.addColorStop(at, `rgba(255, 255, 255, ${brightness})`);
      brush.fillStyle = glow;
      brush.fillRect(0, 0, SIZE, SIZE);
    },
  },
  "circle.png": { width: SIZE, height: SIZE, paint: (brush) => disc(brush, SIZE / 2, SIZE / 2, SIZE / 2 - 1) },
  "pins.png": {
    width: PINS_IN_ROW * PIN,
    height: PIN_ROWS * PIN,
    paint(brush) {
      const middle = PIN / 2;
      at(brush, PUSHPIN, () => pushpin(brush));
      at(brush, POINT, () => disc(brush, middle, middle, DOT));
      at(brush, SQUARE, () => brush.fillRect(1, 1, PIN - 2, PIN - 2));
    },
  },
};

/** Paints one pin of the sheet, in white: the engine multiplies it by the layer's color. */
function at(brush: CanvasRenderingContext2D, pin: number, paint: () => void): void {
  brush.save();
  brush.translate((pin % PINS_IN_ROW) * PIN, Math.floor(pin / PINS_IN_ROW) * PIN);
  brush.fillStyle = brush.strokeStyle = "white";
  paint();
  brush.restore();
}

function disc(brush: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
  brush.fillStyle = "white";
  brush.beginPath();
  brush.arc(x, y, radius, 0, 2 * Math.PI);
  brush.fill();
}

/** A head on a needle whose tip is in the center, where the point's position is. */
function pushpin(brush: CanvasRenderingContext2D): void {
  const middle = PIN / 2;
  brush.lineWidth = 2;
  brush.beginPath();
  brush.moveTo(middle, middle);
  brush.lineTo(middle + 5, 7);
  brush.stroke();
  disc(brush, middle + 6, 6, 5);
}

/** Return the texture called `asset` as a PNG; null if it is not one of these. */
export function marker(asset: string): Promise<Bytes | null> | null {
  const painter = PAINTERS[asset];
  if (!painter) return null;
  const canvas = document.createElement("canvas");
  canvas.width = painter.width;
  canvas.height = painter.height;
  // Painted by the CPU: graphics hardware would have to be waited for, at the very moment at which it starts WWT.
  painter.paint(canvas.getContext("2d", { willReadFrequently: true })!);
  return new Promise((resolve) => {
    canvas.toBlob(
      (blob) => void (blob ? blob.arrayBuffer().then((bytes) => resolve(new Uint8Array(bytes))) : resolve(null)),
    );
  });
}
