// The form: 13 WWT fields, permissions, note, alternative text and image URL of a draft.

import "../shared/theme.css";
import "./form.css";
import { useRef } from "preact/hooks";
import { ChoiceField, NumberField, SwitchField, TextField } from "../shared/fields.tsx";
import { Gone, useDraft, useKernelIsLate, useTrait, type ViewProps, widgetOf } from "../shared/mount.tsx";
import { words } from "../shared/keepsake.ts";
import { countOf, ProblemList } from "../shared/problems.tsx";
import type { FieldSpec } from "../shared/types.ts";
import { CreditsField } from "./credits.tsx";
import { EarlierEdits } from "./earlier.tsx";
import { LicenseField } from "./license.tsx";

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
  const byPath = new Map(fields.map((spec) => [spec.path, spec]));
  const titles = Object.fromEntries(fields.map((spec) => [spec.path, spec.title]));
  const placement = fields.map((spec) => spec.path).filter((path) => path.startsWith("wwt.") && !ADDRESS.includes(path));

  const goTo = (path: string) => {
    const input = root.current?.querySelector<HTMLElement>(`[data-path="${path}"] :is(input, textarea, select)`);
    input?.focus();
    input?.scrollIntoView({ block: "nearest" });
  };
  const section = (title: string, paths: string[]) => (
    <fieldset class="cxw-section" disabled={draft.locked}>
      <legend>{title}</legend>
      <div class="cxw-grid">
        {paths.map((path) => {
          const spec = byPath.get(path);
          return spec && <FieldOf key={path} spec={spec} {...view} />;
        })}
      </div>
    </fieldset>
  );

  return (
    <div ref={root} class="cxw-form" role="group" aria-label={`Describe ${draft.name}`}>
      <EarlierEdits model={model} draft={draft} />
      <Gone draft={draft} />
      {late && !draft.gone && (
        <div class="cxw-notice" role="status">
          The kernel has not taken your last edits yet: it may be busy. They stay here and are checked when it answers. If it was restarted, run the
          cell again.
        </div>
      )}
      {section("Where it is on the sky", placement)}
      {section("What it is and whose", DESCRIPTION)}
      {section("Where its files are", ADDRESS)}
      {!draft.locked && (
        <details class="cxw-section cxw-all-problems" open>
          <summary aria-live="polite">{countOf(draft.problems) || "No errors, no warnings"}</summary>
          <ProblemList draft={draft} titles={titles} goTo={goTo} />
        </details>
      )}
    </div>
  );
}

const keepsake = ({ draft }: ViewProps) => words(`The form of “${draft.name}”. Run the cell to go on with it: it offers what was typed.`);

export default widgetOf(Form, keepsake);
