import { beforeEach, describe, expect, it } from "vitest";
import { ClosedError } from "../../shared/kernel_link.ts";
import { PlacingQueue, type Sent } from "./queue.ts";

describe("changes on their way to the kernel", () => {
  let sent: Sent[];
  let answers: ((error?: Error) => void)[];
  let words: string[];
  let idle: number;
  let queue: PlacingQueue;
  const drag = (step: number, gesture = "a") => ({ op: "move", step, gesture });
  const steps = () => sent.map(({ op, step }) => step ?? op);
  const answer = async (error?: Error) => {
    answers.shift()!(error);
    await new Promise((later) => setTimeout(later));
  };
  beforeEach(() => {
    [sent, answers, words, idle] = [[], [], [], 0];
    queue = new PlacingQueue((change) => {
      sent.push(change);
      return new Promise((resolve, reject) => answers.push((error) => (error ? reject(error) : resolve())));
    });
    queue.onIdle = () => (idle += 1);
    queue.onRefused = (said) => words.push(said);
  });

  it("go one at a time, and of a drag only the newest", async () => {
    for (let step = 1; step <= 5; step++) queue.send(drag(step));
    expect(steps()).toEqual([1]);
    await answer();
    expect(steps()).toEqual([1, 5]);
    expect(queue.idle).toBe(false);
    await answer();
    expect([queue.idle, idle]).toEqual([true, 1]);
  });

  it("keep their order where they are different things", async () => {
    queue.send(drag(1));
    queue.send(drag(2));
    queue.send({ op: "undo" });
    queue.send({ op: "undo" });
    queue.send(drag(3, "b"));
    for (let count = 0; count < 5; count++) await answer();
    expect(steps()).toEqual([1, 2, "undo", "undo", 3]);
  });

  it("end with a refusal in words, and nothing more of that drag is sent", async () => {
    queue.send(drag(1));
    queue.send(drag(2));
    queue.send(drag(1, "b"));
    await answer(new Error("It is published."));
    queue.send(drag(3));
    await answer();
    expect(words).toEqual(["It is published."]);
    expect(sent.map(({ gesture }) => gesture)).toEqual(["a", "b"]);
    expect(queue.idle).toBe(true);
  });

  it("that nobody waits for any more end in silence", async () => {
    queue.send(drag(1));
    await answer(new ClosedError());
    expect([words, queue.idle]).toEqual([[], true]);
  });
});
