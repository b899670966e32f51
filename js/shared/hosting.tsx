// Files on the web: upload a draft's files, write them to a folder, test an address.

import "./hosting.css";
import type { ButtonHTMLAttributes, TargetedInputEvent } from "preact";
import { useState } from "preact/hooks";
import type { AddressTest, HostingState } from "../protocol.ts";
import { type DraftViewProps, useTrait, useUniqueId } from "./mount.tsx";

const URL_PATH = "storage.legacy_url_template";
const OTHER = "other";
const SANDBOX = "sandbox"; // each image has a folder of its own there

/** Which credentials a service takes, by the scheme of its addresses; without any the kernel's environment is used. */
const CREDENTIALS: Record<string, { name: string; secret: string }> = {
  s3: { name: "Access key ID", secret: "Secret access key" },
  az: { name: "Account name", secret: "Account key" },
  sftp: { name: "User name", secret: "Password" },
  webdav: { name: "User name", secret: "Password" },
  webdavs: { name: "User name", secret: "Password" },
};

const schemeOf = (target: string) => /^([a-z0-9]+):\/\//.exec(target)?.[1] ?? "";

interface TextInputProps {
  label: string;
  value: string;
  set: (value: string) => void;
  hint?: string;
  secret?: boolean;
}

function TextInput({ label, value, set, hint, secret }: TextInputProps) {
  const onInput = (event: TargetedInputEvent<HTMLInputElement>) => set(event.currentTarget.value);
  const id = useUniqueId();
  const field = { id, value, placeholder: hint, spellcheck: false, onInput };
  return (
    <div class="cxw-hosting-field">
      <label for={id}>{label}</label>
      {secret ? (
        <input type="password" autocomplete="new-password" {...field} />
      ) : (
        <input type="text" autocomplete="off" {...field} />
      )}
    </div>
  );
}

interface BusyButtonProps extends ButtonHTMLAttributes {
  busy: boolean;
  onClick: () => void;
}

/** Keeps the focus while it can't be pressed for a moment: a disabled button would lose it. */
function BusyButton({ busy, onClick, ...rest }: BusyButtonProps) {
  return <button type="button" aria-disabled={busy} onClick={() => busy || onClick()} {...rest} />;
}

/** "image/png, PNG, 256 × 256 pixels; pages of other sites may load it" */
function summaryOf(test: AddressTest): string {
  const size = test.size && `${test.size[0]} × ${test.size[1]} pixels`;
  const what = [`status ${test.status}`, test.content_type || "no content type", test.kind, size]
    .filter(Boolean)
    .join(", ");
  return `${what}; ${test.shared ? "pages of other sites may load it" : "no CORS header"}`;
}

function TestResult({ draft, test }: DraftViewProps & { test: AddressTest }) {
  return (
    <>
      <p>
        <b>{test.faults.length === 0 ? "✓ The address works." : "✕ Others will not see the file:"}</b>{" "}
        <bdi>{test.url}</bdi>
        {test.status > 0 && <span class="cxw-quiet"> ({summaryOf(test)})</span>}
      </p>
      {test.faults.length > 0 && (
        <ul class="cxw-address-test">
          {test.faults.map((fault) => (
            <li key={fault}>
              <bdi>{fault}</bdi>
            </li>
          ))}
        </ul>
      )}
      {test.file_url && (
        <p>
          <button type="button" disabled={draft.locked} onClick={() => draft.edit({ [test.field]: test.file_url })}>
            Use the file's address
          </button>{" "}
          <bdi>{test.file_url}</bdi>
        </p>
      )}
    </>
  );
}

/** Tests one address of the draft, and shows what is there. */
export function AddressTester({ draft, field = URL_PATH }: DraftViewProps & { field?: string }) {
  const hosting = useTrait<HostingState>(draft.kernel, "hosting");
  const busy = hosting.phase === "uploading" || hosting.phase === "testing";
  const test = hosting.test?.field === field ? hosting.test : null;
  return (
    <div class="cxw-hosting">
      <div class="cxw-row">
        <BusyButton
          busy={busy || draft.waiting}
          disabled={draft.text(field) === ""}
          onClick={() => draft.send({ kind: "test_address", field })}
        >
          Test this address
        </BusyButton>
        {hosting.phase === "testing" && <progress aria-label="Testing the address" />}
      </div>
      <div role="status">{test && <TestResult draft={draft} test={test} />}</div>
    </div>
  );
}

