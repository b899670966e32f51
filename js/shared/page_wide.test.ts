import { describe, expect, it, vi } from "vitest";
import { pageWide } from "./page_wide.ts";

describe("what a page has one of", () => {
  it("is the same for a module that is evaluated again", async () => {
    const first = pageWide("test.1", () => ({ made: 1 }));
    vi.resetModules();
    const again = (await import("./page_wide.ts")).pageWide("test.1", () => ({ made: 2 }));
    expect(again).toBe(first);
    expect(pageWide("test.2", () => ({ made: 3 }))).not.toBe(first);
  });
});
