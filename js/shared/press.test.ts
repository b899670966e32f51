import { afterEach, expect, test, vi } from "vitest";
import { focusPressed } from "./press.ts";

afterEach(() => vi.restoreAllMocks());

function pressed(html: string, selector: string): { element: HTMLElement; event: MouseEvent } {
  document.body.replaceChildren(...new DOMParser().parseFromString(html, "text/html").body.childNodes);
  const element = document.querySelector<HTMLElement>(selector)!;
  const event = new MouseEvent("mousedown", { bubbles: true, cancelable: true });
  document.body.addEventListener("mousedown", focusPressed, { once: true });
  element.dispatchEvent(event);
  return { element, event };
}

test("on macOS a button that is pressed has the focus", () => {
  vi.spyOn(navigator, "platform", "get").mockReturnValue("MacIntel");
  const { element } = pressed("<button><b>Grid</b></button>", "b");
  expect(document.activeElement).toBe(element.parentElement);
});

test.each([
  ["MacIntel", "<input>", "input"],
  ["MacIntel", "<button disabled>Grid</button>", "button"],
  ["Linux x86_64", "<button>Grid</button>", "button"],
])("on %s, the browser does what it does with %s", (platform, html, selector) => {
  vi.spyOn(navigator, "platform", "get").mockReturnValue(platform);
  const { element, event } = pressed(html, selector);
  expect([document.activeElement === element, event.defaultPrevented]).toEqual([false, false]);
});
