/** The engine inside the app, directly: what messages can't do. Every piece of it is tested for before it is used. */

import type { Realm } from "../frame/intercept.ts";
import { type AnnotationControl, type CircleLibrary, measuredScale, removeById, type Scale } from "./annotations.ts";
import type { Camera } from "./camera.ts";
import { type CorrectedControl, keepFlightsInOrder, type LayerScripts, preferWholeNames } from "./corrections.ts";
import { Imagesets, type Library, type RenderContext } from "./imagesets.ts";
import { isRotation, orientationOf, type Rotation } from "./orientation.ts";
import { drawSky, type SkyContext, type SkyLibrary, type SkyPicture, type Turning } from "./sky.ts";

interface EngineCamera {
  lat: number;
  lng: number;
  zoom: number;
  rotation: number;
}

interface Control extends AnnotationControl, CorrectedControl {
  canvas: HTMLCanvasElement;
  renderContext: RenderContext & {
    viewCamera: EngineCamera;
    targetCamera: EngineCamera;
    viewMover?: object | null;
    /** Current and target position of the view in galactic or horizontal coordinates. */
    alt?: number;
    az?: number;
    targetAlt?: number;
    targetAz?: number;
    get_RA(): number;
    get_dec(): number;
    get_backgroundImageset?(): { get_dataSetType?(): number } | null;
    get_worldBase?(): Partial<Rotation>;
    get_viewBase?(): Partial<Rotation>;
  };
}

/** What the app's store holds: the engine's control and its interface for scripts. */
interface Instance {
  ctl: Control;
  si?: LayerScripts;
}

// Files requested at the same time. The engine's own limit of 8 is one for servers; over the comm the cost is per message.
const PARALLEL = 64;
const SKY_IMAGE = 2; // the engine's ImageSetType.sky

export class Engine {
  readonly images: Imagesets;
  /** How large this engine draws circles. */
  readonly circleScale: Scale;
  #control: Control;
  #library: Library & { Settings?: { get_active?(): Turning } };

  /** Null if this app is not the engine that we know. */
  static find(realm: Realm): Engine | null {
    try {
      return new Engine(instanceOf(realm), libraryOf(realm));
    } catch {
      return null;
    }
  }

  private constructor({ ctl: control, si: scripts }: Instance, library: Library) {
    const { get_RA, get_dec, get_worldBase, get_viewBase, gl } = control.renderContext;
    if (!gl || ![get_RA, get_dec, library.TileCache.get_queueCount].every((member) => typeof member === "function")) {
      throw new Error("no engine that we know");
    }
    this.images = new Imagesets(control.renderContext, library);
    this.#control = control;
    this.#library = library;
    this.circleScale = measuredScale(library as unknown as CircleLibrary);
    removeById(control);
    library.TileCache.openThreads = PARALLEL;
    const corrected = [
      preferWholeNames(control, () => library.WWTControl.imageSets),
      keepFlightsInOrder(control, scripts),
    ];
    if (!corrected.every(Boolean))
      console.warn(
        "The preview does not know all of this version of WWT's engine: it takes names and flights as pywwt's app does.",
      );
    if (!get_worldBase || !get_viewBase)
      console.warn(
        "The preview can't find out how WWT turns the sky: in galactic and local-horizon mode it shows no coordinates.",
      );
  }

  get canvas(): HTMLCanvasElement {
    return this.#control.canvas;
  }

  /** Whether an image is loaded that the app finds by this name or from this address. */
  knows({ name, url }: { name?: unknown; url?: unknown }): boolean {
    const part = String(name ?? "").toLowerCase();
    const images = this.#library.WWTControl.imageSets;
    return images.some((image) =>
      url === undefined ? image.get_name().toLowerCase().includes(part) : image.get_url?.() === url,
    );
  }

