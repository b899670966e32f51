import { describe, expect, it, vi } from "vitest";
import { type CorrectedControl, keepFlightsInOrder, type LayerScripts, preferWholeNames } from "./corrections.ts";

const imageset = (name: string) => ({
  get_name: () => name,
  get_wcsImage: () => ({ get_viewCenterX: () => 150, get_viewCenterY: () => 20 }),
  _guessZoomSetting: (zoom: number) => zoom / 2,
});

describe("names of images", () => {
  const images = ["A survey in Radio", "Io", "The Sun's corona", "Sun"].map(imageset);
  const control: CorrectedControl = {
    renderContext: { viewCamera: { zoom: 60 } },
    getImagesetByName: (name) =>
      images.find((image) => image.get_name().toLowerCase().includes(name.toLowerCase())) ?? null,
  };
  const find = (name: string) => control.getImagesetByName!(name)?.get_name();

  it("are taken whole before they are taken for a part, whatever their case", () => {
    expect([find("io"), find("SUN")]).toEqual(["A survey in Radio", "The Sun's corona"]);
    expect(preferWholeNames(control, () => images)).toBe(true);
    expect([find("io"), find("SUN"), find("corona"), find("Moon")]).toEqual([
      "Io",
      "Sun",
      "The Sun's corona",
      undefined,
    ]);
  });
});

describe("flights", () => {
  function engine() {
    const flown: unknown[][] = [];
    const set_midpoint = vi.fn();
    let arrive = (): void => {};
    const control: CorrectedControl = {
      renderContext: { viewCamera: { zoom: 60 }, viewMover: { set_midpoint } },
      getImageSetByUrl: (url) => (url === "known" ? imageset("Known") : null),
      gotoRADecZoom: (...where) => void flown.push(where),
    };
    const scripts: LayerScripts = {
      addImageSetLayer: (_url, _mode, _name, goTo, loaded) => {
        arrive = () => {
          if (goTo) flown.push(["by the engine"]);
          loaded?.({ get_imageSet: () => imageset("A file") });
        };
      },
    };
    expect(keepFlightsInOrder(control, scripts)).toBe(true);
    return { control, scripts, flown, set_midpoint, arrive: () => arrive() };
  }

  it("never bring back the images that were shown when they began", () => {
    const { control, set_midpoint } = engine();
    control.gotoRADecZoom!(1, 2, 3, false, null);
    expect(set_midpoint).toHaveBeenCalledExactlyOnceWith(null);
  });

  it.each([
    ["fits", "file"],
    ["autodetect", "file.fits"],
    [null, "file.fits"],
  ])("to a FITS file (mode %s) begin when it has been read, if the view was sent nowhere else", (mode, url) => {
    const { control, scripts, flown, arrive } = engine();
    const loaded = vi.fn();
    scripts.addImageSetLayer!(url, mode, "name", true, loaded);
    arrive();
    expect(flown).toEqual([[10, 20, 30, false, null]]);
    scripts.addImageSetLayer!(url, mode, "name", true, loaded);
    control.gotoRADecZoom!(1, 2, 3, true, null);
    arrive();
    expect(flown.slice(1)).toEqual([[1, 2, 3, true, null]]);
    expect(loaded).toHaveBeenCalledTimes(2);
  });

  it("to an image that is loaded are the engine's own", () => {
    const { scripts, flown, arrive } = engine();
    for (const [mode, url] of [
      ["preloaded", "other"],
      ["autodetect", "known"],
    ] as const) {
      scripts.addImageSetLayer!(url, mode, "name", true, null);
      arrive();
    }
    expect(flown).toEqual([["by the engine"], ["by the engine"]]);
  });
});

it("an engine without what is corrected is left as it is", () => {
  const control: CorrectedControl = { renderContext: { viewCamera: { zoom: 60 } } };
  expect([preferWholeNames(control, () => []), keepFlightsInOrder(control, undefined)]).toEqual([false, false]);
  expect(Object.keys(control)).toEqual(["renderContext"]);
});
