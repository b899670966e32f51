// Numbers as people type and read them.

import type { Value } from "../protocol.ts";

export const count = (number: number) => number.toLocaleString("en");

/** "1 image", "1,000 images" */
export const plural = (number: number, noun: string) => `${count(number)} ${noun}${number === 1 ? "" : "s"}`;

const NUMBER = /^[-+−]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;

/** The number that `text` means; null for nothing, the text itself when it means no number (the kernel reports it). */
export function parseNumber(text: string): Value {
  const typed = text.trim();
  if (typed === "") return null;
  if (!NUMBER.test(typed)) return text;
  const value = Number(typed.replace("−", "-"));
  return Number.isFinite(value) ? value : text;
}

// At most so many significant digits are shown: 1e-10 of a right ascension is 0.00005″. Showing more once the field is in use would
// replace the text under the selection, and what is typed next would be appended to it. The value itself keeps all its digits until the field is edited.
const SHOWN_DIGITS = 10;

/** A value as a field shows it. */
export function formatNumber(value: Value): string {
  if (typeof value === "number" && Number.isFinite(value)) return String(Number(value.toPrecision(SHOWN_DIGITS)));
  return value === null ? "" : String(value);
}

/** The next value when an arrow key is pressed: a step in the last digit shown, ten of them with Shift. */
export function stepped(text: string, direction: 1 | -1, coarse: boolean): string | null {
  const value = parseNumber(text === "" ? "0" : text);
  if (typeof value !== "number" || /e/i.test(text)) return null;
  const decimals = Math.min(12, (text.trim().split(".")[1] ?? "").length);
  const step = 10 ** -decimals * (coarse ? 10 : 1);
  return (value + direction * step).toFixed(decimals);
}
