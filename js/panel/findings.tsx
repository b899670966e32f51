// The only list of what is missing, wrong or recommended: each item leads to its field.

import type { ComponentChildren } from "preact";
import type { Problem } from "../protocol.ts";
import { counts, isEmpty } from "../shared/attention.ts";
import type { DraftLink } from "../shared/draft_link.ts";

export interface Item {
  /** A field's path, "" for the draft as a whole. */
  path: string;
  title: string;
  /** Only of the draft as a whole. */
  message: string;
}

export interface Group {
  kind: "missing" | "to fix" | "recommended" | "to check";
  items: Item[];
}

/** Fields that the Position step fills in together: missing, they are one item. */
export const PLACEMENT = [
  "center_x",
  "center_y",
  "rotation",
  "base_degrees_per_tile",
  "offset_x",
  "offset_y",
  "projection",
  "tile_levels",
].map((name) => `wwt.${name}`);
export const POSITION = "position";

/** What to do before publishing, in the order in which it is said. */
export function findings(draft: DraftLink, titles: Record<string, string>, sandbox = false): Group[] {
  const groups: Group[] = (["missing", "to fix", "recommended", "to check"] as const).map((kind) => ({
    kind,
    items: [],
  }));
  for (const problem of draft.problems) {
    if (problem.severity === "info" || !counts(problem, sandbox)) continue;
    const group = groups.find(({ kind }) => kind === kindOf(draft, problem))!;
    const place = group.kind === "missing" && PLACEMENT.includes(problem.field);
    const path = place ? POSITION : problem.field;
    const title = place ? "Position on the sky" : (titles[problem.field] ?? "This image");
    if (path === "" || !group.items.some((item) => item.path === path))
      group.items.push({ path, title, message: path ? "" : problem.message });
  }
  return groups.filter(({ items }) => items.length > 0);
}

function kindOf(draft: DraftLink, problem: Problem): Group["kind"] {
  const empty = problem.field !== "" && isEmpty(draft.value(problem.field));
  if (problem.severity === "error") return empty ? "missing" : "to fix";
  return empty ? "recommended" : "to check";
}

interface FindingsProps {
  groups: Group[];
  /** Null where there is no form to go to. */
  goTo: ((path: string) => void) | null;
  /** Said if there is nothing to do. */
  none: ComponentChildren;
}

export function Findings({ groups, goTo, none }: FindingsProps) {
  if (groups.length === 0) return <span class="cxw-ready">{none}</span>;
  return (
    <>
      {groups.map(({ kind, items }, index) => (
        <span key={kind} class={kind === "missing" || kind === "to fix" ? "cxw-blocks" : undefined}>
          {index > 0 && " · "}
          {items.length} {kind}:{" "}
          {items.map(({ path, title, message }, at) => (
            <span key={path + message}>
              {at > 0 && ", "}
              {path && goTo ? (
                <button type="button" class="cxw-link" onClick={() => goTo(path)}>
                  {title}
                </button>
              ) : (
                <bdi>{message || title}</bdi>
              )}
            </span>
          ))}
        </span>
      ))}
    </>
  );
}
