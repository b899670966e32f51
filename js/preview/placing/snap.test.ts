import { beforeEach, describe, expect, it } from "vitest";
import type { SnapState } from "../../protocol.ts";
import { PlacingSnap } from "./snap.ts";

const IDLE: SnapState = { phase: "idle", progress: 0, message: "", facts: [], doubt: "" };
const RUNNING: SnapState = { ...IDLE, phase: "running", progress: 0.4, message: "Comparing rotations and scales" };
const FOUND: SnapState = { ...IDLE, phase: "found", facts: [["Residual", "0.2 pixels"]], doubt: "Look closely." };

let sent: string[];
let snap: PlacingSnap;

beforeEach(() => {
  sent = [];
  snap = new PlacingSnap({ send: (kind) => sent.push(kind), focus: () => snap.start.focus() });
  document.body.replaceChildren(snap.start, snap.element);
});

const button = (name: string) =>
  [...document.querySelectorAll("button")].find(
    (each) => each.textContent === name && !each.closest("[hidden]"),
  ) as HTMLButtonElement;

describe("Snap to sky", () => {
  it("shows nothing before it is used, and asks the kernel once while it runs", () => {
    expect(snap.element.hidden).toBe(true);
    snap.start.click();
    snap.show(RUNNING);
    snap.start.click();
    expect(sent).toEqual(["snap"]);
    expect(snap.start.ariaDisabled).toBe("true");
    expect(snap.element.querySelector("progress")!.value).toBe(0.4);
    expect(snap.element.querySelector('[role="status"]')!.textContent).toBe("Comparing rotations and scales");
    button("Cancel").click();
    expect(sent).toEqual(["snap", "snap_cancel"]);
  });

  it("offers what was found with its facts and doubts, and nothing else", () => {
    snap.show(FOUND);
    expect(snap.waits).toBe(true);
    expect(snap.element.querySelector("dl")!.textContent).toBe("Residual0.2 pixels");
    expect(snap.element.textContent).toContain("Look closely.");
    expect(button("Cancel")).toBeUndefined();
    button("Accept").click();
    button("Discard").click();
    expect(sent).toEqual(["snap_accept", "snap_discard"]);
  });

  it("keeps the focus where the user goes on", () => {
    snap.show(RUNNING);
    button("Cancel").focus();
    snap.show(FOUND);
    expect(document.activeElement).toBe(button("Accept"));
    snap.show(IDLE);
    expect(document.activeElement).toBe(snap.start);
  });

  it("says why it failed", () => {
    snap.show({ ...IDLE, phase: "failed", message: "The image does not match." });
    expect(snap.element.hidden).toBe(false);
    expect(snap.element.textContent).toContain("The image does not match.");
    expect(button("Accept")).toBeUndefined();
  });
});
