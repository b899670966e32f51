// What was published, where to find it, and how to keep it.

import { useState } from "preact/hooks";
import { Address } from "../shared/address.tsx";
import type { ReceiptState } from "./status.ts";

export function ReceiptView({ receipt }: { receipt: ReceiptState }) {
  const [copied, setCopied] = useState(false);
  const copy = () => navigator.clipboard?.writeText(receipt.id).then(() => setCopied(true));
  return (
    <section aria-label="Receipt" class="cxw-receipt" role="status">
      <h3 tabIndex={-1} data-focus>
        Published
      </h3>
      <dl>
        <dt>Image id</dt>
        <dd>
          <code>{receipt.id}</code>{" "}
          <button type="button" onClick={copy}>
            {copied ? "Copied" : "Copy id"}
          </button>
        </dd>
        <dt>Owner</dt>
        <dd>
          @{receipt.handle} at <code>{receipt.api_url}</code>
        </dd>
        <dt>When</dt>
        <dd>{new Date(receipt.created).toLocaleString()}</dd>
        <dt>Links</dt>
        <dd>
          <Address url={receipt.record_url}>Record</Address> · <Address url={receipt.wtml_url}>WTML</Address>
          {receipt.handle_url && (
            <>
              {" "}
              · <Address url={receipt.handle_url}>Page of @{receipt.handle}</Address>
            </>
          )}
        </dd>
      </dl>
      {!receipt.same && <p>The draft was changed after it was sent. What was published is in the record, not in the form.</p>}
      <details>
        <summary>What was sent</summary>
        <p class="cxw-quiet">
          Attempt {receipt.key}, SHA-256 {receipt.body_sha256}
        </p>
        <pre tabIndex={0}>{receipt.body}</pre>
      </details>
      <p class="cxw-quiet">Note, alt text and permissions can still be changed; the picture and its place can not.</p>
    </section>
  );
}
