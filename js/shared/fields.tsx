// One input for each kind of field: label, unit, what is wrong with it, help.

import "./fields.css";
import type { ComponentChildren } from "preact";
import { useContext, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { FieldSpec, Value } from "../protocol.ts";
import { AttentionContext, isEmpty } from "./attention.ts";
import type { DraftLink } from "./draft_link.ts";
import { useUniqueId } from "./mount.tsx";
import { formatNumber, parseNumber, stepped } from "./numbers.ts";
import { FieldProblems } from "./ui/problems.tsx";

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

interface FrameProps extends FieldProps {
  wide?: boolean;
  /** More than the field's description. */
  help?: ComponentChildren;
  /** Below the problems: what opens there covers none of them. */
  below?: ComponentChildren;
  children: (attributes: InputAttributes) => ComponentChildren;
}

function unitOf(draft: DraftLink, spec: FieldSpec): string {
  return typeof spec.unit === "string" ? spec.unit : (spec.unit[draft.text("wwt.projection")] ?? "");
}

/** Label, unit, input, counter, problems and help of one field. */
export function Field({ draft, spec, children, wide, help, below }: FrameProps) {
  const id = useUniqueId();
  const attention = useContext(AttentionContext);
  const unit = unitOf(draft, spec);
  const found = draft.problems.filter((problem) => problem.field === spec.path && problem.severity !== "info");
  const quiet = isEmpty(draft.value(spec.path)) && !attention.isDue(spec.path);
  const invalid = !quiet && found.some((problem) => problem.severity === "error");
  const length = spec.limit === null ? 0 : draft.text(spec.path).length;
  const wanted =
    quiet &&
    !draft.locked &&
    found.length > 0 &&
    (found.some((problem) => problem.severity === "error") ? "required" : "recommended");
  const [used, setUsed] = useState(false);
  const leave = (event: FocusEvent) => {
    if ((event.currentTarget as Element).contains(event.relatedTarget as Node | null)) return;
    setUsed(false);
    attention.leave(spec.path);
  };
  return (
    <div
      class={wide ? "cxw-field cxw-wide" : "cxw-field"}
      data-path={spec.path}
      onFocusIn={() => setUsed(true)}
      onFocusOut={leave}
    >
      <div class="cxw-label">
        <label for={id}>{spec.title}</label>
        {unit && (
          <span id={`${id}-unit`} class="cxw-unit">
            {unit}
          </span>
        )}
        {wanted && <span class="cxw-unit cxw-wanted">{wanted}</span>}
        {spec.limit !== null && length > spec.limit / 2 && (
          <span class="cxw-unit" aria-live="polite">
            {length} of {spec.limit}
          </span>
        )}
      </div>
      {children({
        id,
        "aria-describedby": `${unit ? `${id}-unit ` : ""}${id}-problems ${id}-help`,
        "aria-invalid": invalid,
        "aria-required": spec.required,
        disabled: spec.fixed === true,
      })}
      <FieldProblems draft={draft} path={spec.path} id={`${id}-problems`} quiet={quiet} />
      {draft.gone && used && (
        <p class="cxw-gone-here">The kernel is gone: what you type here is not kept. Run the cell again.</p>
      )}
      {below}
      <div id={`${id}-help`} class="cxw-quiet cxw-help">
        {spec.description} {help}
      </div>
    </div>
  );
}

/** Where a caret at `position` in `before` is in `after`, when the text around it was changed elsewhere. */
export function movedCaret(before: string, after: string, position: number): number {
  let start = 0;
  while (start < position && before[start] === after[start]) start += 1;
  if (start === position) return position;
  const rest = before.length - position;
  return Math.max(start, after.length - rest);
}

/** A ref for an input in use: its caret stays at the same words when `text` is changed elsewhere. */
function useKeptCaret(text: string) {
  const ref = useRef<HTMLInputElement & HTMLTextAreaElement>(null);
  const input = ref.current;
  // What the browser shows is still the earlier text.
  const isInUse = input !== null && input.value !== text && input.matches(":focus");
  const kept = isInUse
    ? [input.selectionStart ?? 0, input.selectionEnd ?? 0].map((position) => movedCaret(input.value, text, position))
    : null;
  useLayoutEffect(() => {
    if (kept) ref.current?.setSelectionRange(kept[0]!, kept[1]!);
  });
  return ref;
}

/** The text of an input: the draft's, but while the input is in use what is being typed, unless the field is changed elsewhere. */
export function useTyping(
  draft: DraftLink,
  path: string,
  show: (value: Value) => string = (value) => (value === null ? "" : String(value)),
  read: (text: string) => Value = (text) => text,
) {
  const [typed, setTyped] = useState<string | null>(null);
  const foreign = draft.foreign(path);
  const seen = useRef(foreign);
  useLayoutEffect(() => {
    if (seen.current !== foreign) setTyped(null);
    seen.current = foreign;
  }, [foreign]);
  const text = typed !== null && seen.current === foreign ? typed : show(draft.value(path));
  const ref = useKeptCaret(text);
  const write = (value: string) => {
    setTyped(value);
    draft.edit({ [path]: read(value) });
  };
  const release = () => setTyped(null);
  /** For the input itself. */
  const bound = {
    value: text,
    readOnly: draft.gone,
    onInput: (event: { currentTarget: { value: string } }) => write(event.currentTarget.value),
    onBlur: release,
    ref,
  };
  return { text, write, release, bound };
}

export function TextField({ draft, spec, help }: FieldProps & { help?: ComponentChildren }) {
  const { bound } = useTyping(draft, spec.path);
  return (
    <Field
      draft={draft}
      spec={spec}
      help={help}
      wide={spec.kind === "long" || spec.kind === "url" || spec.path === "permissions.copyright"}
    >
      {(attributes) =>
        spec.kind === "long" ? (
          <textarea rows={spec.path === "note" ? 1 : 3} dir="auto" {...attributes} {...bound} />
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
            {spec.choices.length > 0 && (
              <datalist id={`${attributes.id}-choices`}>
                <Options choices={spec.choices} />
              </datalist>
            )}
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
    const next = direction && !draft.gone && stepped(text, direction, event.shiftKey);
    if (!next) return;
    event.preventDefault();
    write(next);
  };
  return (
    <Field draft={draft} spec={spec}>
      {(attributes) => (
        <input type="text" inputMode="decimal" autocomplete="off" onKeyDown={onKeyDown} {...attributes} {...bound} />
      )}
    </Field>
  );
}

export function SwitchField({ draft, spec }: FieldProps) {
  return (
    <Field draft={draft} spec={spec}>
      {({ "aria-required": _, disabled, ...attributes }) => (
        <input
          type="checkbox"
          checked={draft.value(spec.path) === true}
          onChange={(event) => draft.edit({ [spec.path]: event.currentTarget.checked })}
          disabled={disabled || draft.gone}
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
      {({ disabled, ...attributes }) => (
        <select
          value={value}
          onChange={(event) => draft.edit({ [spec.path]: event.currentTarget.value })}
          disabled={disabled || draft.gone}
          {...attributes}
        >
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