  /** Whether the view shows the sky, not a planet, a panorama or the Solar System. */
  get showsSky(): boolean {
    const kind = this.#control.renderContext.get_backgroundImageset?.()?.get_dataSetType?.();
    return kind === undefined || kind === SKY_IMAGE;
  }

  /** Position of the view as the app's messages have it: the roll is with respect to the mode's own north. */
  get ownCamera(): Camera {
    const context = this.#control.renderContext;
    const { zoom, rotation } = context.viewCamera;
    return {
      ra: context.get_RA() * 15,
      dec: context.get_dec(),
      fov: zoom / 6,
      roll: (rotation * 180) / Math.PI,
    };
  }

  /** Position of the view on the sky, its roll with respect to north; null if it shows no sky or its rotation is unknown. */
  get camera(): Camera | null {
    if (!this.showsSky) return null;
    if (!this.#turned) return this.ownCamera;
    const context = this.#control.renderContext;
    const { fov } = this.ownCamera;
    const [world, view] = [context.get_worldBase?.(), context.get_viewBase?.()];
    return isRotation(world) && isRotation(view) ? { ...orientationOf(world, view), fov } : null;
  }

  /** Draw the sky behind the image for another camera, unseen; null if the view shows no sky. See `drawSky`. */
  drawSky(camera: Camera, width: number, height: number): SkyPicture | null {
    const [context, library] = [this.#control.renderContext, this.#library];
    return drawSky(context as unknown as SkyContext, library as unknown as SkyLibrary, camera, width, height);
  }

  /** Whether up in the view is north of another system than the equatorial one. A tour has settings of its own. */
  get #turned(): boolean {
    const settings = this.#library.Settings?.get_active?.();
    return settings?.get_galacticMode?.() === true || settings?.get_localHorizonMode?.() === true;
  }

  /** Whether the next frame would look like the last one, as far as the camera and files on their way go. */
  get atRest(): boolean {
    const { viewCamera: now, targetCamera: aim, viewMover, alt, az, targetAlt, targetAz } = this.#control.renderContext;
    const near = (a: number | undefined, b: number | undefined, unit: number) => !(Math.abs(a! - b!) >= unit * 1e-4);
    if (viewMover || (this.#turned && !(near(alt, targetAlt, now.zoom / 6) && near(az, targetAz, now.zoom / 6))))
      return false;
    const still =
      near(now.lat, aim.lat, now.zoom / 6) &&
      near(now.lng, aim.lng, now.zoom / 6) &&
      near(now.zoom, aim.zoom, now.zoom) &&
      near(now.rotation, aim.rotation, 1);
    return still && this.#library.TileCache.get_queueCount() === 0;
  }
}

/** From the app's root element: Vue's app → its Pinia store → the engine. */
function instanceOf(realm: Realm): Instance {
  const root = realm.document.querySelector("#app") as unknown as {
    __vue_app__: { config: { globalProperties: { $pinia: { _s: Map<string, { $wwt?: { inst?: Instance } }> } } } };
  };
  const stores = [...root.__vue_app__.config.globalProperties.$pinia._s.values()];
  const instance = stores.find((store) => store.$wwt?.inst)?.$wwt?.inst;
  if (!instance?.ctl) throw new Error("no engine in the app's stores");
  return instance;
}

type Require = ((id: string) => unknown) & { m: Record<string, object> };

/** The engine is one large module of the app's bundle; a chunk that requests webpack's `require` gets it. */
function libraryOf(realm: Realm): Library {
  const chunks = (realm as unknown as Record<string, { push(chunk: unknown): void }>)
    .webpackChunk_wwtelescope_research_app;
  let require: Require | undefined;
  chunks!.push([[`cxw-${Math.random()}`], {}, (given: Require) => (require = given)]);
  for (const [id, module] of Object.entries(require!.m)) {
    const source = Function.prototype.toString.call(module);
    if (source.length > 500_000 && source.includes("TileCache")) return require!(id) as Library;
  }
  throw new Error("no engine in the app's bundle");
}
