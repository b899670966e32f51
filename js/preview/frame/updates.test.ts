import { beforeEach, expect, test } from "vitest";
import { FakeModel } from "../../shared/fake_model.ts";
import { KernelLink } from "../../shared/kernel_link.ts";
import { Updates } from "./updates.ts";

let fake: FakeModel;
let kernel: KernelLink;
let updates: Updates;
let log: unknown[];

beforeEach(() => {
  fake = new FakeModel({});
  kernel = new KernelLink(fake.model);
  updates = new Updates(kernel);
  log = [];
  updates.onIdle = (idle) => log.push(idle ? "idle" : "needs updates");
  updates.onState = ({ revision }) => log.push(`revision ${revision}`);
  updates.onCurrent = (current) => log.push(current ? "current" : "unknown");
  updates.onError = (message) => log.push(message);
});

async function respond(request: number, content: Record<string, unknown>): Promise<void> {
  fake.receive({ ok: true, ...content, id: fake.sent[request]!.id });
  await Promise.resolve();
  await Promise.resolve();
}

test("a view that was idle has what it had before confirmed before that counts", async () => {
  updates.idle = true;
  updates.idle = false;
  expect(updates.current).toBe(false);
  expect(fake.sent.map(({ kind }) => kind)).toEqual(["open"]);
  await respond(0, { revision: 7 });
  expect(log).toEqual(["idle", "unknown", "needs updates", "revision 7", "current"]);
  updates.idle = false;
  expect(fake.sent).toHaveLength(1);
});

test("a response to an earlier request does not confirm a view that has been idle since", async () => {
  updates.idle = true;
  updates.idle = false;
  updates.idle = true;
  await respond(0, { revision: 7 });
  expect(updates.current).toBe(false);
  updates.idle = false;
  expect(updates.current).toBe(false);
  await respond(1, { revision: 8 });
  expect(updates.current).toBe(true);
});

test("a refusal is reported, and the view goes on with what it has", async () => {
  updates.idle = true;
  updates.idle = false;
  await respond(0, { ok: false, message: "The file is gone." });
  expect(log.slice(-2)).toEqual(["The file is gone.", "current"]);
});

test("once the kernel is gone nothing changes any more", () => {
  fake.send = () => {
    throw new Error("the comm is closed");
  };
  updates.idle = true;
  kernel.send({ kind: "view" });
  expect(updates.current).toBe(false);
  updates.idle = false;
  expect(updates.current).toBe(true);
});

test("a kernel that is lost while it is asked leaves the view with what it has", () => {
  updates.idle = true;
  updates.idle = false;
  expect(updates.current).toBe(false);
  fake.send = () => {
    throw new Error("the comm is closed");
  };
  kernel.send({ kind: "view" });
  expect(updates.current).toBe(true);
});
