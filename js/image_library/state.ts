// What the kernel tells the page of the library; see constellations_widgets/widgets/library/view.py, which writes it.

export interface State {
  phase: "new" | "loading" | "ready" | "failed";
  /** Why the images could not be listed. */
  message: string;
  /** Why somebody has to sign in, "" while nobody has to. */
  signed_out: string;
  /** Grows when everything is to be asked for anew: somebody has signed in, or wants to see what there is now. */
  session: number;
  /** What is being fetched, and how far that is, for the user. */
  busy: string;
  note: string;
  /** An address that belongs to the note. */
  url: string;
  base_url: string;
  /** Images in the library. */
  count: number;
  /** Grows with every change of the library. */
  revision: number;
  uploads: Upload[];
}

export interface Upload {
  id: number;
  name: string;
  size: number;
  phase: "arriving" | "waiting" | "sending" | "done" | "stopped" | "failed" | "unclear" | "signed out";
  /** Bytes so far. */
  done: number;
  /** Bytes in a second. */
  rate: number;
  /** Seconds. */
  left: number | null;
  message: string;
  /** Whether the file is all there, and can be sent again. */
  is_whole: boolean;
}

export interface Row {
  id: string;
  name: string;
}

export interface Query {
  search: string;
  order: string;
}

export function bytes(count: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (count >= 999.5 && unit < units.length - 1) {
    count /= 1000;
    unit += 1;
  }
  return `${unit === 0 || count >= 99.5 ? Math.round(count) : count.toPrecision(2)} ${units[unit]}`;
}

export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toPrecision(2)} h`;
}

export const counted = (count: number, one: string) => `${count.toLocaleString("en")} ${one}${count === 1 ? "" : "s"}`;
