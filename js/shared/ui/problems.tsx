// Problems in words, with their fixes, at a field.

import { useContext, useLayoutEffect, useRef } from "preact/hooks";
import type { Problem } from "../../protocol.ts";
import { AttentionContext, counts, isShown } from "../attention.ts";
import type { DraftLink } from "../draft_link.ts";

export const WORDS = { error: "Error", warning: "Warning", info: "Note" } as const;
const SIGNS = { error: "✕", warning: "!", info: "i" } as const;

function Sign({ severity }: { severity: Problem["severity"] }) {
  return (
    <span class={`cxw-sign cxw-${severity}`}>
      <span aria-hidden="true">{SIGNS[severity]}</span>
      <span class="cxw-hidden">{WORDS[severity]}: </span>
    </span>
  );
}

function FixButton({ draft, problem }: { draft: DraftLink; problem: Problem }) {
  const button = useRef<HTMLButtonElement>(null);
  // What fixes a problem goes away with it. The keyboard stays where it was: at the field.
  useLayoutEffect(() => {
    const own = button.current;
    return () => {
      if (!own || own !== document.activeElement) return;
      own.closest("[data-path]")?.querySelector<HTMLElement>("input, textarea, select")?.focus();
    };
  }, []);
  return (
    <button ref={button} type="button" class="cxw-fix" onClick={() => draft.fix(problem)}>
      <bdi>{problem.fix}</bdi>
    </button>
  );
}

/** What is wrong with one field, below it. While a missing value is `quiet`, only what has a fix is shown. */
export function FieldProblems({
  draft,
  path,
  id,
  quiet,
}: {
  draft: DraftLink;
  path: string;
  id: string;
  quiet: boolean;
}) {
  // A published image is final: its problems can't be fixed here any more.
  const { sandbox } = useContext(AttentionContext);
  const found = draft.locked
    ? []
    : draft.problems.filter(
        (problem) =>
          problem.field === path && isShown(problem) && counts(problem, sandbox) && (!quiet || problem.fix !== null),
      );
  return (
    <div id={id} class="cxw-field-problems">
      {found.map((problem) => (
        <div key={problem.code} class={`cxw-problem cxw-${problem.severity}`} data-code={problem.code}>
          <Sign severity={problem.severity} />
          <span>
            <bdi>{problem.message}</bdi> {problem.fix && <FixButton draft={draft} problem={problem} />}
          </span>
        </div>
      ))}
    </div>
  );
}

/** A reason; where it begins with a field's path, people read the field's name. */
export function Reason({ reason, titles }: { reason: string; titles: Record<string, string> }) {
  const [path = "", ...rest] = reason.split(": ");
  return titles[path] ? (
    <>
      <b>{titles[path]}</b> <bdi>{rest.join(": ")}</bdi>
    </>
  ) : (
    <bdi>{reason}</bdi>
  );
}

/** "2 errors, 1 warning", or "" when there is none. */
export function countOf(problems: Problem[]): string {
  const counts = (["error", "warning"] as const).map((severity) => {
    const count = problems.filter((problem) => problem.severity === severity).length;
    return count === 0 ? "" : `${count} ${severity}${count === 1 ? "" : "s"}`;
  });
  return counts.filter(Boolean).join(", ");
}
