// The form: 13 WWT fields, permissions, note, alternative text and image URL of a draft, or of a published image.

import "../shared/theme.css";
import "./form.css";
import { useRef } from "preact/hooks";
import { CreditsField } from "../shared/credits.tsx";
import { ChoiceField, NumberField, SwitchField, TextField } from "../shared/fields.tsx";
import { Gone, useDraft, useKernelIsLate, useTrait, type ViewProps, widgetOf } from "../shared/mount.tsx";
import { link, words } from "../shared/keepsake.ts";
import { LicenseField } from "../shared/license.tsx";
import { countOf, ProblemList } from "../shared/problems.tsx";
import type { FieldSpec } from "../shared/types.ts";
import { EarlierEdits } from "./earlier.tsx";
import { PublishedHead, SavingView } from "./saving.tsx";
import type { Saving } from "./saving_status.ts";

const DESCRIPTION = ["note", "alt_text", "permissions.copyright", "permissions.credits", "permissions.license"];
const ADDRESS = ["storage.legacy_url_template", "wwt.thumbnail_url", "wwt.file_type", "wwt.quad_tree_map"];

function FieldOf({ spec, ...view }: ViewProps & { spec: FieldSpec }) {
  if (spec.kind === "license") return <LicenseField spec={spec} {...view} />;
  if (spec.kind === "credits") return <CreditsField spec={spec} {...view} />;
  if (spec.kind === "boolean") return <SwitchField spec={spec} draft={view.draft} />;
  if (spec.kind === "number" || spec.kind === "integer") return <NumberField spec={spec} draft={view.draft} />;
  if (spec.path === "wwt.projection") return <ChoiceField spec={spec} draft={view.draft} />;
  return <TextField spec={spec} draft={view.draft} />;
}

function Form(view: ViewProps) {
  const { model, draft } = view;
  useDraft(draft);
  const late = useKernelIsLate(draft);
  const root = useRef<HTMLDivElement>(null);
  const fields = useTrait<FieldSpec[]>(model, "fields");
  const saving = useTrait<Saving | Record<string, never> | undefined>(model, "saving");
  const published = saving?.phase ? (saving as Saving) : null;
  const byPath = new Map(fields.map((spec) => [spec.path, spec]));
  const titles = Object.fromEntries(fields.map((spec) => [spec.path, spec.title]));
  const placement = fields.map((spec) => spec.path).filter((path) => path.startsWith("wwt.") && !ADDRESS.includes(path));

  const goTo = (path: string) => {
    const input = root.current?.querySelector<HTMLElement>(`[data-path="${path}"] :is(input, textarea, select)`);
    input?.focus();
    input?.scrollIntoView({ block: "nearest" });
  };
  const section = (title: string, paths: string[]) => (
    // What is fixed is disabled field by field: its help can still be opened.
    <fieldset class="cxw-section" disabled={draft.locked && !paths.every((path) => byPath.get(path)?.fixed)}>
      <legend>{title}</legend>
      <div class="cxw-grid">
        {paths.map((path) => {
          const spec = byPath.get(path);
          return spec && <FieldOf key={path} spec={spec} {...view} />;
        })}
      </div>
    </fieldset>
  );

  const problems = !draft.locked && (
    <details class="cxw-section cxw-all-problems" open>
      <summary aria-live="polite">{countOf(draft.problems) || "No errors, no warnings"}</summary>
      <ProblemList draft={draft} titles={titles} goTo={goTo} />
    </details>
  );

  return (
    <div ref={root} class="cxw-form" role="group" aria-label={`Describe ${draft.name}`}>
      <EarlierEdits model={model} draft={draft} />
      <Gone draft={draft} offers={!published} />
      {late && !draft.gone && (
        <div class="cxw-notice" role="status">
          The kernel has not taken your last edits yet: it may be busy. They stay here and are checked when it answers. If it was restarted, run the
          cell again.
        </div>
      )}
      {published && <PublishedHead saving={published} />}
      {/* What can be changed comes first. */}
      {published && section("What it is and whose", DESCRIPTION)}
      {published && problems}
      {published && <SavingView draft={draft} saving={published} titles={titles} />}
      {section(published ? "Where it is on the sky: fixed" : "Where it is on the sky", placement)}
      {!published && section("What it is and whose", DESCRIPTION)}
      {section(published ? "Where its files are: fixed" : "Where its files are", ADDRESS)}
      {!published && problems}
    </div>
  );
}

function keepsake({ model, draft }: ViewProps): Node {
  const place = (model.get("saving") as Saving | undefined)?.place;
  if (!place) return words(`The form of “${draft.name}”. Run the cell to go on with it: it offers what was typed.`);
  const what = `“${draft.name}” was published by @${place.handle} at ${place.api_url} as ${place.id}. Run the cell to change its description. Its record: `;
  return words(what, link(place.record_url));
}

export default widgetOf(Form, keepsake);
