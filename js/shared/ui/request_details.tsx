// A review's request: every value that will be sent, and the exact body. Collapsed.

import "./request_details.css";
import "./value_table.css";
import type { RequestReview } from "../../protocol.ts";

/** Rows of the body: a path and its value, in the order of the request. */
export function rowsOf(body: string): [string, string][] {
  const rows: [string, string][] = [];
  const walk = (value: unknown, path: string) => {
    if (value !== null && typeof value === "object") {
      for (const [name, inner] of Object.entries(value)) walk(inner, path ? `${path}.${name}` : name);
    } else {
      rows.push([path, typeof value === "string" ? value : JSON.stringify(value)]);
    }
  };
  walk(JSON.parse(body), "");
  return rows;
}

/** Every value that will be sent, and the exact request. */
export function RequestDetails({ review, titles }: { review: RequestReview; titles: Record<string, string> }) {
  const rows = rowsOf(review.body);
  return (
    <details class="cxw-what">
      <summary>
        Technical details ({rows.length} values, {review.size} bytes)
      </summary>
      <table class="cxw-values">
        <caption class="cxw-hidden">Values that will be sent</caption>
        <tbody>
          {rows.map(([path, value]) => (
            <tr key={path}>
              <th scope="row">{titles[path] ?? path}</th>
              <td>{value === "" ? <span class="cxw-quiet">empty</span> : <bdi>{value}</bdi>}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <pre tabIndex={0} role="region" aria-label="The exact request">
        <bdi>{`${review.request}\n\n${review.body}`}</bdi>
      </pre>
    </details>
  );
}
