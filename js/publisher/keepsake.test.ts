import { expect, test } from "vitest";
import { keepsake } from "./keepsake.ts";
import type { Status } from "./status.ts";

const STATUS: Status = { phase: "editing", handle: "me", api_url: "https://api.example", blocked: "", progress: "", message: "", review: null, receipt: null };
const RECEIPT = {
  id: "65f0",
  handle: "me",
  api_url: "https://api.example",
  created: "2026-11-22T09:00:00+00:00",
  record_url: "https://api.example/image/65f0",
  wtml_url: "",
  same: true,
};

test("a published image is told by its record", () => {
  const node = keepsake("M 51", { ...STATUS, phase: "published", receipt: RECEIPT }) as HTMLElement;
  expect(node.textContent).toContain("“M 51” was published by @me at https://api.example as 65f0");
  expect(node.querySelector("a")!.href).toBe(RECEIPT.record_url);
});

test("what is not published is told, and so is what is not clear", () => {
  expect(keepsake("M 51", STATUS).textContent).toContain("was not published from here");
  expect(keepsake("M 51", { ...STATUS, phase: "unclear" }).textContent).toContain("not clear whether");
});
