import { describe, expect, it } from "vitest";
import { decimalDegrees, decimalsFor, hours, roundAngle, signedDegrees } from "./angles.ts";

describe("coordinates", () => {
  it("are written as astropy writes them", () => {
    expect(hours(83.6331, 2)).toBe("05h 34m 31.94s");
    expect(signedDegrees(22.0145, 1)).toBe("+22° 00′ 52.2″");
    expect(hours(210.80227, 2)).toBe("14h 03m 12.54s");
    expect(signedDegrees(-54.34895, 1)).toBe("−54° 20′ 56.2″");
    expect(signedDegrees(-0.5, 1)).toBe("−00° 30′ 00.0″");
  });

  it("never show 60 seconds, 24 hours or a minus before nothing", () => {
    expect(hours(359.999999, 2)).toBe("00h 00m 00.00s");
    expect(hours(14.9999999, 1)).toBe("01h 00m 00.0s");
    expect(signedDegrees(89.9999999, 1)).toBe("+90° 00′ 00.0″");
    expect(signedDegrees(9.99999, 0)).toBe("+10° 00′ 00″");
    expect(signedDegrees(-0.000001, 1)).toBe("+00° 00′ 00.0″");
    expect(decimalDegrees(-0.000001, 3, true)).toBe("+0.000°");
    expect(decimalDegrees(-1.5, 1, true)).toBe("−1.5°");
    expect(decimalDegrees(150, 4)).toBe("150.0000°");
  });

  it("have as many decimals as a pixel needs", () => {
    expect(decimalsFor(5, 3)).toBe(0);
    expect(decimalsFor(0.5, 3)).toBe(1);
    expect(decimalsFor(0.02, 3)).toBe(2);
    expect(decimalsFor(1e-9, 3)).toBe(3);
  });
});

it("a round angle has the unit that suits it", () => {
  const written = [20, 1, 0.5, 1 / 60, 5 / 3600, 0.5 / 3600, 0.1 / 3600, 0.02 / 3600, 0.001 / 3600].map(roundAngle);
  expect(written).toEqual(["20°", "1°", "30′", "1′", "5″", "0.5″", "0.1″", "20 mas", "1 mas"]);
});
