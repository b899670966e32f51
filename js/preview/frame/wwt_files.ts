/**
 * The files of WWT itself, on WWT's own servers: letters for labels, pictures of the constellations, the stars and galaxies of the
 * Solar System view. They are requested when a program turns on what needs them, and not before; what can't be loaded is reported.
 */

import type { Bytes, Found } from "./addresses.ts";

type Message = Record<string, unknown>;

interface Feature {
  name: string;
  /** The settings that turn it on; or `THREE_D`. */
  settings: readonly string[];
  /** The paths of its files on `SERVERS`, whatever the engine's version calls them. */
  files: RegExp;
  /** They are collections, which name images on any server. */
  collection?: true;
}

const SERVERS = /^[a-z]+:\/\/((?:[\w-]+\.)?(?:worldwidetelescope|wwtassets)\.org)\/(.*)$/i;
const THREE_D = "another view than the sky";

const FEATURES: readonly Feature[] = [
  {
    name: "the letters of labels",
    settings: [
      "showConstellationLabels",
      "showEquatorialGridText",
      "showGalacticGridText",
      "showEclipticGridText",
      "showEclipticOverviewText",
      "showAltAzGridText",
      "showPrecessionChart",
    ],
    files: /^engine\/assets\/glyphs/i,
  },
  {
    name: "the pictures of the constellations",
    settings: ["showConstellationPictures"],
    files: /^wwtweb\/catalog\.aspx\?W=hevelius/i,
    collection: true,
  },
  {
    name: "the stars, galaxies, Milky Way and planets' rings",
    settings: [THREE_D],
    files: /^wwtweb\/catalog\.aspx\?Q=(hipparcos|cosmos|mpc)|^engine\/assets\/(milkyway|galimg\/|saturnrings)/i,
  },
];

const TOUR: Feature = { name: "the tour", settings: [], files: /\.wtt$/i };

export class WwtFiles {
  #on = new Set<unknown>();
  #failures = new Map<string, Set<string>>();
  #network: string;
  #report: (words: string) => void;

  /** `network` is the address below which a page's image is loaded from the network; `report` gets a message about what could not be loaded. */
  constructor(network: string, report: (words: string) => void) {
    this.#network = network;
    this.#report = report;
  }

  /** Inspect a message to the app: some of them enable features. */
  heed({ event, setting, value, mode }: Message): void {
    if (event === "set_viewer_mode" && mode !== "sky") this.#on.add(THREE_D);
    if (event !== "setting_set") return;
    if (value === true) this.#on.add(setting);
    else this.#on.delete(setting);
  }

  /** Return what is at `url`; null if no feature that is on has it. */
  find(url: string): Found | null {
    const [, server, path] = SERVERS.exec(url) ?? [];
    if (!server || !path) return null;
    const feature = FEATURES.find(
      ({ settings, files }) => files.test(path) && settings.some((name) => this.#on.has(name)),
    );
    return feature ? { bytes: this.#fetch(url.replace(/^[a-z]+:/i, "https:"), server, feature) } : null;
  }

  /** Return a tour that a program plays; null if there is none at `url`. */
  tour(url: string): Found | null {
    const host = /^https?:\/\/([^/]+)\//i.exec(url)?.[1];
    return host && TOUR.files.test(url) ? { bytes: this.#fetch(url, host, TOUR) } : null;
  }

  async #fetch(url: string, server: string, feature: Feature): Promise<Bytes | null> {
    try {
      const response = await fetch(url, { credentials: "omit", referrerPolicy: "no-referrer" });
      if (response.ok)
        return feature.collection
          ? new TextEncoder().encode(this.#linked(await response.text()))
          : new Uint8Array(await response.arrayBuffer());
    } catch {
      // Nothing answers; for the user it is the same as an answer without the file.
    }
    this.#fail(server, feature);
    return null;
  }

  /** Return a collection with its images where this page loads them from: they may be on any server. */
  #linked(wtml: string): string {
    const page = new DOMParser().parseFromString(wtml, "text/xml");
    for (const image of page.querySelectorAll("ImageSet")) {
      const url = image.getAttribute("Url") ?? "";
      if (/^https?:/i.test(url)) image.setAttribute("Url", this.#network + url.replace(/^http:/i, "https:"));
    }
    return new XMLSerializer().serializeToString(page);
  }

  #fail(server: string, { name }: Feature): void {
    const names = this.#failures.get(server) ?? new Set();
    if (names.has(name)) return;
    this.#failures.set(server, names.add(name));
    const failures = [...this.#failures].map(([host, missing]) => `${[...missing].join(" and ")} (from ${host})`);
    this.#report(`This page could not load ${failures.join(", ")}: check its network, then show the preview again.`);
  }
}
