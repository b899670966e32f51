import { afterEach, expect, test, vi } from "vitest";
import type { HandleImageRow as Row, HandleImagesStatus as Status } from "../protocol.ts";
import { FakeModel } from "../shared/fake_model.ts";
import { ROW } from "../shared/handle_list/list.tsx";
import { inWords, matching } from "../shared/handle_list/status.ts";
import { drawn } from "../testing/drawn.ts";
import list from "./index.tsx";

const NOTHING = { what: "", id: "", phase: "", message: "" } as const;

function status(more: Partial<Status> = {}): Status {
  return {
    handle: "me",
    api_url: "http://x",
    pictures: false,
    version: 1,
    loaded: 0,
    total: null,
    phase: "idle",
    message: "",
    opened: NOTHING,
    ...more,
  };
}

function rowsOf(count: number, from = 0): Row[] {
  return Array.from({ length: count }, (_, index) => {
    const id = `${from + index}`.padStart(24, "0");
    return {
      id,
      note: `Image ${from + index}`,
      created: "2026-11-22T12:00:00+00:00",
      url: "https://x.org/a.png",
      record: `http://x/image/${id}`,
      wtml: "",
    };
  });
}

const undo: (() => void)[] = [];
afterEach(() => {
  for (const end of undo.splice(0)) end();
});

const soon = (check: () => void) => vi.waitFor(check, 5000); // on a busy machine

/** The list, with a kernel that has these rows. */
async function shown(first: Status, kernel: Row[]) {
  const fake = new FakeModel({ status: first });
  const asked = (kind: string) => fake.sent.filter((message) => message.kind === kind);
  fake.send = (message) => {
    fake.sent.push(message);
    const answer = (content: object) => setTimeout(() => fake.receive({ id: message.id, ok: true, ...content }), 0);
    if (message.kind === "rows")
      answer({
        version: (fake.get("status") as Status).version,
        rows: kernel.slice(message.start as number, (message.start as number) + 500),
      });
    if (message.kind === "do") answer({});
    if (message.kind === "records") answer({ records: {} });
  };
  const el = document.body.appendChild(document.createElement("div"));
  const end = list.render({ model: fake.model, el });
  undo.push(() => {
    end();
    el.remove();
  });
  const notes = () => [...el.querySelectorAll("[data-place] bdi")].map((it) => it.textContent);
  const here = () => el.querySelector("li")?.getAttribute("aria-setsize") ?? "0";
  await soon(() => expect(here()).toBe(String(kernel.length)));
  const pressed = () => asked("do").map(({ what, of }) => [what, of].filter(Boolean).join(" "));
  const says = () => el.querySelector('[role="status"]')?.textContent;
  const scroller = () => el.querySelector<HTMLElement>(".cxw-records-scroller")!;
  return { fake, el, asked, notes, pressed, says, scroller };
}

test("of a thousand rows only those in sight are drawn, and each says where it stands", async () => {
  const { el, notes, asked } = await shown(status({ loaded: 1000, total: 1000, phase: "complete" }), rowsOf(1000));
  expect(asked("rows").map(({ start }) => start)).toEqual([0, 500]);
  expect(notes().length).toBeLessThan(20);
  expect(el.querySelector("ul")?.style.height).toBe(`${1000 * ROW}px`);
  expect(el.querySelector("li")?.getAttribute("aria-setsize")).toBe("1000");
});

test("each page is asked for once, when the end comes near; a search asks for none", async () => {
  const kernel = rowsOf(100);
  const { fake, el, scroller, pressed, says } = await shown(status({ loaded: 100, total: 1000 }), kernel);
  expect(pressed()).toEqual([]);
  scroller().scrollTop = 90 * ROW;
  scroller().dispatchEvent(new Event("scroll"));
  await soon(() => expect(pressed()).toEqual(["more"]));
  fake.change("status", status({ loaded: 100, total: 1000, phase: "loading" }));
  fake.change("status", status({ loaded: 100, total: 1000, phase: "idle" }));
  await drawn();
  expect(pressed()).toEqual(["more"]);
  kernel.push(...rowsOf(100, 100));
  fake.change("status", status({ loaded: 200, total: 1000 }));
  const search = el.querySelector<HTMLInputElement>('input[type="search"]')!;
  search.value = "image 19";
  search.dispatchEvent(new Event("input", { bubbles: true }));
  await soon(() =>
    expect(says()).toBe("12 found. 200 of 1,000 images are loaded. 800 are not loaded and were not searched."),
  );
  expect(pressed()).toEqual(["more"]);
});

