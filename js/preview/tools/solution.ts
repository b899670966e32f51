/** The matched stars of a solution that waits for a decision: crosses on the image, rings on the sky, lines from one to the other. */

import type { SolutionEvent, SolvedStar } from "../../protocol.ts";
import type { KernelLink } from "../../shared/kernel_link.ts";
import { skyToPixel, type View } from "../engine/projection.ts";
import type { App, Part } from "../part.ts";
import type { ViewState } from "../view_state.ts";
import { svg } from "./toolbar.ts";

type Point = readonly [x: number, y: number];

const LONGEST = 18; // pixels of the longest residual as it is drawn
const MOST = 50; // times that residuals are enlarged at most: noise should not look like an error

export class SolutionMarks implements Part {
  readonly element = svg("svg", { class: "cxw-solution", "aria-hidden": "true" });
  #viewState: ViewState;
  #stars: readonly SolvedStar[] = [];
  #app: App | null = null;
  #drawnFor = "";

  constructor(kernel: KernelLink, viewState: ViewState) {
    this.#viewState = viewState;
    kernel.onMessage<SolutionEvent>("solution", ({ stars }) => this.receive(stars));
  }

  receive(stars: readonly SolvedStar[]): void {
    this.#stars = stars;
    this.#drawnFor = "";
    if (this.#app) this.drawn(this.#app);
  }

  drawn(app: App): void {
    this.#app = app;
    const view = this.#stars.length > 0 ? this.#viewState.view(app) : null;
    const now = JSON.stringify(view);
    if (now === this.#drawnFor) return;
    this.#drawnFor = now;
    this.element.replaceChildren(...(view ? marks(view, this.#stars) : []));
  }

  appGone(): void {
    this.#app = null;
    this.#drawnFor = "";
    this.element.replaceChildren();
  }
}

function marks(view: View, stars: readonly SolvedStar[]): SVGElement[] {
  const inView = ([x, y]: Point) => x > -20 && y > -20 && x < view.width + 20 && y < view.height + 20;
  const pairs: [Point, Point][] = [];
  for (const { seen, there } of stars) {
    const [from, to] = [skyToPixel(view, ...seen), skyToPixel(view, ...there)];
    if (from && to && inView(to)) pairs.push([from, to]);
  }
  const longest = Math.max(...pairs.map(([[x, y], [toX, toY]]) => Math.hypot(toX - x, toY - y)), 1e-6);
  const times = Math.min(MOST, Math.max(1, LONGEST / longest));
  return pairs.flatMap(([[x, y], [toX, toY]]) => {
    const cross = `M${x - 4} ${y}h8M${x} ${y - 4}v8`;
    const way = `M${x} ${y}l${times * (toX - x)} ${times * (toY - y)}`;
    return [
      svg("path", { d: cross, class: "cxw-dark" }),
      svg("path", { d: cross }),
      svg("circle", { cx: String(toX), cy: String(toY), r: "7", class: "cxw-dark" }),
      svg("circle", { cx: String(toX), cy: String(toY), r: "7", class: "cxw-there" }),
      svg("path", { d: way, class: "cxw-way" }),
    ];
  });
}
