import { expect, test, vi } from "vitest";
import type { BatchMetadata, BatchPosition, BatchPositions, BatchReview } from "../protocol.ts";
import { FakeModel } from "../shared/fake_model.ts";
import { drawn } from "../testing/drawn.ts";
import batchPublisher from "./index.tsx";
import { staticFallback } from "./static_fallback.ts";
import type { Row, Status } from "./status.ts";

const STATUS: Status = {
  phase: "editing",
  revision: 0,
  acknowledged: {},
  total: 3,
  open: 3,
  counts: { unplanned: 3 },
  sent: {},
  handle: "me",
  api_url: "http://x",
  message: "",
  progress: "",
  continued: false,
  review: null,
  undo: "",
  redo: "",
  earlier: null,
  saved: [],
  edited: null,
  on_sky: null,
  edits: true,
};
const REVIEW: BatchReview = {
  ticket: "t",
  account: "ada",
  ready: 1,
  kinds: [
    { kind: "publish", count: 1, reasons: [], more: 0 },
    { kind: "decide", count: 2, reasons: [{ reason: "note: <b>short</b>.", count: 2, name: "Field 1" }], more: 3 },
  ],
};

const POSITIONS: BatchPositions = {
  phase: "idle",
  images: 0,
  searched: 0,
  total: 0,
  progress: 0,
  message: "",
  near: "",
  width: "",
  offer: "",
  size: "",
};

const row = (i: number, more: Partial<Row> = {}): Row => ({
  i,
  v: 0,
  name: `Field ${i}`,
  chosen: true,
  errors: 0,
  warnings: 0,
  state: "unplanned",
  reason: "",
  needs_review: false,
  anyway: false,
  local: false,
  web: "https://example.org/t.jpg",
  id: "",
  record: "",
  ...more,
});

async function shown(
  status: Partial<Status> = {},
  rows: Row[] = [row(0), row(1), row(2)],
  metadata: BatchMetadata = {},
) {
  const state = { name: "all", values: {}, problems: [], locked: false, by: { client: "", seq: 0, paths: [] } };
  const specs = [
    { path: "note", title: "Note", description: "", kind: "text", required: false, unit: "", limit: null, choices: [] },
  ];
  const pending_attempts = { phase: "none", count: 0, done: 0, items: [], message: "" };
  const hosting = { phase: "idle", blocked: "Nothing.", places: [], progress: null, message: "", test: null };
  const traits = {
    fields: specs,
    titles: { note: "Note" },
    kept_credits: { text: "", tree: [] },
    pending_attempts,
    metadata,
    hosting,
    positions: POSITIONS,
    found_positions: [] as BatchPosition[],
  };
  const fake = new FakeModel({ state, status: { ...STATUS, ...status }, ...traits });
  const el = document.body.appendChild(document.createElement("div"));
  const leave = batchPublisher.render({ model: fake.model, el });
  await drawn();
  const asked = await vi.waitFor(() => {
    const found = fake.sent.find(({ kind }) => kind === "rows");
    if (!found) throw new Error("not yet");
    return found;
  });
  fake.receive({ id: asked.id, ok: true, rows, total: rows.length, revision: 0 });
  await drawn();
  const button = (words: string) => [...el.querySelectorAll("button")].find((it) => it.textContent!.startsWith(words))!;
  const sent = (kind: string) => fake.sent.filter((it) => it.kind === kind);
  return { fake, el, button, sent, leave, grid: () => el.querySelector<HTMLElement>("[role=treegrid]")! };
}

const press = (element: HTMLElement, key: string) =>
  element.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));

test("each draft has a row, and nothing is asked of the web before somebody wants it", async () => {
  const { el } = await shown();
  expect(el.querySelectorAll("[data-row]").length).toBe(3);
  expect(el.querySelectorAll("img").length).toBe(0);
  const web = [...el.querySelectorAll("label")]
    .find((it) => it.textContent!.includes("from the web"))!
    .querySelector("input")!;
  web.click();
  await drawn();
  const picture = el.querySelector("img")!;
  expect([picture.getAttribute("src"), picture.getAttribute("referrerpolicy")]).toEqual([
    "https://example.org/t.jpg",
    "no-referrer",
  ]);
});

