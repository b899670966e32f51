/**
 * Corrections of the engine's own behavior that no message can make. Each is made only where the engine has all that it needs;
 * without them WWT does what it does in pywwt's own app.
 */

interface EngineImageset {
  get_name(): string;
  get_wcsImage?(): { get_viewCenterX(): number; get_viewCenterY(): number } | null;
  _guessZoomSetting?(zoom: number): number;
}

type Loaded = (layer: { get_imageSet(): EngineImageset }) => void;

/** The engine's control, as far as it is corrected here. Any of it may be missing in another version. */
export interface CorrectedControl {
  renderContext: { viewCamera: { zoom: number }; viewMover?: { set_midpoint?(callback: null): void } | null };
  getImagesetByName?(name: string): EngineImageset | null;
  getImageSetByUrl?(url: string): EngineImageset | null;
  gotoRADecZoom?(raHours: number, dec: number, zoom: number, instant: boolean, roll: number | null): void;
}

/** The engine's interface for scripts, which the app adds layers with. */
export interface LayerScripts {
  addImageSetLayer?(url: string, mode: string | null, name: string, goTo: boolean, loaded: Loaded | null): unknown;
}

/**
 * Finds an imageset by its whole name before it finds one whose name contains it. The engine takes the first that contains it: “Io”
 * is part of “Radio”, and “Sun” of many a name that a user gives. Returns whether the engine can be corrected.
 */
export function preferWholeNames(control: CorrectedControl, all: () => Pick<EngineImageset, "get_name">[]): boolean {
  const native = control.getImagesetByName;
  if (typeof native !== "function") return false;
  control.getImagesetByName = (name) => {
    const wanted = name.toLowerCase();
    const found = all().find((imageset) => imageset.get_name().toLowerCase() === wanted);
    return (found as EngineImageset | undefined) ?? native.call(control, name);
  };
  return true;
}

/**
 * Keep animated camera moves from undoing messages that arrive after they began. The engine remembers the imagesets that are shown when a
 * flight begins, and brings them back in its middle; and it flies to a FITS file when that has been read, wherever the view was sent
 * in the meantime. Returns whether the engine can be corrected.
 */
export function keepFlightsInOrder(control: CorrectedControl, scripts: LayerScripts | undefined): boolean {
  const fly = control.gotoRADecZoom;
  if (typeof fly !== "function") return false;
  let flights = 0;
  control.gotoRADecZoom = (...where) => {
    flights += 1;
    fly.apply(control, where);
    control.renderContext.viewMover?.set_midpoint?.(null);
  };
  const add = scripts?.addImageSetLayer;
  if (typeof add !== "function" || typeof control.getImageSetByUrl !== "function") return false;
  scripts!.addImageSetLayer = (url, mode, name, goTo, loaded) => {
    const known = mode?.toLowerCase() !== "fits" && control.getImageSetByUrl!(url) !== null;
    if (!goTo || known || mode?.toLowerCase() === "preloaded") return add.call(scripts, url, mode, name, goTo, loaded);
    const begun = flights;
    return add.call(scripts, url, mode, name, false, (layer) => {
      if (flights === begun) flyTo(control, layer.get_imageSet());
      loaded?.(layer);
    });
  };
  return true;
}

/** As the engine does it for a FITS file that it has read. */
function flyTo(control: CorrectedControl, imageset: EngineImageset): void {
  const image = imageset.get_wcsImage?.();
  const now = control.renderContext.viewCamera.zoom;
  const zoom = imageset._guessZoomSetting?.(now) ?? now;
  if (image) control.gotoRADecZoom!(image.get_viewCenterX() / 15, image.get_viewCenterY(), zoom, false, null);
}
