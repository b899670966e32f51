// One input for each kind of field: label, unit, help, what is wrong with it.

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
export interface InputIds {
  id: string;
  describedBy: string;
  invalid: boolean;
}

function unitOf(draft: DraftLink, spec: FieldSpec): string {
  return typeof spec.unit === "string" ? spec.unit : (spec.unit[draft.text("wwt.projection")] ?? "");
}

/** Label, unit, input, counter, help and problems of one field. */
export function Field({ draft, spec, children, wide }: FieldProps & { wide?: boolean; children: (ids: InputIds) => ComponentChildren }) {
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
      {children({ id, invalid, describedBy: `${unit ? `${id}-unit ` : ""}${id}-problems` })}
      <FieldProblems draft={draft} path={spec.path} id={`${id}-problems`} />
    </div>
  );
}

/** The text of an input: the draft's, but while the input is in use what is being typed, unless somebody else changes the field. */
export function useTyping(draft: DraftLink, path: string, show: (value: Value) => string) {
  const [typed, setTyped] = useState<string | null>(null);
  const foreign = draft.foreign(path);
  const seen = useRef(foreign);
  useEffect(() => {
    if (seen.current !== foreign) setTyped(null);
    seen.current = foreign;
  }, [foreign]);
  const text = typed !== null && seen.current === foreign ? typed : show(draft.value(path));
  return { text, type: setTyped, release: () => setTyped(null) };
}

function shown(value: Value): string {
  return value === null ? "" : String(value);
}

export function TextField({ draft, spec }: FieldProps) {
  const { text, type, release } = useTyping(draft, spec.path, shown);
  const write = (value: string) => {
    type(value);
    draft.edit({ [spec.path]: value });
  };
  return (
    <Field draft={draft} spec={spec} wide={spec.kind === "long" || spec.kind === "url" || spec.path === "permissions.copyright"}>
      {({ id, describedBy, invalid }) =>
        spec.kind === "long" ? (
          <textarea
            id={id}
            rows={2}
            dir="auto"
            value={text}
            aria-describedby={describedBy}
            aria-invalid={invalid}
            aria-required={spec.required}
            onInput={(event) => write(event.currentTarget.value)}
            onBlur={release}
          />
        ) : (
          <>
            <input
              id={id}
              type="text"
              dir={spec.kind === "url" ? "ltr" : "auto"}
              inputMode={spec.kind === "url" ? "url" : "text"}
              spellcheck={spec.kind === "text" && spec.path.startsWith("permissions")}
              autocomplete="off"
              list={spec.choices.length > 0 ? `${id}-choices` : undefined}
              value={text}
              aria-describedby={describedBy}
              aria-invalid={invalid}
              aria-required={spec.required}
              onInput={(event) => write(event.currentTarget.value)}
              onBlur={release}
            />
            <datalist id={`${id}-choices`}>
              {spec.choices.map((choice) => (
                <option key={choice} value={choice} />
              ))}
            </datalist>
          </>
        )
      }
    </Field>
  );
}

export function NumberField({ draft, spec }: FieldProps) {
  const { text, type, release } = useTyping(draft, spec.path, formatNumber);
  const write = (value: string) => {
    type(value);
    draft.edit({ [spec.path]: parseNumber(value) });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const direction = event.key === "ArrowUp" ? 1 : event.key === "ArrowDown" ? -1 : 0;
    const next = direction && stepped(text, direction, event.shiftKey);
    if (!next) return;
    event.preventDefault();
    write(next);
  };
  return (
    <Field draft={draft} spec={spec}>
      {({ id, describedBy, invalid }) => (
        <input
          id={id}
          type="text"
          inputMode="decimal"
          autocomplete="off"
          value={text}
          aria-describedby={describedBy}
          aria-invalid={invalid}
          aria-required={spec.required}
          onInput={(event) => write(event.currentTarget.value)}
          onKeyDown={onKeyDown}
          onBlur={release}
        />
      )}
    </Field>
  );
}

export function SwitchField({ draft, spec }: FieldProps) {
  return (
    <Field draft={draft} spec={spec}>
      {({ id, describedBy, invalid }) => (
        <input
          id={id}
          type="checkbox"
          checked={draft.value(spec.path) === true}
          aria-describedby={describedBy}
          aria-invalid={invalid}
          onChange={(event) => draft.edit({ [spec.path]: event.currentTarget.checked })}
        />
      )}
    </Field>
  );
}

export function ChoiceField({ draft, spec }: FieldProps) {
  const value = draft.text(spec.path);
  const known = spec.choices.includes(value);
  return (
    <Field draft={draft} spec={spec}>
      {({ id, describedBy, invalid }) => (
        <select
          id={id}
          value={value}
          aria-describedby={describedBy}
          aria-invalid={invalid}
          onChange={(event) => draft.edit({ [spec.path]: event.currentTarget.value })}
        >
          {!known && <option value={value}>{value}</option>}
          {spec.choices.map((choice) => (
            <option key={choice} value={choice}>
              {choice}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
