/**
 * Resolves each address that the engine requests. Nothing goes to the network but tiles of a remote image, of a survey that
 * was chosen, and those files of WWT that a program has requested.
 */

import { bytesAt, isOnKernelHost } from "../../shared/reach.ts";
import type { LocalFiles } from "./local_files.ts";
import { marker } from "./markers.ts";
import { type Survey, tileAddress } from "./surveys.ts";
import { WwtFiles } from "./wwt_files.ts";

export type Bytes = Uint8Array<ArrayBuffer>;

/** Bytes from this page or the kernel (null: there is no such file), or a link that the browser is to load itself. */
export type Found = { bytes: Promise<Bytes | null> } | { link: string };

/** An imageset by the collection that it is in and its name in it. */
export interface Sky {
  url: string;
  name: string;
}

// The host must be localhost: for any other one the engine answers the first missing tile by sending the whole host's traffic
// through a public proxy. No request is ever made to it.
const PRIVATE = "http://localhost:1";

export const SKY: Sky = { url: `${PRIVATE}/sky.wtml`, name: "cxw sky." };

// Files that the engine needs, by name. Without its list of moons, even an empty one, its layer manager never starts.
const MOONS = "Planet\tEpoch";
const ASSETS: readonly [asset: RegExp, file: string][] = [
  [/^figures\.txt$/, "figures.txt"],
  [/^constellations\.txt$/, "constellations.txt"],
  [/^ConstellationNamePositions(_v\d+)?_EN\.txt$/, "names.txt"],
];
const NO_IMAGESETS = folder("");
const SKY_WTML = folder(
  imageset(
    SKY.name,
    `${PRIVATE}/sky/{X}.jpg`,
    ".jpg",
    'Projection="Equirectangular" Sparse="True" TileLevels="0" WidthFactor="1"',
  ),
);
const CLEAR_PIXEL =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAAC0lEQVR42mNgAAIAAAUAAen63NgAAAAASUVORK5CYII=";
const BLACK_PIXEL =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mNgYGAAAAAEAAHI6uv5AAAAAElFTkSuQmCC";

function imageset(name: string, url: string, type: string, more: string): string {
  return (
    `<ImageSet Name="${name}" Url="${url}" FileType="${type}" ${more} BandPass="Visible" BaseDegreesPerTile="180" BaseTileLevel="0" ` +
    'BottomsUp="False" CenterX="0" CenterY="0" DataSetType="Sky" ElevationModel="False" Generic="False" QuadTreeMap="" Rotation="0" StockSet="False"/>'
  );
}