test("what opens and closes a row is one button, and arrows go from row to row", async () => {
  const { fake, el, pressed } = await shown(status({ loaded: 9, total: 9, phase: "complete" }), rowsOf(9));
  const focused = () => document.activeElement as HTMLButtonElement;
  expect(el.querySelectorAll('[data-place] [tabindex="0"]')).toHaveLength(3); // of one row alone
  el.querySelector<HTMLButtonElement>('[data-control="form"]')?.focus();
  for (const [key, place] of [
    ["ArrowDown", 1],
    ["ArrowDown", 2],
    ["ArrowUp", 1],
  ] as const) {
    focused().dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    await soon(() => expect(focused().getAttribute("aria-label")).toBe(`Edit: Image ${place}`));
  }
  focused().click();
  const id = rowsOf(9)[1]!.id;
  expect(pressed()).toEqual([`form ${id}`]);
  fake.change(
    "status",
    status({ loaded: 9, total: 9, phase: "complete", opened: { what: "form", id, phase: "open", message: "" } }),
  );
  await soon(() =>
    expect([focused().getAttribute("aria-label"), focused().getAttribute("aria-expanded")]).toEqual([
      "Close: Image 1",
      "true",
    ]),
  );
  focused().click();
  expect(pressed().at(-1)).toBe("close");
});

test("no thumbnail is requested before the user wants them", async () => {
  const { fake, el, asked } = await shown(status({ loaded: 3, total: 3, phase: "complete" }), rowsOf(3));
  const box = el.querySelector<HTMLInputElement>('input[type="checkbox"]')!;
  expect([box.checked, asked("records").length, el.querySelectorAll("img").length]).toEqual([false, 0, 0]);
  box.click();
  const ids = rowsOf(3).map(({ id }) => id);
  await soon(() => expect(asked("records").map((message) => message.ids)).toEqual([ids]));
  const bad = { thumbnail: "javascript:alert(1)", alt: "" };
  fake.receive({
    kind: "records",
    records: { [ids[0]!]: { thumbnail: "https://x.org/t.jpg", alt: "Two arms" }, [ids[1]!]: bad },
  });
  const drawnOnes = () =>
    [...el.querySelectorAll("img")].map((img) => [img.getAttribute("src"), img.alt, img.referrerPolicy]);
  await soon(() => expect(drawnOnes()).toEqual([["https://x.org/t.jpg", "Two arms", "no-referrer"]]));
});

test("a list that begins anew shows the new one, and a saved image its new note", async () => {
  const kernel = rowsOf(2);
  const { fake, notes } = await shown(status({ loaded: 2, total: 2, phase: "complete" }), kernel);
  kernel.unshift(...rowsOf(1, 7));
  fake.change("status", status({ version: 2, loaded: 3, total: 3, phase: "complete" }));
  await soon(() => expect(notes()).toEqual(["Image 7", "Image 0", "Image 1"]));
  fake.receive({ kind: "row", row: { ...kernel[1]!, note: "Renamed" }, record: { thumbnail: "", alt: "" } });
  await soon(() => expect(notes()).toEqual(["Image 7", "Renamed", "Image 1"]));
});

test("what went wrong is said, and tried again by a button", async () => {
  const { el, pressed } = await shown(status({ phase: "failed", message: "Forbidden." }), []);
  const alert = el.querySelector('[role="alert"]');
  expect(alert?.textContent).toContain("Forbidden.");
  alert?.querySelector("button")?.click();
  expect(pressed()).toEqual(["more"]);
});

test("the sentence above the list says what there is", () => {
  expect(inWords(status({ phase: "loading" }), "image", "", 0)).toBe("Loading images …");
  expect(inWords(status({ total: 0, phase: "complete" }), "image", "", 0)).toBe("@me has no images yet.");
  expect(inWords(status({ loaded: 100, total: 250, phase: "loading" }), "image", "", 0)).toBe(
    "100 of 250 images are loaded; loading more …",
  );
  expect(inWords(status({ loaded: 1, total: 1, phase: "complete" }), "image", " ", 1)).toBe("1 image.");
});

test("a search looks at notes and addresses for every word, and at ids for long ones", () => {
  const rows = rowsOf(20);
  const textOf = (row: Row) => `${row.note} ${row.url}`;
  expect(matching(rows, "IMAGE 1", textOf).map(({ note }) => note)).toHaveLength(11);
  expect(matching(rows, "00000019", textOf).map(({ note }) => note)).toEqual(["Image 19"]);
  expect(matching(rows, "x.org 7", textOf).map(({ note }) => note)).toEqual(["Image 7", "Image 17"]);
});
