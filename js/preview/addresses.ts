/** What stands behind each address that the engine asks for. Nothing goes to the network but a remote image's own tiles. */

import type { Comm } from "../shared/comm";

export type Bytes = Uint8Array<ArrayBuffer>;

/** Bytes from this page or the kernel (null: there is no such file), or a link that the browser is to load itself. */
export type Found = { bytes: Promise<Bytes | null> } | { link: string };

// The host must be localhost: for any other one the engine answers the first missing tile by sending the whole host's traffic
// through a public proxy. No request is ever made to it.
export const PRIVATE = "http://localhost:1";

export const SKY = { url: `${PRIVATE}/sky.wtml`, name: "cxw sky." };

// Without its list of moons, even an empty one, the engine's layer manager never starts.
const MOONS = "Planet\tEpoch";
const NO_IMAGESETS = folder("");
const SKY_WTML = folder(
  `<ImageSet Name="${SKY.name}" Url="${PRIVATE}/sky/{X}.jpg" BandPass="Visible" BaseDegreesPerTile="180" BaseTileLevel="0" BottomsUp="False" ` +
    `CenterX="0" CenterY="0" DataSetType="Sky" ElevationModel="False" FileType=".jpg" Generic="False" Projection="Equirectangular" ` +
    `QuadTreeMap="" Rotation="0" Sparse="True" StockSet="False" TileLevels="0" WidthFactor="1"/>`,
);
const CLEAR_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAAC0lEQVR42mNgAAIAAAUAAen63NgAAAAASUVORK5CYII=";

function folder(content: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><Folder Name="cxw" Group="Explorer" Type="Sky" Searchable="True">${content}</Folder>`;
}

const text = (content: string): Found => ({ bytes: Promise.resolve(new TextEncoder().encode(content)) });
const nothing = (): Found => ({ bytes: Promise.resolve(null) });

export class Addresses {
  #comm: Comm;
  #sky: Bytes[];
  #wtml = new Map<string, string>();

  constructor(comm: Comm, sky: Bytes[]) {
    this.#comm = comm;
    this.#sky = sky;
  }

  /** Makes the WTML of a revision loadable; returns its address. */
  publish(revision: number, wtml: string): string {
    const url = `${PRIVATE}/${revision}.wtml`;
    this.#wtml.clear();
    this.#wtml.set(url, wtml);
    return url;
  }

  /** What is at `url`; null for what the page itself holds (data: and blob: URLs), which the browser loads as ever. */
  find(url: string): Found | null {
    if (/^(data|blob|about):/i.test(url) || url === "") return null;
    if (url.startsWith(`${PRIVATE}/`)) return this.#findPrivate(url);
    const asset = /\/engine\/assets\/([^?#]*)/.exec(url)?.[1];
    if (asset === "moons.txt") return text(MOONS);
    if (asset?.endsWith(".png")) return { bytes: Promise.resolve(Uint8Array.from(atob(CLEAR_PIXEL), (c) => c.charCodeAt(0))) };
    if (/\/wwtweb\/catalog\.aspx/i.test(url)) return text(NO_IMAGESETS);
    return nothing();
  }

  #findPrivate(url: string): Found {
    if (url === SKY.url) return text(SKY_WTML);
    const wtml = this.#wtml.get(url);
    if (wtml !== undefined) return text(wtml);
    const sky = /^\/sky\/([01])\.jpg$/.exec(url.slice(PRIVATE.length));
    if (sky) return { bytes: Promise.resolve(this.#sky[Number(sky[1])] ?? null) };
    const path = /^\/\d+\/(.+)$/s.exec(url.slice(PRIVATE.length))?.[1];
    if (path?.startsWith("network/")) return findRemote(path.slice("network/".length));
    return path ? { bytes: this.#comm.file(path) } : nothing();
  }
}

const findRemote = (url: string): Found => (/^https?:\/\//i.test(url) ? { link: url } : nothing());
