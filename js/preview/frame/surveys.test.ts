import { describe, expect, it } from "vitest";
import surveys from "../../../constellations_widgets/widgets/data/surveys.json";
import { hostOf, tileAddress } from "./surveys.ts";

describe("a tile of a survey", () => {
  const survey = {
    id: "a",
    name: "A",
    address: "https://t{S}.example.org/{L}/{X}/{Y}/{Q}.png",
    levels: 3,
    credits: "",
    more: "",
  };

  it("has an address made of its place in the pyramid", () => {
    expect(tileAddress(survey, 3, 5, 2)).toBe("https://t1.example.org/3/5/2/121.png");
    expect(tileAddress(survey, 0, 0, 0)).toBe("https://t0.example.org/0/0/0/.png");
  });

  it("comes from the host that is named where it can't be reached", () => {
    expect(hostOf(survey)).toBe("t0.example.org");
  });
});

describe("the list of surveys", () => {
  it("holds secure addresses, credits, and each survey once", () => {
    expect(new Set(surveys.map((survey) => survey.id)).size).toBe(surveys.length);
    for (const survey of surveys) {
      expect(survey.credits).not.toBe("");
      const address = new URL(tileAddress(survey, 2, 1, 3));
      expect(address.protocol).toBe("https:");
      expect(address.href).not.toMatch(/[{}]|%7B/);
      expect(tileAddress(survey, 2, 1, 3)).not.toBe(tileAddress(survey, 2, 1, 2));
    }
  });
});
