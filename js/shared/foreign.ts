/**
 * Foreign text: names, notes and messages that come from elsewhere.
 *
 * In elements it stands in a `<bdi>`, so that a text with a bidirectional override (U+202E) turns nothing around but itself. `isolated`
 * is for what can hold no elements: titles, labels, sentences of one string.
 */

// Controls of the bidirectional algorithm, and letters that run from right to left.
const CONTROLS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]|[\ud802\ud803\ud83a\ud83b]/;

/** `text` for a place without elements: its controls can't reach what stands around it. */
export function isolated(text: string): string {
  const plain = text.replace(CONTROLS, "");
  return plain !== text || RIGHT_TO_LEFT.test(plain) ? `\u2068${plain}\u2069` : text;
}

/** Has MathJax (version 2; 3 and later) leave alone what is in an element: foreign text may hold `$…$`. */
export function withoutMathJax(element: Element): void {
  element.classList.add("tex2jax_ignore", "mathjax_ignore");
}
