/** The lines of right ascension and declination that run through a view, as close as the view needs them. */

import { pixelToSky, skyToPixel, type View } from "../engine/projection.ts";

export interface GridLine {
  /** The line in pieces, where it leaves the half of the sky that can be seen. */
  pieces: [x: number, y: number][][];
  /** The text, and where the line crosses the edge that it is written at; null if it does not. */
  label: { text: string; x: number; y: number } | null;
}

const LINES = 5; // about so many across the shorter side
const SAMPLES = 40; // points of a line, points along an edge of the view
const SECOND = 1 / 3600;
const DEC_STEPS = [
  0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200,
  18000, 36000,
].map((seconds) => seconds * SECOND);
const RA_STEPS = [
  0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600,
  1200, 1800, 3600, 7200,
].map((seconds) => seconds * SECOND * 15);

export function gridLines(view: View): GridLine[] {
  const { decs, ras, pole } = extent(view);
  const apart = Math.min(decs[1] - decs[0], view.fov) / LINES;
  const decStep = stepFrom(DEC_STEPS, apart);
  const raStep = pole ? 15 : stepFrom(RA_STEPS, apart / Math.max(Math.cos((view.dec * Math.PI) / 180), 0.02));
  const lines: GridLine[] = [];
  for (const dec of multiples(decStep, Math.max(decs[0], -90), Math.min(decs[1], 90))) {
    if (Math.abs(dec) > 90 - 1e-9) continue;
    const pieces = trace(view, (part) => [ras[0] + part * (ras[1] - ras[0]), dec]);
    lines.push({ pieces, label: labelAt(pieces, 0, decText(dec, decStep)) });
  }
  for (const ra of multiples(raStep, ras[0], pole ? ras[1] - raStep / 2 : ras[1])) {
    const pieces = trace(view, (part) => [ra, decs[0] + part * (decs[1] - decs[0])]);
    lines.push({ pieces, label: labelAt(pieces, 1, raText(ra, raStep)) });
  }
  return lines;
}

/** The declinations and right ascensions in view; the latter may lie outside of 0 to 360. */
function extent(view: View): { decs: [number, number]; ras: [number, number]; pole: boolean } {
  const decs: number[] = [];
  const ras: number[] = [];
  for (let index = 0; index <= SAMPLES; index++) {
    const part = index / SAMPLES;
    for (const [x, y] of [
      [part, 0],
      [part, 1],
      [0, part],
      [1, part],
    ] as const) {
      const [ra, dec] = pixelToSky(view, x * view.width, y * view.height);
      decs.push(dec);
      ras.push(view.ra + (((((ra - view.ra + 180) % 360) + 360) % 360) - 180));
    }
  }
  const poles = [-90, 90].filter((dec) => {
    const at = skyToPixel(view, view.ra, dec);
    return at && at[0] >= 0 && at[0] <= view.width && at[1] >= 0 && at[1] <= view.height;
  });
  const pole = poles.length > 0;
  const [south, north] = widened([...decs, ...poles, view.dec]);
  return { decs: [Math.max(south, -90), Math.min(north, 90)], ras: pole ? [0, 360] : widened(ras), pole };
}

/** The smallest and the largest, and a little more: a line that ended on the edge of the view would cross it only by chance. */
function widened(values: number[]): [number, number] {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const margin = 1e-6 * (most - least);
  return [least - margin, most + margin];
}

const stepFrom = (steps: number[], least: number) => steps.find((step) => step >= least) ?? steps.at(-1)!;

function multiples(step: number, from: number, to: number): number[] {
  const first = Math.ceil(from / step - 1e-9);
  return Array.from(
    { length: Math.max(Math.floor(to / step + 1e-9) - first + 1, 0) },
    (_, index) => (first + index) * step,
  );
}

function trace(view: View, at: (part: number) => [ra: number, dec: number]): [number, number][][] {
  const pieces: [number, number][][] = [[]];
  for (let index = 0; index <= SAMPLES; index++) {
    const pixel = skyToPixel(view, ...at(index / SAMPLES));
    if (pixel) pieces.at(-1)!.push(pixel);
    else if (pieces.at(-1)!.length) pieces.push([]);
  }
  return pieces.filter((piece) => piece.length > 1);
}

/** Where the line crosses the left edge (`axis` 0) or the upper one (`axis` 1). */
function labelAt(pieces: [number, number][][], axis: 0 | 1, text: string): GridLine["label"] {
  for (const piece of pieces) {
    for (let index = 1; index < piece.length; index++) {
      const [a, b] = [piece[index - 1]!, piece[index]!];
      if (a[axis] < 0 === b[axis] < 0) continue;
      const part = a[axis] / (a[axis] - b[axis]);
      const along = a[1 - axis]! + part * (b[1 - axis]! - a[1 - axis]!);
      return axis === 0 ? { text, x: 0, y: along } : { text, x: along, y: 0 };
    }
  }
  return null;
}

function raText(ra: number, step: number): string {
  return inSixties((((ra / 15) % 24) + 24) % 24, step / 15, ["h", "m", "s"], 24);
}

function decText(dec: number, step: number): string {
  const text = inSixties(Math.abs(dec), step, ["°", "′", "″"], 360);
  return `${dec < -step / 2 ? "−" : "+"}${text}`;
}

/** As many units as the step needs to be told. */
function inSixties(
  value: number,
  step: number,
  [first, second, third]: [string, string, string],
  turn: number,
): string {
  if (step > 0.999) return `${Math.round(value) % turn}${first}`;
  if (step * 60 > 0.999) {
    const minutes = Math.round(value * 60);
    return `${Math.floor(minutes / 60) % turn}${first} ${minutes % 60}${second}`;
  }
  const decimals = Math.max(0, Math.ceil(-Math.log10(step * 3600) - 1e-9));
  const parts = Math.round(value * 3600 * 10 ** decimals);
  const minutes = Math.floor(parts / (60 * 10 ** decimals));
  const seconds = ((parts % (60 * 10 ** decimals)) / 10 ** decimals).toFixed(decimals);
  return `${Math.floor(minutes / 60) % turn}${first} ${minutes % 60}${second} ${seconds}${third}`;
}
