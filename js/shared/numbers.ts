// Numbers as people type them.

import type { Value } from "../protocol.ts";

const NUMBER = /^[-+−]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;

/** The number that `text` means; null for nothing, the text itself when it means no number (the kernel reports it). */
export function parseNumber(text: string): Value {
  const typed = text.trim();
  if (typed === "") return null;
  if (!NUMBER.test(typed)) return text;
  const value = Number(typed.replace("−", "-"));
  return Number.isFinite(value) ? value : text;
}

/** A value with at most so many significant digits; with 17 it reads back as itself. */
export function formatNumber(value: Value, digits = 17): string {
  if (typeof value === "number" && digits < 17 && Number.isFinite(value))
    return String(Number(value.toPrecision(digits)));
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
