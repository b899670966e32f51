import type { AnyModel } from "@anywidget/types";
import { expect, test } from "vitest";
import { patchMessageHandler } from "./message_handler.ts";

class Model {
  static model_module = "@jupyter-widgets/base";
  heard: unknown[] = [];
  handler: (message: unknown) => unknown = () => {};
  comm = { on_msg: (handler: (message: unknown) => unknown) => (this.handler = handler) };
  #listener: ((model: Model) => void) | null = null;

  _handle_comm_msg(message: unknown): unknown {
    return this.heard.push(message);
  }

  proxy = {
    on: (_event: string, listener: (model: Model) => void) => (this.#listener = listener),
    off: () => (this.#listener = null),
    set: () => this.#listener?.(this),
  } as unknown as AnyModel;
}

class DeafModel extends Model {
  static override model_module = "anywidget";

  override async _handle_comm_msg(): Promise<void> {
    await Promise.reject(new Error("[anywidget] Failed to initialize model."));
  }
}

test("a widget whose module came late hears the kernel all the same", () => {
  const deaf = new DeafModel();
  patchMessageHandler(deaf.proxy);
  deaf.handler("hello");
  expect(deaf.heard).toEqual(["hello"]);
});

test("a model that is none of anywidget's is left as it is", () => {
  const other = new Model();
  const before = other.handler;
  patchMessageHandler(other.proxy);
  expect(other.handler).toBe(before);
  const strange = { on: () => {}, off: () => {}, set: () => {} } as unknown as AnyModel;
  expect(() => patchMessageHandler(strange)).not.toThrow();
});
