// What the kernel tells the page of a draft; see constellations_widgets/widgets/draft_widget.py, which writes it.

export type Value = string | number | boolean | null;

export interface FieldSpec {
  path: string;
  title: string;
  description: string;
  kind: "number" | "integer" | "boolean" | "text" | "long" | "url" | "license" | "credits";
  required: boolean;
  /** One unit, or a unit for each projection. */
  unit: string | Record<string, string>;
  minimum: number | null;
  above: number | null;
  maximum: number | null;
  /** The longest text, in UTF-16 units. */
  limit: number | null;
  choices: string[];
  /** Of a published image: can only be read. */
  fixed?: boolean;
}

export interface Problem {
  code: string;
  severity: "error" | "warning" | "info";
  field: string;
  message: string;
  /** The words on the button that mends it. */
  fix: string | null;
}

export interface DraftState {
  name: string;
  values: Record<string, Value>;
  problems: Problem[];
  /** Being published, or published: it takes no more edits. */
  locked: boolean;
  /** Who made the change that this state shows (a page's id, "" for Python), with which fields and the last of its edits. */
  by: { client: string; seq: number; paths: string[] };
}

/** A small tree of cleaned credits: text, or one of the elements that the server keeps. */
export type CreditsTree = (string | { tag: string; href?: string; children: CreditsTree })[];
