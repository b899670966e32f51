import { expect, test } from "vitest";
import { rowsOf } from "./request_details.tsx";

test("the review shows every value of the body, in the order of the request", () => {
  const body = { wwt: { rotation: -1.5, bottoms_up: false }, note: "<b>", storage: { legacy_url_template: "" } };
  expect(rowsOf(JSON.stringify(body))).toEqual([
    ["wwt.rotation", "-1.5"],
    ["wwt.bottoms_up", "false"],
    ["note", "<b>"],
    ["storage.legacy_url_template", ""],
  ]);
});
