// Rights as a story: who made the image, then the licenses that fit, then the credit line as readers will see it.

import { useState } from "preact/hooks";
import type { FieldSpec, Value } from "../protocol.ts";
import { CreditsField } from "../shared/credits.tsx";
import type { DraftLink } from "../shared/draft_link.ts";
import { TextField } from "../shared/fields.tsx";
import { LicenseField } from "../shared/license.tsx";
import { useUniqueId } from "../shared/mount.tsx";

const [COPYRIGHT, CREDITS, LICENSE] = ["permissions.copyright", "permissions.credits", "permissions.license"];

type Maker = "own" | "other" | "public" | "";

const MAKERS: [Exclude<Maker, "">, string][] = [
  ["own", "I did, or my team or institution"],
  ["other", "Someone else, and it has an open license"],
  ["public", "It is in the public domain (most NASA works are)"],
];

const FITTING: Record<Maker, string[]> = {
  "": [],
  own: ["CC-BY-4.0", "CC0-1.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0", "CC-BY-NC-SA-4.0", "CC-BY-ND-4.0", "LicenseRef-None"],
  other: [
    "CC-BY-4.0",
    "CC-BY-SA-4.0",
    "CC-BY-3.0",
    "CC-BY-SA-3.0",
    "CC-BY-3.0-IGO",
    "CC-BY-NC-4.0",
    "CC-BY-NC-SA-4.0",
    "CC-BY-ND-4.0",
    "CC0-1.0",
  ],
  public: ["CC-PDDC", "CC0-1.0"],
};

/** Who made it, as far as the license tells. */
function makerOf(draft: DraftLink): Maker {
  return FITTING.public.includes(draft.text(LICENSE)) || /public domain/i.test(draft.text(COPYRIGHT)) ? "public" : "";
}

export function RightsStep({
  draft,
  specs,
  fixed,
}: {
  draft: DraftLink;
  specs: Map<string, FieldSpec>;
  fixed: boolean;
}) {
  const [told, setTold] = useState<Maker>("");
  const maker = told || makerOf(draft);
  const name = useUniqueId();
  const tell = (answer: Maker) => {
    setTold(answer);
    const fill: Record<string, Value> = {};
    if (answer === "public" && draft.text(COPYRIGHT) === "") fill[COPYRIGHT] = "Public domain";
    if (answer === "public" && draft.text(LICENSE) === "") fill[LICENSE] = "CC-PDDC";
    if (Object.keys(fill).length > 0) draft.edit(fill);
  };
  const [copyright, credits, license] = [COPYRIGHT, CREDITS, LICENSE].map((path) => specs.get(path!));
  return (
    <div class="cxw-grid">
      <fieldset class="cxw-story cxw-wide" disabled={fixed || draft.gone}>
        <legend>Who made this image?</legend>
        {MAKERS.map(([value, words]) => (
          <label key={value} class="cxw-check">
            <input type="radio" name={name} checked={maker === value} onChange={() => tell(value)} /> {words}
          </label>
        ))}
        {maker === "other" && (
          <p class="cxw-quiet">
            Take over the license and the credit line exactly as the source states them, and link to the source in the
            credit line.
          </p>
        )}
      </fieldset>
      {copyright && <TextField spec={copyright} draft={draft} />}
      {license && <LicenseField spec={license} fitting={FITTING[maker]} draft={draft} />}
      {credits && <CreditsField spec={credits} draft={draft} />}
    </div>
  );
}