test("a filter shows the rows of one state, and all again when none is left in it", async () => {
  const { el, button, fake } = await shown({}, [row(0), row(1, { state: "failed" }), row(2)]);
  const places = () => [...el.querySelectorAll<HTMLElement>("[data-row]")].map((it) => it.dataset.row);
  button("failed 1").click();
  await drawn();
  expect(places()).toEqual(["1"]);
  fake.receive({ kind: "rows", rows: [row(1, { v: 1, state: "published", id: "65f0" })], revision: 1 });
  await drawn();
  expect(places()).toEqual(["0", "1", "2"]);
  expect(button("all 3").getAttribute("aria-pressed")).toBe("true");
});

test("what went wrong is said at the button that was pressed, below however long a table", async () => {
  const { el, button } = await shown({ message: "The server can't be reached." });
  expect(el.querySelector("[role=alert]")!.nextElementSibling!.contains(button("Check "))).toBe(true);
});

test("a batch of nothing says so, rather than that something is to be chosen", async () => {
  const { el } = await shown({ total: 0, open: 0, counts: {} }, []);
  expect(el.textContent).toContain("There are no images here.");
});

test("of two thousand rows few are drawn", async () => {
  const rows = Array.from({ length: 2000 }, (_, i) => row(i));
  const { el } = await shown({ total: 2000 }, rows);
  expect(el.querySelectorAll("[data-row]").length).toBeLessThan(40);
  expect(el.querySelector("[role=treegrid]")!.getAttribute("aria-rowcount")).toBe("2001");
});

test("the table by keyboard: arrows move, Space chooses, Enter opens what is behind a row", async () => {
  const { grid, el, sent, fake } = await shown();
  grid().focus();
  press(grid(), "ArrowDown");
  await drawn();
  const active = document.getElementById(grid().getAttribute("aria-activedescendant")!)!;
  expect(active.dataset.row).toBe("1");
  press(grid(), " ");
  expect(sent("choose")).toMatchObject([{ rows: [1], on: false }]);
  press(grid(), "Enter");
  await drawn();
  const asked = sent("details")[0]!;
  expect(asked.row).toBe(1);
  const problem = { code: "C", severity: "warning", field: "note", message: "is <i>short</i>", fix: "Mend it" };
  const note = { code: "D", severity: "info", field: "note", message: "can be read by everyone", fix: null };
  fake.receive({ id: asked.id, ok: true, problems: [problem, note], why: [], url: "https://example.org/" });
  await drawn();
  const details = el.querySelector(".cxw-batch-details")!;
  expect(details.textContent).toContain("Warning: Note is <i>short</i>");
  expect(details.textContent).not.toContain("can be read by everyone"); // nothing can be done about it
  details.querySelector<HTMLButtonElement>("button.cxw-fix")!.click();
  expect(sent("fix_row")).toMatchObject([{ row: 1, code: "C", field: "note" }]);
});

