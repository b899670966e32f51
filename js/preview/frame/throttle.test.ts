import { beforeEach, expect, test, vi } from "vitest";
import type { Realm } from "./intercept.ts";
import { Throttle } from "./throttle.ts";

let drawn = 0;
let asked: FrameRequestCallback[] = [];
let throttle: Throttle;

/** An engine: it asks for a frame, draws it and asks for the next. */
function engine(realm: Realm): void {
  const draw = () => {
    drawn += 1;
    realm.requestAnimationFrame(draw);
  };
  realm.requestAnimationFrame(draw);
}

/** The browser comes to draw a frame. */
function frame(): void {
  const callbacks = asked;
  asked = [];
  for (const callback of callbacks) callback(performance.now());
}

beforeEach(() => {
  vi.useFakeTimers();
  [drawn, asked] = [0, []];
  const realm = {
    requestAnimationFrame: (callback: FrameRequestCallback) => asked.push(callback),
    setInterval: () => 0,
    addEventListener: () => {},
  } as unknown as Realm;
  throttle = new Throttle(realm);
  engine(realm);
  frame();
});

test("what has changed is drawn at once, without waiting for the browser", () => {
  vi.advanceTimersByTime(100);
  throttle.drawSoon();
  expect(drawn).toBe(2);
});

test("what changes many times in a short while is drawn together", () => {
  vi.advanceTimersByTime(100);
  for (let change = 0; change < 10; change++) throttle.drawSoon();
  expect(drawn).toBe(2);
  vi.advanceTimersByTime(50);
  expect(drawn).toBe(3);
});

test("a browser that does not keep up gets fewer and fewer frames", () => {
  vi.advanceTimersByTime(100);
  for (let change = 0; change < 500; change++) {
    throttle.drawSoon();
    vi.advanceTimersByTime(2);
  }
  expect(drawn).toBeLessThan(10);
  frame();
  const before = drawn;
  vi.advanceTimersByTime(20);
  throttle.drawSoon();
  expect(drawn).toBe(before + 1);
});

test("a frame that the browser asked for meanwhile is enough", () => {
  vi.advanceTimersByTime(100);
  throttle.drawSoon();
  throttle.drawSoon();
  frame();
  vi.advanceTimersByTime(100);
  expect(drawn).toBe(3);
});

test("nothing is drawn while nobody sees it, and all of it when somebody does", () => {
  throttle.seen = false;
  vi.advanceTimersByTime(100);
  throttle.drawSoon();
  frame();
  expect(drawn).toBe(1);
  throttle.seen = true;
  frame();
  expect(drawn).toBe(2);
});

test("what is drawn may say that there is more to draw", () => {
  throttle.afterFrame = () => throttle.drawSoon();
  vi.advanceTimersByTime(100);
  throttle.drawSoon();
  expect(drawn).toBe(2);
});
