import { expect, test } from "vitest";
import { RowStore } from "./rows.ts";
import type { Row } from "./status.ts";

type Answer = { rows: Row[]; total: number; revision: number };

const row = (i: number, v: number, state = "waiting"): Row => ({
  i,
  v,
  name: `Field ${i}`,
  chosen: true,
  errors: 0,
  warnings: 0,
  state,
  reason: "",
  needs_review: false,
  anyway: false,
  local: false,
  web: "",
  id: "",
  record: "",
});

/** A kernel that answers when it is let, and tells news. */
class FakeKernel {
  asked: number[] = [];
  tell: (content: Record<string, unknown>) => void = () => {};
  sent: Record<string, unknown>[] = [];
  send = (message: Record<string, unknown>) => void this.sent.push(message);
  #answers: ((answer: Answer) => void)[] = [];

  request = (_kind: string, { start }: { start?: number } = {}) => {
    this.asked.push(start!);
    return new Promise<never>((resolve) => this.#answers.push((content) => resolve({ content, buffers: [] } as never)));
  };
  onMessage = (_kind: string, listener: (content: Record<string, unknown>) => void) => {
    this.tell = listener;
  };

  async answer(rows: Row[], revision: number, total: number): Promise<void> {
    this.#answers.shift()!({ rows, revision, total });
    await new Promise((later) => setTimeout(later));
  }
}

function opened() {
  const kernel = new FakeKernel();
  const store = new RowStore(kernel as never, "page", () => {});
  void store.load();
  return { kernel, store, states: () => store.rows.map(({ state }) => state) };
}

test("rows come in parts, and are complete with the last", async () => {
  const { kernel, store } = opened();
  await kernel.answer([row(0, 0), row(1, 0)], 0, 3);
  expect(store.complete).toBe(false);
  await kernel.answer([row(2, 0)], 0, 3);
  expect(kernel.asked).toEqual([0, 2]);
  expect([store.complete, store.rows.length]).toEqual([true, 3]);
});

test("of two states of a row the later one holds, whichever comes first", async () => {
  const { kernel, states } = opened();
  kernel.tell({ rows: [row(1, 5, "published")], revision: 5 });
  await kernel.answer([row(0, 4), row(1, 4, "sending")], 4, 2);
  expect(states()).toEqual(["waiting", "published"]);
  expect(kernel.asked).toEqual([0]); // nothing is missing
});

test("news that follow each other are taken; where some are missing, all rows are asked for again", async () => {
  const { kernel, states } = opened();
  await kernel.answer([row(0, 1), row(1, 1)], 1, 2);
  kernel.tell({ rows: [row(0, 2, "sending")], revision: 2 });
  expect(kernel.asked).toEqual([0]);
  kernel.tell({ rows: [row(0, 4, "published")], revision: 4 }); // 3 was lost with a connection
  expect(kernel.asked).toEqual([0, 0]);
  await kernel.answer([row(0, 4, "published"), row(1, 4, "failed")], 4, 2);
  expect(states()).toEqual(["published", "failed"]);
});

test("a page that hears of newer news than it has asks for all rows", async () => {
  const { kernel, store } = opened();
  store.expect(7); // before the rows were here: they are on their way
  await kernel.answer([row(0, 7)], 7, 1);
  store.expect(7);
  expect(kernel.asked).toEqual([0]);
  store.expect(9);
  expect(kernel.asked).toEqual([0, 0]);
});

test("what is clicked is seen at once, and older news that were on their way do not undo it", async () => {
  const { kernel, store } = opened();
  await kernel.answer([row(0, 1), row(1, 1)], 1, 2);
  store.click("choose", [0, 1], false);
  store.click("choose", [1], true);
  const chosen = () => store.rows.map((it) => it.chosen);
  kernel.tell({ rows: [row(0, 2, "invalid"), row(1, 2, "invalid")], revision: 2 }); // from before the clicks
  expect([chosen(), store.rows[0]!.state]).toEqual([[false, true], "invalid"]);
  kernel.tell({
    rows: [
      { ...row(0, 3), chosen: false },
      { ...row(1, 3), chosen: false },
    ],
    revision: 3,
  });
  store.acknowledge(1);
  expect(chosen()).toEqual([false, true]);
  kernel.tell({ rows: [row(1, 4), { ...row(0, 4), chosen: true }], revision: 4 }); // the kernel has the last word
  store.acknowledge(2);
  expect(chosen()).toEqual([true, true]);
});
