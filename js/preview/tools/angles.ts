/** Angles as text. */

/** Hours, minutes and seconds of a right ascension in degrees, with so many decimals of a second. */
export function hours(ra: number, decimals: number): string {
  const whole = 24 * 3600;
  const seconds = (((ra / 15) * 3600) % whole) + whole;
  const [h, m, s] = split(rounded(seconds, decimals) % whole, decimals);
  return `${h}h ${m}m ${s}s`;
}

/** Degrees, minutes and seconds with a sign, with so many decimals of a second. */
export function signedDegrees(angle: number, decimals: number): string {
  const seconds = rounded(Math.abs(angle) * 3600, decimals);
  const [d, m, s] = split(seconds, decimals);
  return `${angle < 0 && seconds > 0 ? "−" : "+"}${d}° ${m}′ ${s}″`;
}

/** Decimal degrees, with a sign if `sign` is true. */
export function decimalDegrees(angle: number, decimals: number, sign = false): string {
  const text = Math.abs(angle).toFixed(decimals);
  if (!sign) return `${text}°`;
  return `${angle < 0 && Number(text) > 0 ? "−" : "+"}${text}°`;
}

/** A round angle in the unit that suits it: 2°, 30′, 0.5″, 20 mas. */
export function roundAngle(angle: number): string {
  const units: [number, string][] = [
    [1, "°"],
    [60, "′"],
    [3600, "″"],
  ];
  for (const [per, unit] of units) if (angle * per > 0.99) return `${+(angle * per).toFixed(1)}${unit}`;
  return angle * 3600 > 0.099 ? `${+(angle * 3600).toFixed(1)}″` : `${+(angle * 3.6e6).toFixed(0)} mas`;
}

/** Decimals that `unit` (in the unit of the number) needs to differ from zero. */
export function decimalsFor(unit: number, most: number): number {
  return Math.min(Math.max(Math.ceil(-Math.log10(unit)), 0), most);
}

const rounded = (value: number, decimals: number) => Math.round(value * 10 ** decimals) / 10 ** decimals;

function split(seconds: number, decimals: number): [string, string, string] {
  const parts = Math.round(seconds * 10 ** decimals); // whole numbers, so that no 60 comes out
  const minute = 60 * 10 ** decimals;
  const rest = (parts % minute) / 10 ** decimals;
  const two = (value: number) => String(value).padStart(2, "0");
  return [
    two(Math.floor(parts / minute / 60)),
    two(Math.floor(parts / minute) % 60),
    rest.toFixed(decimals).padStart(decimals ? decimals + 3 : 2, "0"),
  ];
}
