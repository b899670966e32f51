/** Grid, compass and scale bar, drawn on a canvas in the view's own pixels. */

import { compass, scaleBar, type View } from "../engine/projection.ts";
import { roundAngle } from "./angles.ts";
import { gridLines } from "./grid.ts";

const CORNER = 90; // pixels at the right that are the compass's
const ROOM = 130; // pixels for the scale bar
const MARGIN = 12;
const ARROWS = 36; // pixels from the compass's middle to the edges
export const LIGHT = "#fffc";
const DARK = "#0007";

export function drawGrid(context: CanvasRenderingContext2D, view: View): void {
  const lines = gridLines(view);
  const path = new Path2D();
  for (const piece of lines.flatMap(({ pieces }) => pieces)) {
    piece.forEach(([x, y], index) => (index ? path.lineTo(x, y) : path.moveTo(x, y)));
  }
  stroke(context, path, "#9cd6ffb0");
  context.textBaseline = "top";
  for (const { label } of lines) {
    if (!label || label.x > view.width - CORNER) continue;
    const [x, y] = label.x === 0 ? [4, label.y + 3] : [label.x + 4, 4];
    write(context, label.text, x, y, "#d4ecff");
  }
}

export function drawScaleBar(context: CanvasRenderingContext2D, view: View): void {
  const { angle, length } = scaleBar(view, widthOfScale(view));
  const [right, bottom] = [view.width - MARGIN, view.height - MARGIN];
  const path = new Path2D(`M${right - length} ${bottom - 6}v6h${length}v-6`);
  stroke(context, path, LIGHT);
  context.textAlign = "center";
  context.textBaseline = "bottom";
  write(context, roundAngle(angle), right - length / 2, bottom - 4, "#fff");
  context.textAlign = "start";
}

export function drawCompass(context: CanvasRenderingContext2D, view: View): void {
  const { north, east } = compass(view);
  context.save();
  context.translate(view.width - ARROWS, ARROWS);
  context.textAlign = "center";
  context.textBaseline = "middle";
  for (const { path, text, x, y } of [arm("N", north, true), arm("E", east, false)]) {
    stroke(context, new Path2D(path), LIGHT);
    write(context, text, x, y, "#fff");
  }
  context.restore();
}

/** The pixels that a scale bar may take. */
export const widthOfScale = (view: View) => Math.min(ROOM, view.width / 4);

/** An arrow of the compass from its middle, and where its letter stands. */
export function arm(text: string, [x, y]: [number, number], long: boolean) {
  const length = long ? 20 : 16;
  const [tipX, tipY] = [x * length, y * length];
  const side = (sign: number) => `${tipX - 5 * x + sign * 3.5 * y} ${tipY - 5 * y - sign * 3.5 * x}`;
  const path = `M0 0 L${tipX} ${tipY} M${side(1)} L${tipX} ${tipY} L${side(-1)}`;
  return { path, text, x: x * (length + 7), y: y * (length + 7) };
}

/** Dark below light, so that any sky lets it be seen. */
export function stroke(context: CanvasRenderingContext2D, path: Path2D, color: string): void {
  context.lineWidth = 3;
  context.strokeStyle = DARK;
  context.stroke(path);
  context.lineWidth = 1;
  context.strokeStyle = color;
  context.stroke(path);
}

function write(context: CanvasRenderingContext2D, text: string, x: number, y: number, color: string): void {
  context.font = "11px system-ui, sans-serif";
  context.strokeStyle = "#000a";
  context.lineWidth = 3;
  context.lineJoin = "round";
  context.strokeText(text, x, y);
  context.fillStyle = color;
  context.fillText(text, x, y);
}
