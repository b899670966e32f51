/** What is drawn over the sky while the image is being placed: its outline, the handles to pull, the stars that were chosen. */

import type { Place } from "../../geometry/tangent.ts";
import { skyToPixel, type View } from "../engine/projection.ts";
import { svg } from "../tools/toolbar.ts";
import type { Outline } from "./pixels.ts";

/** What was taken hold of. */
export type Hold = "move" | "turn" | "scale";

/** A star of the alignment: where it is now in the picture, and where it ought to be. */
export interface Mark {
  label: string;
  now: Place | null;
  there: Place | null;
}

type Point = readonly [x: number, y: number];

const ARM = 30; // pixels from the upper edge to the handle that turns
const REACH = 13; // pixels around a handle that are the handle's, too
// Pixels from the edge of the view to a handle whose own place is not in it. Below lie coordinates and scale bar.
const EDGE = 16;
const FOOT = 54;

export class PlacingOutline {
  readonly element = svg("svg", { class: "cxw-placing-outline", "aria-hidden": "true" });
  #body = svg("polygon", { class: "cxw-placing-body" });
  #arm = svg("path", { class: "cxw-placing-arm" });
  #corners = [0, 1, 2, 3].map(() => handle("scale", svg("rect", { x: "-5", y: "-5", width: "10", height: "10" })));
  #turn = handle("turn", svg("circle", { r: "6" }));
  #marks = svg("g", { class: "cxw-placing-marks" });

  constructor() {
    this.#body.dataset.hold = "move";
    this.element.append(this.#body, this.#arm, ...this.#corners, this.#turn, this.#marks);
  }

  /** What an event is on, null if none of this. */
  static holdAt(target: EventTarget | null): Hold | null {
    return ((target as Element | null)?.closest<SVGElement>("[data-hold]")?.dataset.hold as Hold | undefined) ?? null;
  }

  /** False if nothing of the image is in the view. Handles whose place is outside wait at its edge. */
  draw(view: View, outline: Outline, marks: readonly Mark[]): boolean {
    const corners = outline.corners.map((corner) => skyToPixel(view, ...corner));
    const middle = skyToPixel(view, ...outline.middle);
    const points = corners.filter((corner) => corner !== null);
    const seen = middle !== null && points.length === 4 && inView(points, view);
    this.#marks.replaceChildren(...marks.flatMap((mark) => drawMark(view, mark)));
    for (const part of [this.#body, this.#arm, ...this.#corners, this.#turn]) part.style.display = seen ? "" : "none";
    if (!seen) return false;
    this.#body.setAttribute("points", points.map((point) => point.map(short).join()).join(" "));
    const top = between(points[2]!, points[3]!);
    const [dx, dy] = [top[0] - middle[0], top[1] - middle[1]];
    const length = Math.max(Math.hypot(dx, dy), 1e-6);
    const knob = within(view, [top[0] + (dx / length) * ARM, top[1] + (dy / length) * ARM]);
    this.#arm.setAttribute("d", `M${top.map(short).join()} L${knob.map(short).join()}`);
    put(this.#turn, knob);
    const [a, c] = [points[1]!, points[3]!];
    const falling = (a[0] - c[0]) * (a[1] - c[1]) > 0;
    this.#corners.forEach((corner, index) => {
      const at = within(view, points[index]!);
      put(corner, at);
      corner.style.cursor = falling === (index % 2 === 1) ? "nwse-resize" : "nesw-resize";
      const away = distance(at, points[index]!) > 0;
      if (away && Math.min(distance(at, knob), distance(at, middle)) < 2 * REACH) corner.style.display = "none";
    });
    return true;
  }
}

/** Whether the view and a convex figure have something in common: no line between them parts them. */
function inView(figure: readonly Point[], { width, height }: View): boolean {
  const view: Point[] = [
    [0, 0],
    [width, 0],
    [width, height],
    [0, height],
  ];
  const normals = figure.map(([x, y], index): Point => {
    const next = figure[(index + 1) % figure.length]!;
    return [y - next[1], next[0] - x];
  });
  return [...normals, [1, 0] as const, [0, 1] as const].every(([x, y]) => {
    const [one, other] = [figure, view].map((points) => points.map((point) => point[0] * x + point[1] * y)) as [
      number[],
      number[],
    ];
    return Math.min(...one) <= Math.max(...other) && Math.min(...other) <= Math.max(...one);
  });
}

/** The place itself if it is in the view, or else the nearest one where a handle is free. */
function within({ width, height }: View, [x, y]: Point): Point {
  if (x >= 0 && x <= width && y >= 0 && y <= height) return [x, y];
  const [right, low] = [width - EDGE, height - FOOT];
  return [Math.min(Math.max(x, EDGE), right), Math.min(Math.max(y, EDGE), low)];
}

function handle(hold: Hold, shape: SVGElement): SVGElement {
  const element = svg("g", { class: `cxw-placing-handle cxw-placing-${hold}` });
  element.dataset.hold = hold;
  element.append(svg("circle", { r: String(REACH), class: "cxw-placing-reach" }), shape);
  return element;
}

/** A cross on the star in the picture, a ring around its place in the sky, a line from one to the other. */
function drawMark(view: View, { label, now, there }: Mark): SVGElement[] {
  const from = now && skyToPixel(view, ...now);
  const to = there && skyToPixel(view, ...there);
  const parts: SVGElement[] = [];
  if (from && to)
    parts.push(svg("path", { d: `M${from.map(short).join()} L${to.map(short).join()}`, class: "cxw-placing-way" }));
  if (from) parts.push(...twice("path", { d: cross(from) }));
  if (to) parts.push(...twice("circle", { cx: short(to[0]), cy: short(to[1]), r: "8" }));
  const at = from ?? to;
  if (!at) return parts;
  const text = svg("text", { x: short(at[0] + 11), y: short(at[1] - 9) });
  text.textContent = label;
  return [...parts, text];
}

/** Dark below light, so that any sky lets it be seen. */
const twice = (name: string, attributes: Record<string, string>) => [
  svg(name, { ...attributes, class: "cxw-dark" }),
  svg(name, attributes),
];

const cross = ([x, y]: Point) => `M${short(x - 8)} ${short(y)}h16M${short(x)} ${short(y - 8)}v16`;
const put = (element: SVGElement, [x, y]: Point) =>
  element.setAttribute("transform", `translate(${short(x)} ${short(y)})`);
const between = (a: Point, b: Point) => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2] as const;
const distance = (a: Point, b: Point) => Math.hypot(a[0] - b[0], a[1] - b[1]);
const short = (value: number) => String(Math.round(value * 10) / 10);
