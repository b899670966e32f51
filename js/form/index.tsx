// The form: position, description, rights and addresses of a draft, or of a published image, one step after the other.

import "../shared/ui/theme.css";
import "../panel/panel.css";
import "./form.css";
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { Findings, findings, PLACEMENT, POSITION } from "../panel/findings.tsx";
import { onGoTo } from "../panel/go_to.ts";
import type { FieldSpec, HostingState, PositionState, SavingState } from "../protocol.ts";
import { type Attention, AttentionContext, counts, isEmpty } from "../shared/attention.ts";
import { CreditsField } from "../shared/credits.tsx";
import type { DraftLink } from "../shared/draft_link.ts";
import { ChoiceField, NumberField, SwitchField, TextField } from "../shared/fields.tsx";
import { isolated } from "../shared/foreign.ts";
import { AddressTester, Uploader } from "../shared/hosting.tsx";
import { LicenseField } from "../shared/license.tsx";
import { type DraftViewProps, draftWidgetOf, useDraft, useKernelIsLate, useTrait } from "../shared/mount.tsx";
import { useAfterPress } from "../shared/press.ts";
import { link, paragraph } from "../shared/static_fallback.ts";
import { KernelGone } from "../shared/ui/kernel_notices.tsx";
import { EarlierEdits } from "./earlier.tsx";
import { PositionStep } from "./position.tsx";
import { RightsStep } from "./rights.tsx";
import { PublishedHead, SavingView } from "./saving.tsx";
import { Step, type StepState } from "./steps.tsx";

const [NOTE, ALT, URL, THUMBNAIL] = ["note", "alt_text", "storage.legacy_url_template", "wwt.thumbnail_url"] as const;
const RIGHTS = ["permissions.copyright", "permissions.license", "permissions.credits"];
const ALT_TEXT_HELP = "https://www.w3.org/WAI/tutorials/images/informative/";

interface StepSpec {
  id: string;
  title: string;
  paths: string[];
}

function FieldOf({ spec, draft }: { draft: DraftLink; spec: FieldSpec }) {
  if (spec.kind === "license") return <LicenseField spec={spec} draft={draft} />;
  if (spec.kind === "credits") return <CreditsField spec={spec} draft={draft} />;
  if (spec.kind === "boolean") return <SwitchField spec={spec} draft={draft} />;
  if (spec.kind === "number" || spec.kind === "integer") return <NumberField spec={spec} draft={draft} />;
  if (spec.path === "wwt.projection") return <ChoiceField spec={spec} draft={draft} />;
  if (spec.path === URL) return <TextField spec={addressOf(spec, draft)} draft={draft} />;
  return <TextField spec={spec} draft={draft} help={spec.path === ALT && <HowToWriteAltText />} />;
}

/** The image's address, which needs placeholders only where there are tiles. */
function addressOf(spec: FieldSpec, draft: DraftLink): FieldSpec {
  const tiled = draft.text("wwt.projection") !== "SkyImage";
  return tiled ? spec : { ...spec, description: spec.description.split(" Tiled:")[0]! };
}

function HowToWriteAltText() {
  return (
    <a href={ALT_TEXT_HELP} target="_blank" rel="noopener noreferrer">
      How to write alt text
    </a>
  );
}

function stepsOf(specs: FieldSpec[]): StepSpec[] {
  const raw = specs.map((spec) => spec.path).filter((path) => path.startsWith("wwt.") && path !== THUMBNAIL);
  return [
    { id: POSITION, title: "Position on the sky", paths: [] },
    { id: "description", title: "Title and description", paths: [NOTE, ALT] },
    { id: "rights", title: "Rights and credit", paths: RIGHTS },
    { id: "files", title: "Files on the web", paths: [URL, THUMBNAIL] },
    { id: "parameters", title: `WWT parameters (${raw.length})`, paths: raw },
  ];
}

