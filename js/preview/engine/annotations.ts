/**
 * Annotations as pywwt describes them: circles of the requested size, and none that was removed.
 *
 * Versions of WWT's engine draw a circle of radius r at declination d differently: until 2026 with an angle of atan(r · cos d / 44),
 * 1.3 times too large at the equator; later with atan(r · π / 180). All are linear in the tangent, so the engine's own scale is
 * measured, and it is given the radius that comes out right. It takes a radius in pixels for degrees: such a circle gets a new radius
 * whenever the scale of the view changes. And it begins with 10° where pywwt assumes 1°.
 */

export type Message = Record<string, unknown>;

interface Point {
  x: number;
  y: number;
  z: number;
}

interface EngineCircle {
  setCenter(ra: number, dec: number): void;
  set_radius(radius: number): number;
  get_center(): Point;
  draw(context: unknown): void;
}

/** What of the engine draws circles. */
export interface CircleLibrary {
  Circle: new () => EngineCircle;
  Annotation: { lineList: unknown; batchDirty: boolean };
}

interface Annotation {
  get_id(): string | undefined;
}

/** What of the engine's control keeps annotations. */
export interface AnnotationControl {
  _annotations?: Annotation[];
  _removeAnnotation?(annotation: Annotation): void;
}

/** The tangent of the angle that one unit of radius is drawn with, at a declination in degrees. */
export type Scale = (dec: number) => number;

const RADIANS = Math.PI / 180;
const DEFAULT_RADIUS = 1; // degrees; pywwt's
const LARGEST = 89; // degrees
const SMALLEST = 1e-6; // of a cosine: at a pole the engine draws nothing
const RESIZED = 1e-3; // of the scale; a smaller change can't be seen

/** The scale of the engine of pywwt 0.26, for an app whose engine can't be reached. */
export const PUBLISHED_SCALE: Scale = (dec) => Math.max(Math.cos(dec * RADIANS), SMALLEST) / 44;

/** Return the engine's own scale; `PUBLISHED_SCALE` if it can't be measured. */
export function measuredScale(library: CircleLibrary): Scale {
  try {
    const scale: Scale = (dec) => Math.max(drawnTangent(library, dec), SMALLEST / 44);
    return scale(0) > SMALLEST ? scale : PUBLISHED_SCALE;
  } catch {
    return PUBLISHED_SCALE;
  }
}

/** Has the engine draw a circle of radius 1 into a list of lines of ours. */
function drawnTangent({ Circle, Annotation }: CircleLibrary, dec: number): number {
  const circle = new Circle();
  circle.setCenter(0, dec);
  circle.set_radius(1);
  const { lineList, batchDirty } = Annotation;
  const edge: Point[] = [];
  Annotation.batchDirty = true;
  Annotation.lineList = { addLine: (from: Point) => void edge.push(from) };
  try {
    const center = circle.get_center();
    circle.draw({
      gl: {},
      get_fovScale: () => 1,
      get_viewPoint: () => center,
      WVP: { transform: () => ({ x: 0, y: 0, z: 1 }) },
    });
    const { x, y, z } = edge[0]!;
    return Math.hypot(x - center.x, y - center.y, z - center.z);
  } finally {
    Object.assign(Annotation, { lineList, batchDirty });
  }
}

/**
 * Let annotations be removed. The app passes a proxy that its framework has made of the annotation, and the engine searches for the
 * identical object without finding it: compare ids instead.
 */
export function removeById(control: AnnotationControl): void {
  const remove = control._removeAnnotation;
  if (typeof remove !== "function" || !Array.isArray(control._annotations)) return;
  control._removeAnnotation = (annotation) => {
    const id = annotation.get_id();
    const same = id === undefined ? undefined : control._annotations!.find((it) => it.get_id() === id);
    remove.call(control, same ?? annotation);
  };
}

interface Circle {
  dec: number;
  /** Degrees on the sky, or pixels on the screen. */
  radius: number;
  onSky: boolean;
}

export class Circles {
  #circles = new Map<unknown, Circle>();
  #scale: Scale;
  #degreesPerPixel = 0;

  constructor(scale: Scale = PUBLISHED_SCALE) {
    this.#scale = scale;
  }

  /** Yield `message`, and the further messages that its circle needs. */
  *corrected(message: Message): Generator<Message> {
    const { event, id, setting, value } = message;
    if (event === "annotation_create" && message.shape === "circle")
      this.#circles.set(id, { dec: 0, radius: DEFAULT_RADIUS, onSky: true });
    else if (event === "remove_annotation") this.#circles.delete(id);
    else if (event === "clear_annotations") this.#circles.clear();
    const circle = this.#circles.get(id);
    const resized =
      circle &&
      (event === "circle_set_center" ||
        (event === "annotation_set" && (setting === "radius" || setting === "skyRelative")));
    if (!resized) {
      yield message;
      return;
    }
    if (event === "circle_set_center") circle.dec = Number(message.dec);
    else if (setting === "radius") circle.radius = Number(value);
    else circle.onSky = value === true;
    if (setting !== "radius") yield message;
    yield this.#sized(id, circle);
  }

  /** Yield the messages to send when the view's height in degrees, of so many pixels, has changed. */
  *seenAt(fov: number, height: number): Generator<Message> {
    const scale = fov / height;
    if (!Number.isFinite(scale) || Math.abs(scale / this.#degreesPerPixel - 1) < RESIZED) return;
    this.#degreesPerPixel = scale;
    for (const [id, circle] of this.#circles) if (!circle.onSky) yield this.#sized(id, circle);
  }

  #sized(id: unknown, { dec, radius, onSky }: Circle): Message {
    const degrees = onSky ? radius : radius * this.#degreesPerPixel;
    const value = Math.tan(Math.min(degrees, LARGEST) * RADIANS) / this.#scale(dec);
    return { event: "annotation_set", id, setting: "radius", value };
  }
}