interface UploaderProps extends DraftViewProps {
  /** Whether the files are those of all images of a batch. */
  batch?: boolean;
}

/** Chooses where the files of the draft, or of a batch, go, and uploads them. */
export function Uploader({ draft, batch = false }: UploaderProps) {
  const hosting = useTrait<HostingState>(draft.kernel, "hosting");
  const id = useUniqueId();
  const [chosen, choose] = useState("");
  const [target, setTarget] = useState("");
  const [publicUrl, setPublicUrl] = useState("");
  const [endpoint, setEndpoint] = useState("");
  const [name, setName] = useState("");
  const [secret, setSecret] = useState("");
  const [saveAs, setSaveAs] = useState("");
  const [replace, setReplace] = useState(false);
  const busy = hosting.phase === "uploading" || hosting.phase === "testing";
  const place =
    hosting.places.some((each) => each.id === chosen) || chosen === OTHER ? chosen : (hosting.places[0]?.id ?? OTHER);
  const scheme = place === OTHER ? schemeOf(target) : (hosting.places.find((each) => each.id === place)?.scheme ?? "");
  const credentials = CREDENTIALS[scheme];
  const blocked = draft.locked ? "The image is published: its address cannot be changed." : hosting.blocked;

  const upload = () => {
    const elsewhere =
      place === OTHER
        ? { target, public_url: publicUrl, save_as: saveAs, ...(scheme === "s3" ? { endpoint } : {}) }
        : {};
    draft.send({
      kind: batch ? "upload" : "host",
      place,
      replace: replace && place !== SANDBOX,
      ...elsewhere,
      ...(credentials ? { name, secret } : {}),
    });
    setSecret("");
  };

  if (blocked) return <p class="cxw-quiet">{blocked}</p>;
  return (
    <div class="cxw-hosting" role="group" aria-label="Upload">
      <div class="cxw-hosting-fields">
        <label>
          Upload to
          <select value={place} disabled={busy} onChange={(event) => choose(event.currentTarget.value)}>
            {hosting.places.map((each) => (
              <option key={each.id} value={each.id}>
                {each.label}
              </option>
            ))}
            <option value={OTHER}>Another place…</option>
          </select>
        </label>
        {place === OTHER && (
          <>
            <TextInput
              label="Folder or address"
              value={target}
              set={setTarget}
              hint="~/public_html/m51 or s3://bucket/m51"
            />
            <TextInput
              label="Public address of the folder (if it differs)"
              value={publicUrl}
              set={setPublicUrl}
              hint="https://example.org/m51/"
            />
            {scheme === "s3" && (
              <TextInput
                label="Endpoint (not for Amazon)"
                value={endpoint}
                set={setEndpoint}
                hint="https://s3.example.org"
              />
            )}
            <TextInput label="Save this place as (optional)" value={saveAs} set={setSaveAs} />
          </>
        )}
        {credentials && (
          <>
            <TextInput label={`${credentials.name} (optional)`} value={name} set={setName} />
            <TextInput label={`${credentials.secret} (not stored)`} value={secret} set={setSecret} secret />
          </>
        )}
      </div>
      {place !== SANDBOX && (
        <label>
          <input type="checkbox" checked={replace} onChange={(event) => setReplace(event.currentTarget.checked)} />{" "}
          Replace files of the same names
        </label>
      )}
      <div class="cxw-row">
        <BusyButton
          class="cxw-primary"
          busy={busy || draft.waiting}
          disabled={place === OTHER && target.trim() === ""}
          onClick={upload}
          aria-describedby={id}
        >
          Upload
        </BusyButton>
        {!batch && (
          <BusyButton busy={busy || draft.waiting} onClick={() => draft.send({ kind: "host_folder" })}>
            Write a folder to upload by hand
          </BusyButton>
        )}
        {hosting.phase === "uploading" && (
          <>
            <progress
              aria-label="Uploading"
              {...(hosting.progress?.total ? { value: hosting.progress.done, max: hosting.progress.total } : {})}
            />
            <button type="button" onClick={() => draft.send({ kind: batch ? "upload_cancel" : "host_cancel" })}>
              Cancel
            </button>
          </>
        )}
      </div>
      <p
        id={id}
        role={hosting.phase === "failed" ? "alert" : "status"}
        class={hosting.phase === "failed" ? "cxw-failed" : undefined}
      >
        <bdi>{hosting.phase === "uploading" ? (hosting.progress?.text ?? "Starting …") : hosting.message}</bdi>
      </p>
    </div>
  );
}