test("the review counts each kind, takes a decision for all, and confirms once", async () => {
  const rows = [
    row(0, { state: "waiting" }),
    row(1, { state: "undecided", needs_review: true }),
    row(2, { state: "undecided", needs_review: true }),
  ];
  const { el, button, sent, fake } = await shown({ phase: "review", review: REVIEW }, rows);
  expect([...el.querySelectorAll("[data-kind]")].map((it) => it.textContent!.slice(0, 10))).toEqual([
    "1 will be ",
    "2 with war",
  ]);
  expect(el.querySelector(".cxw-batch-reasons")!.textContent).toContain("Note <b>short</b>. (2 images)and 3 more");
  el.querySelector<HTMLInputElement>('[data-kind="decide"] input')!.click();
  expect(sent("decide")).toMatchObject([{ rows: [1, 2], on: true }]);
  fake.change("status", { ...STATUS, phase: "review", review: { ...REVIEW, ready: 3 } });
  await drawn();
  vi.useFakeTimers({ shouldAdvanceTime: true, toFake: ["setTimeout", "clearTimeout"] });
  button("Publish 3 images").click();
  await drawn();
  button("Publish 3 images").click();
  expect(sent("confirm")).toMatchObject([{ ticket: "t" }]);
  expect(button("Publish 3 images").disabled).toBe(true);
  vi.advanceTimersByTime(8000); // the kernel has not answered: it was lost, perhaps
  await drawn();
  button("Publish 3 images").click();
  expect(sent("confirm")).toMatchObject([{ ticket: "t" }, { ticket: "t" }]);
  vi.useRealTimers();
});

test("the keyboard goes along from the button to the review and to the outcome", async () => {
  const { button, fake } = await shown();
  button("Check ").focus();
  fake.change("status", { ...STATUS, phase: "planning", progress: "Asking …" });
  await drawn();
  fake.change("status", { ...STATUS, phase: "review", review: REVIEW });
  await drawn();
  expect(document.activeElement!.textContent).toBe("Publish 1 image as @me?");
  fake.change("status", { ...STATUS, phase: "ended", sent: { published: 1, unclear: 1, undecided: 1 } });
  await drawn();
  expect(document.activeElement!.textContent).toBe("Finished with errors");
});

test("what is unclear is looked for or sent again, what failed is tried again, what waits goes on", async () => {
  const { button, sent } = await shown({ phase: "ended", sent: { published: 1, waiting: 2, failed: 3, unclear: 4 } });
  for (const words of ["Retry 3 failed", "Check 4 images again", "Not on the server", "Continue with 2 images"])
    button(words).click();
  expect(sent("repeat").map(({ what }) => what)).toEqual(["retry", "check", "resend"]);
  expect(sent("resume").length).toBe(1);
});

test("progress is said now and then to those who listen, and the end at once", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  try {
    const { el, fake } = await shown({ phase: "sending", sent: { waiting: 3 } });
    const said = () => el.querySelector(".cxw-hidden[role=status]")!.textContent;
    expect(said()).toBe("0 of 3 images are finished.");
    fake.change("status", { ...STATUS, phase: "sending", sent: { waiting: 1, published: 2 } });
    await drawn();
    expect(said()).toBe("0 of 3 images are finished.");
    vi.advanceTimersByTime(5000);
    await drawn();
    expect(said()).toBe("2 of 3 images are finished.");
    fake.change("status", { ...STATUS, phase: "ended", sent: { published: 3 } });
    await drawn();
    expect(said()).toBe("Finished: 3 published.");
    fake.change("status", { ...STATUS, phase: "sending", sent: { waiting: 2, published: 1 } });
    await drawn();
    fake.change("status", { ...STATUS, phase: "ended", sent: { waiting: 2, published: 1 } });
    await drawn();
    expect(said()).toMatch(/^Stopped: /);
  } finally {
    vi.useRealTimers();
  }
});

test("a saved notebook tells what was published then, and that more may have been", () => {
  const rows = [row(0, { id: "65f0", record: "https://x/image/65f0", name: "<b>" }), row(1)];
  const status = { ...STATUS, total: 2, counts: { published: 1, sending: 1 } };
  const resting = staticFallback(status, rows) as HTMLElement;
  expect(resting.textContent).toContain(
    "1 of 2 images were published by @me at http://x; of all: 1 sending, 1 published.",
  );
  expect(resting.querySelector("td")!.textContent).toBe("<b>");
  expect(resting.querySelector("a")!.href).toBe("https://x/image/65f0");
  expect(resting.textContent).not.toContain("still running");
  expect((staticFallback({ ...status, phase: "sending" }, rows) as HTMLElement).textContent).toContain("still running");
});

