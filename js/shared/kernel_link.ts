/**
 * The page's half of a widget: messages to and from the kernel, requests with their responses, and the model's traits.
 *
 * A request is `{id, kind, …}`; its response is `{id, ok, …}` with binary buffers. Everything else has a kind and no id. A connection can
 * break while a message is sent, and the model does not report it: requests are repeated until they have a response, commands (what a
 * button says) until the kernel confirms them.
 */

import type { AnyModel } from "@anywidget/types";
import type { Command, CommandsMessage, ReceivedEvent } from "../protocol.ts";
import { watchComm } from "./message_handler.ts";
import { LATE_RETRY, Repeater, SLOWEST_RETRY } from "./repeater.ts";

export interface Response<Content = Record<string, unknown>> {
  content: Content;
  buffers: Uint8Array<ArrayBuffer>[];
}

/** The kernel responded with a refusal. */
export class RequestError extends Error {}

/** The link was closed before the response came. */
export class ClosedError extends Error {
  override readonly name = "ClosedError"; // another evaluation of this module recognizes it by name, see page_wide.ts
}

/** The message of whatever was thrown. */
export const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

interface PendingRequest {
  message: { id: number; kind: string } & Record<string, unknown>;
  buffers: ArrayBuffer[];
  sent: number;
  wait: number;
  /** Takes one part of the response; returns true if it was the last one. */
  take: (part: Response) => boolean;
  reject: (error: Error) => void;
}

// The first message of a page can get stuck behind the running cell (JupyterLab is still making the subshell that would
// respond to it): repeat it soon until the kernel responds. After that only what is really late is repeated.
const FIRST_RETRY = 400;
const SILENT_AFTER = 3500;

// Commands, by action or kind, that publish. They are sent once: repeated, they could arrive after the person has thought better of it.
const SENT_ONCE = new Set(["confirm", "resend", "repeat", "resume"]);

// Integers, since ipykernel 7.4 remembers every text id forever. Several pages may be connected to one kernel.
let nextId = Math.floor(Math.random() * 2 ** 31) * 2 ** 20;

export class KernelLink {
  #model: AnyModel;
  #pending = new Map<number, PendingRequest>();
  #handlers = new Map<string, (content: Record<string, unknown>) => void>();
  #listeners = new Set<() => void>();
  #stopWatching: () => void;
  #timer: ReturnType<typeof setInterval> | undefined;
  #responded = false;
  #page = Math.random().toString(36).slice(2);
  #commands: Command[] = [];
  #count = 0;
  #repeater = new Repeater(() => this.#transmitCommands());
  #closed = false;
  #gone = false;
  #lastMessage = performance.now();
  #silent = false;
  /** Called with true when the kernel has not responded for long, with false when it responds again. */
  onSilence: (silent: boolean) => void = () => {};

