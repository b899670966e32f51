/** Surveys of the whole sky that WWT's servers hold, to stand in the offline sky's place. Their list is widgets/data/surveys.json. */

export interface Survey {
  id: string;
  name: string;
  /** Address of a tile, with {L} level, {X} and {Y}, {Q} these three as a quad key, {S} its last digit. */
  address: string;
  levels: number;
  credits: string;
  /** A page on the survey. */
  more: string;
}

export function tileAddress({ address }: Survey, level: number, x: number, y: number): string {
  const key = Array.from({ length: level }, (_, index) => {
    const bit = level - 1 - index;
    return ((x >> bit) & 1) + 2 * ((y >> bit) & 1);
  }).join("");
  const values: Record<string, string> = {
    L: String(level),
    X: String(x),
    Y: String(y),
    Q: key,
    S: key.slice(-1) || "0",
  };
  return address.replace(/\{([LXYQS])\}/g, (_, name: string) => values[name]!);
}

/** The host that serves a survey, for people. */
export function hostOf(survey: Survey): string {
  return new URL(tileAddress(survey, 0, 0, 0)).hostname;
}
