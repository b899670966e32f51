// Problems in words, with their fixes: at a field, and as a list.

import { useLayoutEffect, useRef } from "preact/hooks";
import type { DraftLink } from "./draft_link.ts";
import type { Problem } from "./types.ts";

const WORDS = { error: "Error", warning: "Warning", info: "Note" } as const;
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
  // What mends a problem goes away with it. The keyboard stays where it was: at the field, or at the list.
  useLayoutEffect(() => {
    const own = button.current;
    return () => {
      if (!own || own !== document.activeElement) return;
      const field = own.closest("[data-path]")?.querySelector<HTMLElement>("input, textarea, select");
      (field ?? own.closest("details")?.querySelector<HTMLElement>("summary"))?.focus();
    };
  }, []);
  return (
    <button ref={button} type="button" class="cxw-fix" onClick={() => draft.fix(problem)}>
      {problem.fix}
    </button>
  );
}

/** What is wrong with one field, below it. */
export function FieldProblems({ draft, path, id }: { draft: DraftLink; path: string; id: string }) {
  // What is published is published: nothing of it can be mended here any more.
  const found = draft.locked ? [] : draft.problems.filter((problem) => problem.field === path);
  return (
    <div id={id} class="cxw-field-problems">
      {found.map((problem) => (
        <div key={problem.code} class={`cxw-problem cxw-${problem.severity}`} title={problem.code}>
          <Sign severity={problem.severity} />
          <span>{problem.message}</span> {problem.fix && <FixButton draft={draft} problem={problem} />}
        </div>
      ))}
    </div>
  );
}

/** Everything that is wrong, with a way to each field. */
export function ProblemList({ draft, titles, goTo }: { draft: DraftLink; titles: Record<string, string>; goTo?: (path: string) => void }) {
  if (draft.problems.length === 0) return <p class="cxw-quiet">Nothing was found wrong.</p>;
  return (
    <ul class="cxw-problem-list">
      {draft.problems.map((problem) => (
        <li key={problem.code + problem.field} class={`cxw-problem cxw-${problem.severity}`} title={problem.code}>
          <Sign severity={problem.severity} />
          <span>
            {problem.field && goTo ? (
              <button type="button" class="cxw-link" onClick={() => goTo(problem.field)}>
                {titles[problem.field] ?? problem.field}
              </button>
            ) : (
              <b>{titles[problem.field] ?? (problem.field || "This image")}</b>
            )}{" "}
            {problem.message}
          </span>{" "}
          {problem.fix && <FixButton draft={draft} problem={problem} />}
        </li>
      ))}
    </ul>
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
