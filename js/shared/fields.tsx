// One input for each kind of field: label, unit, help, what is wrong with it.

import "./fields.css";
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { DraftLink } from "./draft_link.ts";
import { useUniqueId } from "./mount.tsx";
import { formatNumber, parseNumber, stepped } from "./numbers.ts";
import { FieldProblems } from "./problems.tsx";
import type { FieldSpec, Value } from "./types.ts";

export interface FieldProps {
  draft: DraftLink;
  spec: FieldSpec;
}

/** What an input needs to be found by its label and read aloud with its unit, help and problems. */
export interface InputAttributes {
  id: string;
  "aria-describedby": string;
  "aria-invalid": boolean;
  "aria-required": boolean;
  disabled: boolean;
}

function unitOf(draft: DraftLink, spec: FieldSpec): string {
  return typeof spec.unit === "string" ? spec.unit : (spec.unit[draft.text("wwt.projection")] ?? "");
}

/** Label, unit, input, counter, help and problems of one field. */
export function Field({ draft, spec, children, wide }: FieldProps & { wide?: boolean; children: (attributes: InputAttributes) => ComponentChildren }) {
  const id = useUniqueId();
  const [help, setHelp] = useState(false);
  const unit = unitOf(draft, spec);
  const invalid = draft.problems.some((problem) => problem.field === spec.path && problem.severity === "error");
  const length = spec.limit === null ? 0 : draft.text(spec.path).length;
  return (
    <div class={wide ? "cxw-field cxw-wide" : "cxw-field"} data-path={spec.path}>
      <div class="cxw-label">
        <label for={id}>{spec.title}</label>
        {unit && (
          <span id={`${id}-unit`} class="cxw-unit">
            {unit}
          </span>
        )}
        {spec.limit !== null && length > spec.limit / 2 && (
          <span class="cxw-unit" aria-live="polite">
            {length} of {spec.limit}
          </span>
        )}
        <button type="button" class="cxw-help" aria-expanded={help} aria-controls={`${id}-help`} onClick={() => setHelp(!help)}>
          <span aria-hidden="true">?</span>
          <span class="cxw-hidden">About {spec.title}</span>
        </button>
      </div>
      <div id={`${id}-help`} role="note" class="cxw-quiet" hidden={!help}>
        {spec.description}
      </div>
      {children({
        id,
        "aria-describedby": `${unit ? `${id}-unit ` : ""}${id}-problems`,
        "aria-invalid": invalid,
        "aria-required": spec.required,
        disabled: spec.fixed === true,
      })}
      <FieldProblems draft={draft} path={spec.path} id={`${id}-problems`} />
    </div>
  );
}

/** The text of an input: the draft's, but while the input is in use what is being typed, unless somebody else changes the field. */
export function useTyping(
  draft: DraftLink,
  path: string,
  show: (value: Value) => string = (value) => (value === null ? "" : String(value)),
  read: (text: string) => Value = (text) => text,
) {
  const [typed, setTyped] = useState<string | null>(null);
  const foreign = draft.foreign(path);
  const seen = useRef(foreign);
  useEffect(() => {
    if (seen.current !== foreign) setTyped(null);
    seen.current = foreign;
  }, [foreign]);
  const text = typed !== null && seen.current === foreign ? typed : show(draft.value(path));
  const write = (value: string) => {
    setTyped(value);
    draft.edit({ [path]: read(value) });
  };
  const release = () => setTyped(null);
  /** For the input itself. */
  const bound = {
    value: text,
    onInput: (event: { currentTarget: { value: string } }) => write(event.currentTarget.value),
    onBlur: release,
  };
  return { text, write, release, bound };
}

export function TextField({ draft, spec }: FieldProps) {
  const { bound } = useTyping(draft, spec.path);
  return (
    <Field draft={draft} spec={spec} wide={spec.kind === "long" || spec.kind === "url" || spec.path === "permissions.copyright"}>
      {(attributes) =>
        spec.kind === "long" ? (
          <textarea rows={2} dir="auto" {...attributes} {...bound} />
        ) : (
          <>
            <input
              type="text"
              dir={spec.kind === "url" ? "ltr" : "auto"}
              inputMode={spec.kind === "url" ? "url" : "text"}
              spellcheck={spec.kind === "text" && spec.path.startsWith("permissions")}
              autocomplete="off"
              list={spec.choices.length > 0 ? `${attributes.id}-choices` : undefined}
              {...attributes}
              {...bound}
            />
            <datalist id={`${attributes.id}-choices`}>
              <Options choices={spec.choices} />
            </datalist>
          </>
        )
      }
    </Field>
  );
}

export function NumberField({ draft, spec }: FieldProps) {
  const { text, write, bound } = useTyping(draft, spec.path, formatNumber, parseNumber);
  const onKeyDown = (event: KeyboardEvent) => {
    const direction = event.key === "ArrowUp" ? 1 : event.key === "ArrowDown" ? -1 : 0;
    const next = direction && stepped(text, direction, event.shiftKey);
    if (!next) return;
    event.preventDefault();
    write(next);
  };
  return (
    <Field draft={draft} spec={spec}>
      {(attributes) => <input type="text" inputMode="decimal" autocomplete="off" onKeyDown={onKeyDown} {...attributes} {...bound} />}
    </Field>
  );
}

export function SwitchField({ draft, spec }: FieldProps) {
  return (
    <Field draft={draft} spec={spec}>
      {({ "aria-required": _, ...attributes }) => (
        <input
          type="checkbox"
          checked={draft.value(spec.path) === true}
          onChange={(event) => draft.edit({ [spec.path]: event.currentTarget.checked })}
          {...attributes}
        />
      )}
    </Field>
  );
}

export function ChoiceField({ draft, spec }: FieldProps) {
  const value = draft.text(spec.path);
  const choices = spec.choices.includes(value) ? spec.choices : [value, ...spec.choices];
  return (
    <Field draft={draft} spec={spec}>
      {(attributes) => (
        <select value={value} onChange={(event) => draft.edit({ [spec.path]: event.currentTarget.value })} {...attributes}>
          <Options choices={choices} />
        </select>
      )}
    </Field>
  );
}

function Options({ choices }: { choices: string[] }) {
  return (
    <>
      {choices.map((choice) => (
        <option key={choice} value={choice}>
          {choice}
        </option>
      ))}
    </>
  );
}
