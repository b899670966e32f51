// What was published, where to find it, and how to keep it.

import { useState } from "preact/hooks";
import type { ReceiptState } from "../protocol.ts";
import { Address, OutOfReach, useWayTo } from "../shared/ui/address.tsx";

interface ReceiptProps {
  receipt: ReceiptState;
  /** Why it can't be edited, "" if nothing is wrong. */
  message: string;
  /** Opens the form of the published image; null where there is no room for it. */
  edit: (() => void) | null;
}

/** Copy by a selection, as pages must that have no `navigator.clipboard`: those of another machine without TLS. */
function copySelected(text: string, beside: HTMLElement): boolean {
  const area = document.createElement("textarea");
  area.value = text;
  area.style.cssText = "position: fixed; opacity: 0";
  beside.after(area);
  area.focus({ preventScroll: true });
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  beside.focus();
  return copied;
}

function Copy({ text, label }: { text: string; label: string }) {
  const [outcome, setOutcome] = useState("");
  const copy = async (button: HTMLElement) => {
    let copied = true;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      copied = copySelected(text, button);
    }
    setOutcome(copied ? "Copied" : "The browser refused to copy");
  };
  return (
    <button type="button" onClick={(event) => void copy(event.currentTarget)}>
      {outcome || label}
    </button>
  );
}

export function ReceiptView({ receipt, message, edit }: ReceiptProps) {
  return (
    <section aria-label="Receipt" class="cxw-receipt" role="status">
      <h3 tabIndex={-1} data-focus>
        Published
      </h3>
      <dl>
        <dt>Image</dt>
        <dd>
          <code>{receipt.id}</code> <Copy text={receipt.id} label="Copy id" />
        </dd>
        <dt>Publisher</dt>
        <dd>
          @<bdi>{receipt.handle}</bdi> at <code>{receipt.api_url}</code>
        </dd>
        <dt>Published</dt>
        <dd>{new Date(receipt.created).toLocaleString()}</dd>
        <dt>Links</dt>
        <dd>
          <Address url={receipt.record_url}>Record</Address>{" "}
          <Copy text={useWayTo(receipt.record_url) ?? receipt.record_url} label="Copy link" /> ·{" "}
          <Address url={receipt.wtml_url}>WTML</Address>
          {receipt.handle_url && (
            <>
              {" "}
              ·{" "}
              <Address url={receipt.handle_url}>
                Page of @<bdi>{receipt.handle}</bdi>
              </Address>
            </>
          )}
          {receipt.edit_url && (
            <>
              {" "}
              · <Address url={receipt.edit_url}>Edit on the site</Address>
            </>
          )}
          {receipt.dashboard_url && (
            <>
              {" "}
              · <Address url={receipt.dashboard_url}>Dashboard</Address>
            </>
          )}
        </dd>
      </dl>
      <OutOfReach url={receipt.record_url} />
      {!receipt.same && <p>The draft has changed since it was sent. “What was sent” is what is published.</p>}
      {receipt.duplicates.length > 0 && (
        <p>
          The server has more records of it, since a gateway or the network repeated the request. They can't be deleted:{" "}
          <code>{receipt.duplicates.join(", ")}</code>
        </p>
      )}
      <details>
        <summary>What was sent</summary>
        <p class="cxw-quiet">
          Attempt {receipt.key}, SHA-256 {receipt.body_sha256}
        </p>
        <pre tabIndex={0}>
          <bdi>{receipt.body}</bdi>
        </pre>
      </details>
      {message && (
        <p role="alert" class="cxw-error-text">
          <bdi>{message}</bdi>
        </p>
      )}
      <div class="cxw-row">
        {edit && (
          <button type="button" onClick={edit}>
            Edit description and rights
          </button>
        )}
      </div>
    </section>
  );
}