function folder(content: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><Folder Name="cxw" Group="Explorer" Type="Sky" Searchable="True">${content}</Folder>`;
}

const text = (content: string): Found => ({ bytes: Promise.resolve(new TextEncoder().encode(content)) });
const nothing = (): Found => ({ bytes: Promise.resolve(null) });

/** The survey whose tiles may be loaded, and a callback that gets whether its host responds. */
interface Opened {
  survey: Survey;
  number: number;
  answered: (reached: boolean) => void;
  stop: AbortController;
}

export class Addresses {
  readonly surveys: Survey[];
  /** The files of WWT that a program requests. */
  readonly wwt: WwtFiles;
  #files: Pick<LocalFiles, "file">;
  #sky: ReadonlyMap<string, Bytes>;
  #wtml = new Map<string, string>();
  #held = new Map<string, string>();
  #opened: Opened | null = null;
  #count = 0;

  /** `sky` holds the files of widgets/data by their names; `report` gets a message about files of WWT that can't be loaded. */
  constructor(
    files: Pick<LocalFiles, "file">,
    sky: ReadonlyMap<string, Bytes>,
    report: (words: string) => void = () => {},
  ) {
    this.wwt = new WwtFiles(`${PRIVATE}/0/network/`, report);
    this.#files = files;
    this.#sky = sky;
    const surveys = sky.get("surveys.json");
    this.surveys = surveys ? (JSON.parse(new TextDecoder().decode(surveys)) as Survey[]) : [];
  }

  /** Makes the WTML of a revision loadable; returns its address. */
  publish(revision: number, wtml: string): string {
    const url = `${PRIVATE}/${revision}.wtml`;
    this.#wtml.clear();
    this.#wtml.set(url, wtml);
    return url;
  }

  /** Makes a WTML loadable for as long as the app runs, beside that of a revision; returns its address. */
  hold(wtml: string): string {
    const url = `${PRIVATE}/held/${this.#held.size + 1}.wtml`;
    this.#held.set(url, wtml);
    return url;
  }

  /**
   * Allow tiles of this survey, and of no other. `answered` gets how the first request ended. Each time it has another
   * name and address, as the engine never requests a failed tile again.
   */
  open(survey: Survey, answered: (reached: boolean) => void): Sky {
    this.close();
    this.#count += 1;
    this.#opened = { survey, number: this.#count, answered, stop: new AbortController() };
    return { url: `${PRIVATE}/survey/${this.#count}.wtml`, name: `cxw survey ${this.#count}.` };
  }

  /** Allow no survey's tiles from now on. */
  close(): void {
    this.#opened?.stop.abort();
    this.#opened = null;
  }

  /** What is at `url`; null for what the page itself holds (data: and blob: URLs), which the browser loads as ever. */
  find(url: string): Found | null {
    // In a page that is embedded in another one (srcdoc), the engine writes WWT's servers as about://server/path.
    if (/^(data|blob|about):(?!\/\/)/i.test(url) || url === "") return null;
    if (url.startsWith(`${PRIVATE}/`)) return this.#findPrivate(url);
    const asset = /\/engine\/assets\/([^?#]*)/.exec(url)?.[1];
    if (asset === "moons.txt") return text(MOONS);
    const ours = asset && ASSETS.find(([name]) => name.test(asset));
    if (ours) return this.#file(ours[1]);
    const wwts = this.wwt.find(url);
    if (wwts) return wwts;
    const picture = asset ? marker(asset) : null;
    if (picture) return { bytes: picture };
    if (asset?.endsWith(".png")) return { link: CLEAR_PIXEL };
    if (/\/wwtweb\/catalog\.aspx/i.test(url)) return text(NO_IMAGESETS);
    return nothing();
  }

  #findPrivate(url: string): Found {
    if (url === SKY.url) return text(SKY_WTML);
    const wtml = this.#wtml.get(url) ?? this.#held.get(url);
    if (wtml !== undefined) return text(wtml);
    const rest = url.slice(PRIVATE.length);
    const sky = /^\/sky\/([01])\.jpg$/.exec(rest);
    if (sky) return this.#file(`sky_${sky[1]}.jpg`);
    if (rest === "/0/black.png") return { link: BLACK_PIXEL };
    if (rest.startsWith("/survey/")) return this.#findSurvey(rest.slice("/survey/".length));
    const path = /^\/\d+\/(.+)$/s.exec(rest)?.[1];
    const remote = path?.startsWith("network/") ? path.slice("network/".length) : null;
    if (remote !== null) return this.wwt.tour(remote) ?? findRemote(remote);
    return path ? { bytes: this.#files.file(path) } : nothing();
  }

  #findSurvey(path: string): Found {
    const opened = this.#opened;
    if (!opened) return nothing();
    const { survey, number } = opened;
    if (path === `${number}.wtml`) {
      const projection = `Projection="Toast" Sparse="False" TileLevels="${survey.levels}" WidthFactor="2"`;
      return text(
        folder(imageset(`cxw survey ${number}.`, `${PRIVATE}/survey/${number}/{L}/{X}/{Y}`, ".png", projection)),
      );
    }
    const tile = /^(\d+)\/(\d+)\/(\d+)\/(\d+)$/.exec(path)?.slice(1).map(Number);
    if (!tile || tile[0] !== number || tile[1]! > survey.levels) return nothing();
    return { bytes: fetchTile(tileAddress(survey, tile[1]!, tile[2]!, tile[3]!), opened) };
  }

  #file(name: string): Found {
    return { bytes: Promise.resolve(this.#sky.get(name) ?? null) };
  }
}

/** A tile from the network; null if it is missing there, too. */
async function fetchTile(address: string, opened: Opened): Promise<Bytes | null> {
  try {
    const response = await fetch(address, {
      credentials: "omit",
      referrerPolicy: "no-referrer",
      signal: opened.stop.signal,
    });
    opened.answered(true);
    return response.ok ? new Uint8Array(await response.arrayBuffer()) : null;
  } catch {
    if (!opened.stop.signal.aborted) opened.answered(false);
    return null;
  }
}

function findRemote(url: string): Found {
  if (isOnKernelHost(url)) return { bytes: bytesAt(url) };
  return /^https?:\/\//i.test(url) ? { link: url } : nothing();
}