  constructor(model: AnyModel) {
    this.#model = model;
    model.on("msg:custom", this.#receive);
    this.#stopWatching = watchComm(model, (live) => this.#setGone(!live));
  }

  /** The value of one of the model's traits. */
  trait<T>(name: string): T {
    return this.#model.get(name) as T;
  }

  /** Call `listener` whenever a trait changes; returns what ends that. */
  onTrait(name: string, listener: () => void): () => void {
    this.#model.on(`change:${name}`, listener);
    return () => this.#model.off(`change:${name}`, listener);
  }

  /** Another link of the same view, whose silence is counted by itself: for requests that wait for a server. */
  fork(): KernelLink {
    return new KernelLink(this.#model);
  }

  /** Whether the kernel's half is gone: its comm was closed, or a message could not be sent. */
  get gone(): boolean {
    return this.#gone;
  }

  /** Call `listener` when `gone` changes; returns what ends that. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The response to a request. Rejects with `RequestError` if the kernel refuses, with `ClosedError` if this link is closed first. */
  request<Content = Record<string, unknown>>(
    kind: string,
    content: Record<string, unknown> = {},
    buffers: ArrayBuffer[] = [],
  ): Promise<Response<Content>> {
    return new Promise((resolve, reject) => {
      const take = (response: Response) => {
        resolve(response as Response<Content>);
        return true;
      };
      this.requestParts(kind, content, take, reject, buffers);
    });
  }

  /** Make a request whose response comes in several parts, until `take` returns true. */
  requestParts(
    kind: string,
    content: Record<string, unknown>,
    take: PendingRequest["take"],
    reject: PendingRequest["reject"],
    buffers: ArrayBuffer[] = [],
  ): void {
    if (this.#closed) {
      reject(new ClosedError());
      return;
    }
    const id = nextId++;
    const now = performance.now();
    this.#noteWaiting();
    const wait = this.#responded ? LATE_RETRY : FIRST_RETRY;
    const pending = { message: { ...content, id, kind }, buffers, sent: now, wait, take, reject };
    this.#pending.set(id, pending);
    this.#transmit(pending);
    this.#timer ??= setInterval(() => this.#retry(), FIRST_RETRY / 2);
  }

  /** Send a command, which the kernel obeys once: it is repeated until the kernel confirms it, in order. What publishes is not repeated. */
  send<Message extends { kind: string; action?: unknown }>(message: Message): void {
    if (this.#closed || SENT_ONCE.has(String(message.action ?? message.kind))) {
      this.sendOnce(message);
      return;
    }
    this.#noteWaiting();
    this.#count += 1;
    this.#commands = [...this.#commands, { ...message, number: this.#count }];
    this.#transmitCommands();
    this.#repeater.start();
  }

  /** Send the present state of something: as `send`, but one that the kernel has not confirmed yet is not sent any more. */
  report<Message extends { kind: string }>(message: Message): void {
    this.#commands = this.#commands.filter(({ kind }) => kind !== message.kind);
    this.send(message);
  }

  /** Send a message that may be lost. A closed comm throws: that must not undo what is being typed, so it only sets `gone`. */
  sendOnce<Message extends { kind: string }>(message: Message): void {
    try {
      this.#model.send(message);
    } catch {
      this.#setGone(true);
    }
  }

  /** Call `handler` with messages of this kind that are no responses. */
  onMessage<Content = Record<string, unknown>>(kind: string, handler: (content: Content) => void): void {
    this.#handlers.set(kind, handler as (content: Record<string, unknown>) => void);
  }

  close(): void {
    this.#closed = true;
    this.#model.off("msg:custom", this.#receive);
    this.#stopWatching();
    this.#listeners.clear();
    clearInterval(this.#timer);
    this.#repeater.stop();
    for (const pending of this.#pending.values()) pending.reject(new ClosedError());
    this.#pending.clear();
  }

  #setGone(gone: boolean): void {
    if (gone === this.#gone) return;
    this.#gone = gone;
    for (const listener of this.#listeners) listener();
  }

  /** Silence counts from the first message on that waits for the kernel. */
  #noteWaiting(): void {
    if (this.#pending.size === 0 && this.#commands.length === 0) this.#lastMessage = performance.now();
  }

  #transmitCommands(): boolean {
    if (this.#commands.length === 0) return false;
    this.sendOnce<CommandsMessage>({ kind: "commands", page: this.#page, commands: this.#commands });
    this.#checkSilence();
    return true;
  }

  #transmit(pending: PendingRequest): void {
    pending.sent = performance.now();
    try {
      if (pending.buffers.length > 0) this.#model.send(pending.message, undefined, pending.buffers);
      else this.#model.send(pending.message);
    } catch {
      // The comm is closed: no response comes, and `onSilence` reports that.
    }
  }

  #retry(): void {
    const now = performance.now();
    for (const pending of this.#pending.values()) {
      if (now - pending.sent < pending.wait) continue;
      if (this.#responded) pending.wait = Math.min(pending.wait * 2, SLOWEST_RETRY);
      this.#transmit(pending);
    }
    if (this.#pending.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    } else this.#checkSilence();
  }

  #checkSilence(): void {
    if (this.#silent || performance.now() - this.#lastMessage <= SILENT_AFTER) return;
    this.#silent = true;
    this.#responded = false;
    this.onSilence(true);
  }

  #receive = (message: Record<string, unknown>, buffers: DataView[]): void => {
    this.#lastMessage = performance.now();
    if (this.#silent) {
      this.#silent = false;
      this.onSilence(false);
    }
    if (message.kind === "received") {
      const { page, number } = message as unknown as ReceivedEvent;
      if (page === this.#page) this.#commands = this.#commands.filter((command) => command.number > number);
      return;
    }
    if (typeof message.id !== "number") {
      this.#handlers.get(String(message.kind))?.(message);
      return;
    }
    const pending = this.#pending.get(message.id);
    if (!pending) return; // requested by another view of this model, or a second response
    this.#responded = true;
    const ok = message.ok === true;
    pending.sent = this.#lastMessage; // what is on its way is not requested again
    if (!ok || pending.take({ content: message, buffers: (buffers ?? []).map(bytesOf) }))
      this.#pending.delete(message.id);
    if (!ok)
      pending.reject(new RequestError(String(message.message ?? "The kernel refused the request without a reason.")));
  };
}

function bytesOf(view: DataView): Uint8Array<ArrayBuffer> {
  return new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength);
}
