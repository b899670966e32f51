/**
 * Addresses of servers on the kernel's machine, such as the sandbox: a browser on another machine reaches them through
 * jupyter-server-proxy, if the Jupyter server has it, or not at all.
 */

import { pageWide } from "./page_wide.ts";

export const isOfTheWeb = (url: string) => /^https?:\/\//i.test(url);

/** Whether a host name is that of the machine itself. */
function isLoopback(hostname: string): boolean {
  return (
    hostname === "localhost" ||
    hostname.endsWith(".localhost") ||
    hostname === "[::1]" ||
    /^127\.\d+\.\d+\.\d+$/.test(hostname)
  );
}

/** Whether this page comes from the machine that it is shown on, as far as a page can know: a server there, or an editor. */
export function isNear({ protocol, hostname }: Pick<Location, "protocol" | "hostname">): boolean {
  return !/^https?:$/.test(protocol) || isLoopback(hostname);
}

/** An address on the kernel's machine; null if it is elsewhere, or none. A template such as `{1}/{3}_{2}.png` may be in it. */
function localAddress(url: string): URL | null {
  if (!isOfTheWeb(url)) return null;
  try {
    const address = new URL(url); // URL.canParse came with Safari 17
    return isLoopback(address.hostname) ? address : null;
  } catch {
    return null;
  }
}

/** The root of the Jupyter server that this page is of, with a slash at its end; null if it is of none. */
export function jupyterRoot(page: Document = document): string | null {
  try {
    const config = page.getElementById("jupyter-config-data")?.textContent;
    const path = config ? (JSON.parse(config) as { baseUrl?: string }).baseUrl : page.body.dataset.baseUrl;
    return path ? new URL(path.replace(/\/*$/, "/"), page.location.href).href : null;
  } catch {
    return null;
  }
}

/** The address at which jupyter-server-proxy serves an address of the kernel's machine. Placeholders in braces stay. */
export function proxiedAddress(root: string, url: string): string {
  const { port, protocol } = new URL(url);
  const rest = url.replace(/^https?:\/\/[^/?#]*\/?/i, "");
  return `${root}proxy/${port || (protocol === "https:" ? "443" : "80")}/${rest}`;
}

export const isOnKernelHost = (url: string) => localAddress(url) !== null;

/** Why nothing leads to an address of the kernel's machine, and what helps. */
export function outOfReach(url: string): string {
  const { origin } = new URL(url);
  return `${origin} is on the kernel’s machine, and this browser can’t reach it. Install jupyter-server-proxy beside the Jupyter server and restart that.`;
}

const PATIENCE = 3000; // ms
const ATTEMPTS = 5;
// The sandbox has it; of other servers any response will do.
const PROBE = "/realms/constellations/.well-known/openid-configuration";

/** Whether a server of the browser's own machine responds. The sandbox of a busy kernel is silent for a while; one that has gone refuses. */
async function responds(origin: string): Promise<boolean> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    try {
      await fetch(origin + PROBE, { mode: "no-cors", credentials: "omit", signal: AbortSignal.timeout(PATIENCE) });
      return true;
    } catch (error) {
      if (!(error instanceof DOMException && error.name === "TimeoutError")) return false;
    }
  }
  return false;
}

/** Options of a request to the Jupyter server: JupyterHub ignores the cookie of one without this header, unless it opens a page. */
function signed(): RequestInit {
  const token = /(?:^|; *)_xsrf=([^;]*)/.exec(document.cookie)?.[1];
  return token ? { headers: { "X-XSRFToken": token } } : {};
}

/** Whether the Jupyter server has jupyter-server-proxy, which lists there what it serves. It can reach any port then. */
async function hasProxy(root: string): Promise<boolean> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    try {
      const options = { ...signed(), signal: AbortSignal.timeout(3 * PATIENCE) };
      const response = await fetch(`${root}server-proxy/servers-info`, options);
      return response.ok;
    } catch {
      await new Promise((again) => setTimeout(again, PATIENCE)); // the connection has broken
    }
  }
  return false;
}

/** How the servers of the kernel's machine are reached, by their origins: each is found out once in a page. */
const newFindings = () => new Map<string, Promise<"direct" | "proxy" | "none">>();

async function findWay(origin: string): Promise<"direct" | "proxy" | "none"> {
  const editor = getComputedStyle(document.documentElement).getPropertyValue("--vscode-foreground") !== "";
  const root = jupyterRoot();
  if (editor || (isNear(location) && root === null)) return "direct"; // VS Code forwards the port
  // Never from a page of another machine: browsers ask people whether a site may contact theirs.
  if (isNear(location) && (await responds(origin))) return "direct";
  return root !== null && (await hasProxy(root)) ? "proxy" : "none";
}

/** What leads to `url` from this page: itself, an address of the Jupyter server's proxy, or nothing (null). */
export async function wayTo(url: string): Promise<string | null> {
  const address = localAddress(url);
  if (address === null) return url;
  const findings = pageWide("reach.1", newFindings);
  let found = findings.get(address.origin);
  if (!found) {
    found = findWay(address.origin);
    findings.set(address.origin, found);
  }
  const way = await found;
  if (way === "proxy") return proxiedAddress(jupyterRoot()!, url);
  if (way === "none") findings.delete(address.origin); // it may be started, or the page's connection come back
  return way === "direct" ? url : null;
}

/** The bytes at an address of the kernel's machine; null if there are none, or no way leads there. */
export async function bytesAt(url: string): Promise<Uint8Array<ArrayBuffer> | null> {
  const way = await wayTo(url);
  if (way === null) return null;
  try {
    const response = await fetch(way, way === url ? { credentials: "omit" } : signed());
    return response.ok ? new Uint8Array(await response.arrayBuffer()) : null;
  } catch {
    return null;
  }
}