test("a table is shown with its columns and what does not fit, and applied with a click", async () => {
  const columns = [
    { header: "Licence", field: "License", reason: "" },
    { header: "Weather", field: "", reason: "no field has this name" },
  ];
  const table = { name: "t.csv", columns, count: 2, remarks: ["Row 3, RA: no angle"], more: 4, applied: false };
  const { el, button, sent } = await shown({}, undefined, table);
  const shownRows = [...el.querySelectorAll(".cxw-values tbody tr")].map((it) => it.textContent);
  expect(shownRows).toEqual(["Licence→ License", "Weathernot used: no field has this name"]);
  expect(el.querySelector(".cxw-remarks")!.textContent).toBe("Row 3, RA: no angle4 more");
  button("Apply to 2 images").click();
  expect(sent("apply_metadata").length).toBe(1);
});

test("the form of a row goes to the rows before and after it as they are shown, and closes", async () => {
  const { el, button, sent } = await shown({ edited: 1 });
  expect(el.querySelector(".cxw-row-form")!.textContent).toContain("Editing Field 1");
  button("Previous").click();
  button("Next").click();
  button("Close form").click();
  expect(sent("edit_row").map(({ row }) => row)).toEqual([0, 2, null]);
});

test("positions are found, shown and accepted one by one, or all that were shown", async () => {
  const { fake, el, button, sent } = await shown();
  expect(el.querySelector(".cxw-positions")).toBe(null);
  const set = async (positions: Partial<BatchPositions>, found_positions: BatchPosition[] = [], status = {}) => {
    fake.set("positions", { ...POSITIONS, ...positions });
    fake.set("found_positions", found_positions);
    fake.set("status", { ...STATUS, ...status });
    await drawn();
  };
  await set({ images: 2 });
  button("Find positions of 2 images").click();
  expect(sent("find_positions")[0]).toMatchObject({ near: "", width: "" });
  await set({ images: 2, phase: "running", total: 2, searched: 1, message: "a.jpg: 12 stars" });
  expect(el.querySelector(".cxw-positions")!.textContent).toContain("1 of 2 images searched");
  button("Cancel").click();
  expect(sent("cancel_positions").length).toBe(1);
  const found = { facts: [["Confidence", "high"]] as [string, string][], doubts: ["few stars"], remarks: [] };
  const items: BatchPosition[] = [
    { row: 0, name: "Field 0", state: "found", message: "", found, seen: true },
    { row: 1, name: "Field 1", state: "failed", message: "Only 3 stars.", found: null, seen: false },
    { row: 2, name: "Field 2", state: "found", message: "", found, seen: false },
  ];
  await set({ images: 2, phase: "found", message: "2 of 3 images found." }, items, { on_sky: 0 });
  const list = el.querySelector(".cxw-positions-list")!;
  expect(list.textContent).toContain("few stars");
  expect(list.textContent).toContain("Only 3 stars.");
  expect(list.querySelector("[data-row='0'] [aria-pressed=true]")!.textContent).toBe("Show on the sky");
  button("Show next on the sky").click();
  expect(sent("show_position").at(-1)).toMatchObject({ row: 2 });
  button("Accept 1 shown").click();
  expect(sent("accept_positions").at(-1)).toMatchObject({ rows: [0] });
  list.querySelector<HTMLElement>("[data-row='2'] [aria-label^=Discard]")!.click();
  expect(sent("discard_positions").at(-1)).toMatchObject({ rows: [2] });
  button("Clear 1 not found").click();
  expect(sent("discard_positions").at(-1)).toMatchObject({ rows: [1] });
  await set({ images: 2, phase: "failed", message: "No index files.", offer: "1 file from x.", size: "9 MB" });
  button("Download 9 MB").click();
  expect(sent("download_indexes").length).toBe(1);
  await set({ images: 2 }, items, { phase: "sending" });
  expect(button("Find positions").disabled).toBe(true);
});