/** Whether a step is done, or what it needs; missing values count as trouble only when they are due. */
function stateOf(
  step: StepSpec,
  draft: DraftLink,
  place: PositionState,
  { isDue, sandbox }: Pick<Attention, "isDue" | "sandbox">,
): StepState {
  if (step.id === POSITION) {
    if (place.fields.some((field) => field.error)) return "attention";
    return place.complete || !place.flat ? "done" : isDue(POSITION) ? "attention" : "open";
  }
  const found = draft.problems.filter(
    (problem) =>
      problem.severity !== "info" &&
      counts(problem, sandbox) &&
      step.paths.includes(problem.field) &&
      !(step.id === "parameters" && isMissingPlace(draft, problem.field)),
  );
  if (found.length === 0) return step.id === "parameters" ? "neutral" : "done";
  const due = found.filter(({ field }) => !isEmpty(draft.value(field)) || isDue(field));
  if (due.length === 0) return "open";
  return due.some(({ severity }) => severity === "error") ? "attention" : "advice";
}

const isMissingPlace = (draft: DraftLink, path: string) => PLACEMENT.includes(path) && isEmpty(draft.value(path));

function summaryOf(step: StepSpec, draft: DraftLink, place: PositionState, titles: Record<string, string>): string {
  const missing = step.paths.filter(
    (path) =>
      isEmpty(draft.value(path)) &&
      draft.problems.some(({ field, severity }) => field === path && severity === "error"),
  );
  if (step.id === POSITION) return place.flat ? place.summary || "where is the image?" : "";
  if (step.id === "parameters") return "";
  if (missing.length > 0) return `missing: ${missing.map((path) => titles[path]).join(", ")}`;
  if (step.id === "description") return draft.text(NOTE);
  if (step.id === "rights")
    return [draft.text("permissions.license"), draft.text("permissions.copyright")].filter(Boolean).join(" · ");
  return draft.text(URL).replace(/^https?:\/\//, "");
}

/** Upload and addresses: what comes first is what is missing when the step is opened. */
function FilesStep({ draft, children }: DraftViewProps & { children: ComponentChildren }) {
  const [uploadFirst] = useState(() => isEmpty(draft.value(URL)));
  const uploader = <Uploader draft={draft} />;
  return (
    <>
      {uploadFirst && uploader}
      {children}
      <AddressTester draft={draft} />
      {!uploadFirst && uploader}
    </>
  );
}

function Form({ draft }: DraftViewProps) {
  const { kernel } = draft;
  useDraft(draft);
  const late = useKernelIsLate(draft);
  const root = useRef<HTMLDivElement>(null);
  const fields = useTrait<FieldSpec[]>(kernel, "fields");
  const place = useTrait<PositionState>(kernel, "place");
  const saving = useTrait<SavingState | Record<string, never> | undefined>(kernel, "saving");
  const published = saving?.phase ? (saving as SavingState) : null;
  const specs = useMemo(() => new Map(fields.map((spec) => [spec.path, spec])), [fields]);
  const titles = useMemo(() => Object.fromEntries(fields.map((spec) => [spec.path, spec.title])), [fields]);
  const steps = useMemo(() => stepsOf(fields), [fields]);
  const hosting = useTrait<HostingState | Record<string, never> | undefined>(kernel, "hosting");
  const hosted = Boolean(hosting?.phase);
  const sandbox = Boolean(hosting?.places?.some(({ id }) => id === "sandbox"));

  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  const [allDue, setAllDue] = useState(false);
  const afterPress = useAfterPress();
  const attention = useMemo<Attention>(
    () => ({
      isDue: (path) => allDue || left.has(path),
      leave: (path) => afterPress(() => setLeft((before) => (before.has(path) ? before : new Set([...before, path])))),
      sandbox,
    }),
    [left, allDue, sandbox],
  );

  const firstOpen = () =>
    published
      ? "description"
      : (steps.find((step) => ["open", "advice", "attention"].includes(stateOf(step, draft, place, attention)))?.id ??
        "description");
  const [open, setOpen] = useState<string>(firstOpen);
  const toggle = (id: string) => setOpen(open === id ? "" : id);

  const [wanted, setWanted] = useState({ path: "" }); // a new object each time: its step can be open already
  const goTo = (path: string, due = false) => {
    if (due) setAllDue(true);
    if (!path) return;
    attention.leave(path); // its message is what led here
    setWanted({ path });
    setOpen(path === POSITION ? POSITION : (steps.find((step) => step.paths.includes(path))?.id ?? open));
  };
  useLayoutEffect(() => {
    const inputs = `[data-path="${wanted.path}"] :is(input, textarea, select)`;
    const input = wanted.path && root.current?.querySelector<HTMLElement>(inputs);
    if (!input) return;
    input.focus();
    input.scrollIntoView({ block: "nearest" });
  }, [wanted]);
  const latest = useRef(goTo);
  latest.current = goTo;
  useLayoutEffect(() => onGoTo(root.current!, (path, due) => latest.current(path, due)), []);

  const isFixed = (step: StepSpec) => published !== null && step.id !== "description" && step.id !== "rights";
  const body = (step: StepSpec) => {
    if (step.id === POSITION) return <PositionStep draft={draft} fixed={isFixed(step)} />;
    if (step.id === "rights") return <RightsStep draft={draft} specs={specs} fixed={false} />;
    const inputs = (
      <div class="cxw-grid">
        {step.paths.map((path) => {
          const spec = specs.get(path);
          return spec && <FieldOf key={path} spec={spec} draft={draft} />;
        })}
      </div>
    );
    return step.id === "files" && hosted ? <FilesStep draft={draft}>{inputs}</FilesStep> : inputs;
  };

  return (
    <AttentionContext.Provider value={attention}>
      <div
        ref={root}
        class="cxw-form"
        role="group"
        aria-label={`Describe ${isolated(draft.name)}`}
        data-draft={kernel.trait<string>("draft_id")}
      >
        <EarlierEdits draft={draft} />
        <KernelGone kernel={kernel} loses={false} />
        {late && !draft.gone && (
          <div class="cxw-notice" role="status">
            The kernel has not taken your last edits yet: it may be busy. They stay here and are checked when it
            answers.
          </div>
        )}
        {published && <PublishedHead saving={published} />}
        <div class="cxw-steps">
          {steps.map((step, index) => (
            <Step
              key={step.id}
              number={step.id === "parameters" ? "⋯" : String(index + 1)}
              title={step.title}
              summary={summaryOf(step, draft, place, titles)}
              state={
                draft.locked && !published
                  ? "neutral"
                  : isFixed(step)
                    ? "neutral"
                    : stateOf(step, draft, place, attention)
              }
              open={open === step.id}
              toggle={() => toggle(step.id)}
              disabled={draft.locked}
            >
              {() => body(step)}
            </Step>
          ))}
        </div>
        {!draft.locked && (
          <div class="cxw-form-foot" role="status">
            <Findings groups={findings(draft, titles, sandbox)} goTo={goTo} none="Nothing is missing." />
          </div>
        )}
        {published && <SavingView draft={draft} saving={published} titles={titles} />}
      </div>
    </AttentionContext.Provider>
  );
}

function staticFallback({ draft }: DraftViewProps): Node {
  const where = draft.kernel.trait<SavingState | undefined>("saving")?.place;
  if (!where)
    return paragraph(`The form of “${isolated(draft.name)}”. Run the cell to go on with it: it shows what was typed.`);
  const what = `“${isolated(draft.name)}” was published by @${isolated(where.handle)} at ${where.api_url} as ${isolated(where.id)}. Run the cell to change its description. Its record: `;
  return paragraph(what, link(where.record_url));
}

export default draftWidgetOf(Form, staticFallback);
