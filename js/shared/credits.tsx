// Credits: what was typed, what the server keeps of it where that differs, and how it will look. Nothing of it becomes markup here:
// the kernel sends a small tree of the elements that are kept, and this draws them one by one.

import type { ComponentChildren } from "preact";
import type { CreditsTree, KeptCredits } from "../protocol.ts";
import { Field, type FieldProps, useTyping } from "./fields.tsx";
import { useTrait } from "./mount.tsx";

const TAGS = new Set(["b", "strong", "i", "em", "a", "br"]);

/** Elements for a tree of credits; a tag or an address that is not on the list is shown as its text only. */
export function draw(tree: CreditsTree): ComponentChildren {
  return tree.map((node, index) => {
    if (typeof node === "string") return node;
    const children = draw(node.children);
    if (!TAGS.has(node.tag)) return <span key={index}>{children}</span>;
    if (node.tag === "br") return <br key={index} />;
    if (node.tag === "a") {
      if (!/^(https?|mailto):/i.test(node.href ?? "")) return <span key={index}>{children}</span>;
      return (
        <a key={index} href={node.href} target="_blank" rel="noopener noreferrer nofollow">
          {children}
        </a>
      );
    }
    const Tag = node.tag as "b";
    return <Tag key={index}>{children}</Tag>;
  });
}

export function CreditsField({ draft, spec }: FieldProps) {
  const { bound } = useTyping(draft, spec.path);
  const kept = useTrait<KeptCredits>(draft.kernel, "kept_credits");
  const copyright = draft.text("permissions.copyright");
  const differs = !draft.waiting && kept.text !== draft.text(spec.path);
  return (
    <Field draft={draft} spec={spec} wide>
      {(attributes) => (
        <>
          <textarea rows={2} dir="auto" {...attributes} {...bound} />
          {differs && (
            <dl class="cxw-compare">
              <dt>You wrote</dt>
              <dd>
                <code>{draft.text(spec.path)}</code>
              </dd>
              <dt>The server keeps</dt>
              <dd>
                <code>{kept.text || "nothing"}</code>
              </dd>
            </dl>
          )}
          {kept.text && (
            <div class="cxw-credits">
              <span class="cxw-quiet">Readers see: </span>
              <span>Image credits: </span>
              <bdi>{draw(kept.tree)}</bdi>. {copyright && <bdi>{copyright}</bdi>}
              {copyright && "."}
            </div>
          )}
        </>
      )}
    </Field>
  );
}
