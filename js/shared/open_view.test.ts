import { expect, test } from "vitest";
import { FakeModel } from "./fake_model.ts";
import { KernelLink } from "./kernel_link.ts";
import { openView } from "./open_view.ts";

test("the kernel hears of a view when it opens and when it closes, under one name", () => {
  const fake = new FakeModel({});
  const opened = openView(new KernelLink(fake.model));
  const other = openView(new KernelLink(fake.model));
  opened.close();
  const [first, second, third] = fake.sent;
  expect(first).toEqual({ kind: "view", view: first!.view, open: true });
  expect(second!.view).not.toBe(first!.view);
  expect(third).toEqual({ ...first, open: false });
  other.close();
});

test("a page that is left closes its views, and opens them if it is come back to", () => {
  const fake = new FakeModel({});
  const opened = openView(new KernelLink(fake.model));
  window.dispatchEvent(new Event("pagehide"));
  window.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true }));
  expect(fake.sent.map((message) => message.open)).toEqual([true, false, true]);
  opened.close();
  window.dispatchEvent(new Event("pagehide"));
  expect(fake.sent).toHaveLength(4);
});

test("a view that needs no updates says so, also when its page is come back to", () => {
  const fake = new FakeModel({});
  const opened = openView(new KernelLink(fake.model));
  opened.idle = true;
  window.dispatchEvent(new Event("pagehide"));
  window.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true }));
  opened.idle = false;
  opened.close();
  expect(fake.sent.map(({ open, updates }) => [open, updates])).toEqual([
    [true, undefined],
    [true, false],
    [false, undefined],
    [true, false],
    [true, undefined],
    [false, undefined],
  ]);
});

test("a kernel that is gone does not keep a view from opening or closing", () => {
  const fake = new FakeModel({});
  fake.send = () => {
    throw new Error("the comm is closed");
  };
  expect(() => openView(new KernelLink(fake.model)).close()).not.toThrow();
});
