import { vi } from "vitest";

// Files of tests that run in one worker share its page and its clock: each finds the page empty and the clock real.
vi.useRealTimers();
if (typeof document !== "undefined") {
  document.head.replaceChildren();
  document.body.replaceChildren();
  for (const element of [document.documentElement, document.body]) {
    for (const { name } of [...element.attributes]) element.removeAttribute(name);
  }
}
