/** Formats a placement as text, and parses typed positions. */

import type { Place } from "../../geometry/tangent.ts";
import { decimalDegrees, decimalsFor, hours, signedDegrees } from "../tools/angles.ts";
import type { Outline } from "./pixels.ts";
import { halfway, positionAngle } from "./sky.ts";

const CORNERS = ["lower left", "lower right", "upper right", "upper left"];
const NUMBER = String.raw`[-+−]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?`;
const SIX_NUMBERS =
  /^\s*(\d+)[h:\s]\s*(\d+)[m:\s]\s*(\d+\.?\d*)s?[\s,]\s*([-+−]?)(\d+)[d°:\s]\s*(\d+)[m'′:\s]\s*(\d+\.?\d*)[s"″]?\s*$/;
const TWO_NUMBERS = new RegExp(String.raw`^\s*(${NUMBER})(?:\s*[,;]\s*|\s+)(${NUMBER})\s*$`, "i");

/** Center, position angle and pixel scale as text. `pixel` is in degrees. */
export function placementWords({ corners, middle }: Outline, pixel: number, mirrored: boolean): string {
  const angle = positionAngle(middle, halfway(corners[2], corners[3]));
  const decimals = pixel * 3600 < 0.1 ? 4 : 3;
  const scale = `${+(pixel * 3600).toPrecision(decimals + 1)}″/pixel`;
  return `Center ${placeWords(middle, pixel)} · Position angle ${positionAngleText(angle)} (east of north) · ${scale}${mirrored ? " · mirrored" : ""}`;
}

/** Degrees with a sign only if they are negative. */
const positionAngleText = (angle: number) => decimalDegrees(angle, 2, true).replace(/^\+/, "");

export function cornerWords({ corners }: Outline, pixel: number): string {
  return `Corners: ${[3, 2, 1, 0].map((index) => `${CORNERS[index]} ${placeWords(corners[index]!, pixel)}`).join("; ")}`;
}

/** Hours and degrees, with enough digits to distinguish adjacent pixels. */
function placeWords([ra, dec]: Place, pixel: number): string {
  const decimals = decimalsFor(pixel * 3600, 3);
  return `${hours(ra, decimals + 1)} ${signedDegrees(dec, decimals)}`;
}

/** Decimal degrees as they are typed. */
export function placeText([ra, dec]: Place, pixel: number): string {
  const decimals = decimalsFor(pixel / 100, 12);
  return `${ra.toFixed(decimals)} ${dec.toFixed(decimals)}`;
}

/** Two numbers with a comma or a space between; null if `text` is anything else. */
export function twoNumbers(text: string): [number, number] | null {
  const match = TWO_NUMBERS.exec(text);
  return match && [Number(match[1]!.replace("−", "-")), Number(match[2]!.replace("−", "-"))];
}

/** The place of the sky that is typed, as degrees or as hours and degrees; null for what only the kernel may know. */
export function placeOf(text: string): Place | null {
  const match = SIX_NUMBERS.exec(text);
  if (!match) return twoNumbers(text);
  const [h, m, s, d, arcmin, arcsec] = [1, 2, 3, 5, 6, 7].map((index) => Number(match[index])) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const dec = d + arcmin / 60 + arcsec / 3600;
  return [15 * (h + m / 60 + s / 3600), match[4] === "-" || match[4] === "−" ? -dec : dec];
}
