/** A stand-alone page in a frame of another page, such as a converted notebook: as high as its content, and light or dark as that page. */

/** Fit the page to the one around it, if there is one. */
export function fitEmbedded(): void {
  if (self === top) return;
  const page = document.documentElement;
  page.classList.add("cxw-embedded");
  const frame = window.frameElement as HTMLElement | null; // null if the frame has an origin of its own
  if (!frame) return;
  new ResizeObserver(() => (frame.style.height = `${page.offsetHeight}px`)).observe(page);
  const dark = darkRules();
  const follow = () => {
    const scheme = isLight(getComputedStyle(frame.parentElement ?? frame).color) ? "dark" : "light";
    page.style.colorScheme = scheme;
    for (const { media } of dark) media.mediaText = scheme === "dark" ? "all" : "not all";
  };
  follow();
  // Themes are changed by an attribute, or with the reader's system.
  const around = frame.ownerDocument;
  const changes = new MutationObserver(follow);
  for (const element of [around.documentElement, around.body]) changes.observe(element, { attributes: true });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", follow);
}

/** The rules of the dark scheme, which a media query chooses in a page of its own. */
const darkRules = () =>
  [...document.styleSheets]
    .flatMap((sheet) => [...sheet.cssRules])
    .filter((rule) => rule instanceof CSSMediaRule)
    .filter(({ media }) => media.mediaText.includes("prefers-color-scheme"));

/** Whether a color, in any notation of CSS, is nearer to white than to black. */
function isLight(color: string): boolean {
  const canvas = document.createElement("canvas").getContext("2d");
  if (!canvas) return false;
  canvas.fillStyle = color;
  canvas.fillRect(0, 0, 1, 1);
  const [red, green, blue] = canvas.getImageData(0, 0, 1, 1).data;
  return 0.299 * red! + 0.587 * green! + 0.114 * blue! > 127;
}
