import { describe, expect, it } from "vitest";
import {
  type CircleLibrary,
  Circles,
  type Message,
  measuredScale,
  PUBLISHED_SCALE,
  removeById,
} from "./annotations.ts";

const RADIANS = Math.PI / 180;

/** An engine that draws a circle of radius 1 with an angle of this tangent, as the versions of WWT do: around the center, in its plane. */
function engine(tangent: (dec: number) => number): CircleLibrary {
  const Annotation: CircleLibrary["Annotation"] = { lineList: "its own", batchDirty: false };
  class Circle {
    #dec = 0;
    #radius = 10;
    setCenter = (_ra: number, dec: number) => {
      this.#dec = dec;
    };
    set_radius = (radius: number) => (this.#radius = radius);
    get_center = () => ({ x: Math.cos(this.#dec * RADIANS), y: Math.sin(this.#dec * RADIANS), z: 0 });
    draw(context: { gl: unknown }): void {
      if (!context.gl || !Annotation.batchDirty) throw new Error("nothing to draw on");
      const { x, y } = this.get_center();
      (Annotation.lineList as { addLine(from: object): void }).addLine({ x, y, z: this.#radius * tangent(this.#dec) });
    }
  }
  return { Circle, Annotation };
}

const until2026 = engine((dec) => Math.cos(dec * RADIANS) / 44);
const since2026 = engine(() => RADIANS);
const CREATE = { event: "annotation_create", id: "a", shape: "circle" };
const set = (setting: string, value: unknown): Message => ({ event: "annotation_set", id: "a", setting, value });
const center = (dec: number): Message => ({ event: "circle_set_center", id: "a", ra: 10, dec });

describe("circles", () => {
  for (const [version, library] of Object.entries({ until2026, since2026 })) {
    for (const dec of [0, 41.27, -67]) {
      it(`are as large as was said, with the engine of the time ${version} at ${dec}°`, () => {
        const circles = new Circles(measuredScale(library));
        const said = [CREATE, center(dec)].flatMap((message) => [...circles.corrected(message)]);
        const drawn = (message: Message) => Math.atan(Number(message.value) * measuredScale(library)(dec)) / RADIANS;
        expect(said.map(({ event }) => event)).toEqual(["annotation_create", "circle_set_center", "annotation_set"]);
        expect(drawn(said[2]!)).toBeCloseTo(1); // pywwt's default, of which it says nothing
        expect(drawn([...circles.corrected(set("radius", 1.5))][0]!)).toBeCloseTo(1.5);
        expect(drawn([...circles.corrected(center(-dec))][1]!)).toBeCloseTo(1.5);
      });
    }
    it(`are measured without a trace in the engine of the time ${version}`, () => {
      measuredScale(library)(20);
      expect(library.Annotation).toEqual({ lineList: "its own", batchDirty: false });
    });
  }

  it("keep a radius in pixels when the view's scale changes", () => {
    const circles = new Circles(measuredScale(since2026));
    for (const message of [CREATE, center(0), set("skyRelative", false), set("radius", 20)])
      [...circles.corrected(message)];
    const sizes = [40, 40, 10].map((fov) =>
      [...circles.seenAt(fov, 400)].map(({ value }) => Math.atan(Number(value) * RADIANS) / RADIANS),
    );
    expect(sizes.map(([size]) => size && Math.round(size * 1e6) / 1e6)).toEqual([2, undefined, 0.5]);
  });

  it("are left alone when they are removed, and other annotations always", () => {
    const circles = new Circles();
    for (const message of [CREATE, center(0), set("skyRelative", false)]) [...circles.corrected(message)];
    expect([...circles.corrected({ event: "remove_annotation", id: "a" })]).toHaveLength(1);
    expect([...circles.seenAt(40, 400)]).toEqual([]);
    expect([...circles.corrected(set("radius", 3))]).toEqual([set("radius", 3)]);
  });

  it("are drawn as by the published engine where it can't be measured", () => {
    for (const library of [{}, engine(() => 0), engine(() => NaN)]) {
      expect(measuredScale(library as CircleLibrary)(30)).toBeCloseTo(PUBLISHED_SCALE(30));
    }
  });
});

it("removes an annotation that the app has made a proxy of", () => {
  const [a, b] = ["a", "b"].map((id) => ({ get_id: () => id }));
  const control = {
    _annotations: [a!, b!],
    _removeAnnotation(annotation: object) {
      const at = this._annotations.indexOf(annotation as (typeof this._annotations)[number]);
      if (at >= 0) this._annotations.splice(at, 1);
    },
  };
  removeById(control);
  control._removeAnnotation(new Proxy(a!, {}));
  expect(control._annotations).toEqual([b]);
  removeById({}); // a version that keeps them elsewhere
});
