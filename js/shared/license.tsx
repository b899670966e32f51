// The license: a combobox over SPDX ids and names, the common choices for astronomy first, and a line on what the chosen one means.

import { useEffect, useMemo, useState } from "preact/hooks";
import type { License, LicensesResponse } from "../protocol.ts";
import { Field, type FieldProps, useTyping } from "./fields.tsx";
import type { KernelLink } from "./kernel_link.ts";
import { useUniqueId } from "./mount.tsx";

const NONE: string[] = [];
const SHOWN = 40; // matches in the list; more are found by typing on

/** The licenses whose id or name has every word of `text`, those whose id begins with it first; all when nothing is typed. */
export function matching(licenses: License[], text: string): License[] {
  const words = text
    .toLowerCase()
    .split(/[\s-]+/)
    .filter(Boolean);
  if (words.length === 0) return licenses.slice(0, SHOWN);
  const found = licenses.filter(({ id, name }) => {
    const all = `${id} ${name}`.toLowerCase();
    return words.every((word) => all.includes(word));
  });
  const rank = ({ id }: License) => (id.toLowerCase().startsWith(text.trim().toLowerCase()) ? 0 : 1);
  return found.sort((a, b) => rank(a) - rank(b)).slice(0, SHOWN);
}

function useLicenses(kernel: KernelLink): License[] {
  const [licenses, setLicenses] = useState<License[]>([]);
  useEffect(() => {
    kernel.request<LicensesResponse>("licenses").then(
      ({ content }) => setLicenses(content.licenses),
      () => setLicenses([]), // closed before the response came: without a list the field is a plain text field
    );
  }, [kernel]);
  return licenses;
}

interface LicenseFieldProps extends FieldProps {
  /** Ids that the list offers while nothing is typed; all licenses if it is empty. */
  fitting?: string[];
}

export function LicenseField({ draft, spec, fitting = NONE }: LicenseFieldProps) {
  const licenses = useLicenses(draft.kernel);
  const typing = useTyping(draft, spec.path);
  const [open, setOpen] = useState(false);
  const [filter, setFilter] = useState(""); // nothing until something is typed: opening the list shows all of it
  const [active, setActive] = useState(-1);
  const found = useMemo(() => {
    const first = fitting
      .map((id) => licenses.find((license) => license.id === id))
      .filter((license) => license !== undefined);
    return filter || first.length === 0 ? matching(licenses, filter) : first;
  }, [licenses, filter, fitting]);
  const chosen = licenses.find(({ id }) => id === draft.text(spec.path));
  const expanded = open && found.length > 0;

  const close = () => {
    setOpen(false);
    setActive(-1);
    setFilter("");
  };
  const choose = (license: License) => {
    typing.release();
    draft.edit({ [spec.path]: license.id });
    close();
  };
  const write = (value: string) => {
    typing.write(value);
    setFilter(value);
    setActive(-1);
    setOpen(!licenses.some(({ id }) => id.toLowerCase() === value.trim().toLowerCase()));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const picked = found[active];
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      setOpen(true);
      const step = event.key === "ArrowDown" ? 1 : -1;
      const count = Math.max(1, found.length); // the list may still be on its way: then the first one is chosen of it
      setActive((now) => (now + step + count + (now < 0 && step < 0 ? 1 : 0)) % count);
    } else if (event.key === "Enter" && expanded && picked) {
      event.preventDefault();
      choose(picked);
    } else if (event.key === "Escape" && expanded) {
      event.stopPropagation();
      close();
    }
  };

  const id = useUniqueId();
  // mousedown must not take the focus, or blur would close the list before the click
  const list = (
    <ul
      id={`${id}-list`}
      class="cxw-options"
      role="listbox"
      aria-label="Licenses"
      hidden={!expanded}
      onMouseDown={(event) => event.preventDefault()}
    >
      {expanded &&
        found.map((license, index) => (
          <li
            key={license.id}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === active}
            onClick={() => choose(license)}
            ref={(element) => {
              if (index !== active) return;
              element?.scrollIntoView({ block: "nearest" });
              element?.parentElement?.scrollIntoView({ block: "nearest" }); // above the foot of a panel
            }}
          >
            <b>{license.id}</b> {(filter || !license.meaning) && license.name}
            {license.meaning && <div class="cxw-quiet">{license.meaning}</div>}
          </li>
        ))}
    </ul>
  );

  return (
    <Field draft={draft} spec={spec} wide below={list}>
      {(attributes) => (
        <>
          <input
            {...attributes}
            type="text"
            role="combobox"
            autocomplete="off"
            spellcheck={false}
            placeholder="CC-BY-4.0"
            value={typing.text}
            readOnly={draft.gone}
            aria-autocomplete="list"
            aria-expanded={expanded}
            aria-controls={`${id}-list`}
            aria-activedescendant={expanded && active >= 0 ? `${id}-${active}` : undefined}
            aria-describedby={`${id}-meaning ${attributes["aria-describedby"]}`}
            onInput={(event) => write(event.currentTarget.value)}
            onKeyDown={onKeyDown}
            onClick={() => setOpen(true)}
            onBlur={() => {
              typing.release();
              close();
            }}
          />
          <div id={`${id}-meaning`} class="cxw-quiet">
            {chosen && (chosen.meaning || chosen.name)}
          </div>
        </>
      )}
    </Field>
  );
}
