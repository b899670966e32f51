// Questions to the kernel over the widget's comm: each carries an id, the answer carries the same one, and an error is an answer too.

import type { AnyModel } from "@anywidget/types";

interface Answer {
  id: number;
  ok: boolean;
  message?: string;
  [key: string]: unknown;
}

const RETRY = 400; // ms; JupyterLab may lose a message that comes before the kernel listens, so ask again until answered

/** Ask once; resolves with the answer, rejects with the kernel's words. Asks again while nothing comes, until `signal` ends it. */
export function ask(model: AnyModel, kind: string, signal: AbortSignal): Promise<Answer> {
  const id = Math.floor(Math.random() * 2 ** 50);
  return new Promise((resolve, reject) => {
    const send = () => model.send({ kind, id });
    const timer = setInterval(send, RETRY);
    const stop = () => {
      clearInterval(timer);
      model.off("msg:custom", onMessage);
    };
    const onMessage = (message: Answer) => {
      if (message.id !== id) return;
      stop();
      if (message.ok) resolve(message);
      else reject(new Error(message.message));
    };
    signal.addEventListener("abort", stop, { once: true });
    model.on("msg:custom", onMessage);
    send();
  });
}
