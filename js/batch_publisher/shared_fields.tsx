// Shared fields: typed once, copied to the selected rows, with undo and redo.

import { useState } from "preact/hooks";
import type { FieldSpec } from "../protocol.ts";
import { CreditsField } from "../shared/credits.tsx";
import { TextField } from "../shared/fields.tsx";
import { LicenseField } from "../shared/license.tsx";
import { useDraft, useTrait, useUniqueId } from "../shared/mount.tsx";
import { images, isBusy, type PartProps } from "./status.ts";

const FIRST = ["permissions.copyright", "permissions.credits", "permissions.license"];

export function SharedFields(props: PartProps) {
  const { draft, status } = props;
  useDraft(draft);
  const specs = useTrait<FieldSpec[]>(draft.kernel, "fields");
  const busy = isBusy(status);
  const of = (first: boolean) =>
    specs
      .filter(({ path }) => FIRST.includes(path) === first)
      .map((spec) => <Shared key={spec.path} spec={spec} {...props} />);
  const step = (kind: "undo" | "redo", word: string) => (
    <button type="button" disabled={busy || !status[kind]} onClick={() => draft.send({ kind })}>
      {word}
      {status[kind] && (
        <>
          : <bdi>{status[kind]}</bdi>
        </>
      )}
    </button>
  );
  return (
    <details class="cxw-section" open={status.open > 0}>
      <summary>Shared fields</summary>
      <fieldset class="cxw-shared" disabled={busy} aria-label="Shared fields">
        {of(true)}
        <details>
          <summary>More fields</summary>
          {of(false)}
          <Addresses {...props} />
        </details>
        <div class="cxw-row" role="group" aria-label="Undo and redo">
          {step("undo", "Undo")}
          {step("redo", "Redo")}
        </div>
      </fieldset>
    </details>
  );
}

function Shared({ draft, status, spec }: PartProps & { spec: FieldSpec }) {
  const wrong = draft.problems.some(({ field, severity }) => field === spec.path && severity === "error");
  const field = { draft, spec };
  return (
    <div class="cxw-shared-field">
      {spec.kind === "license" && <LicenseField {...field} />}
      {spec.kind === "credits" && <CreditsField {...field} />}
      {spec.kind !== "license" && spec.kind !== "credits" && <TextField {...field} />}
      <button
        type="button"
        disabled={wrong || draft.text(spec.path) === "" || status.open === 0}
        onClick={() => draft.send({ kind: "copy", path: spec.path })}
        aria-label={`Copy ${spec.title} to ${images(status.open)}`}
      >
        Copy to {images(status.open)}
      </button>
    </div>
  );
}

/** Where the images' files will be found: the address of one folder, under which all of them are. */
function Addresses({ draft, status }: PartProps) {
  const id = useUniqueId();
  const [base, setBase] = useState("");
  return (
    <div class="cxw-shared-field">
      <div class="cxw-field cxw-wide">
        <div class="cxw-label">
          <label for={id}>Address of the folder with the files</label>
        </div>
        <input
          id={id}
          type="text"
          inputMode="url"
          dir="ltr"
          autocomplete="off"
          placeholder="https://example.org/images/"
          value={base}
          onInput={(event) => setBase(event.currentTarget.value)}
          aria-describedby={`${id}-help`}
        />
        <div id={`${id}-help`} class="cxw-quiet">
          Image and thumbnail addresses are set to addresses in this folder.
        </div>
      </div>
      <button
        type="button"
        disabled={!/^https?:\/\/[^/]/i.test(base.trim()) || status.open === 0}
        onClick={() => draft.send({ kind: "host", base: base.trim() })}
      >
        Set addresses of {images(status.open)}
      </button>
    </div>
  );
}
