/**
 * The entry point of a stand-alone page, which Python writes with all that it shows (widgets/preview/stand_alone.py): the preview,
 * and in place of the kernel a responder that reads what the page itself holds.
 */

import { PreviewView } from "../preview/view.ts";
import { KernelLink } from "../shared/kernel_link.ts";
import { fitEmbedded } from "./embedded.ts";
import { PageModel } from "./page_model.ts";
import "../shared/ui/colors.css";
import "../preview/preview.css";
import "./stand_alone.css";

const TOO_OLD = "The live preview needs a browser from 2023 or later. Below is a picture.";

/** One of the page's images: what describes it, and the button that shows it, if there are several. */
function follow(model: PageModel, view: PreviewView): void {
  const sections = [...document.querySelectorAll<HTMLElement>("[data-cxw-image]")];
  const buttons = [...document.querySelectorAll<HTMLButtonElement>("[data-cxw-show]")];
  const choose = (number: number) => {
    for (const [index, section] of sections.entries()) section.hidden = index !== number;
    for (const [index, button] of buttons.entries()) button.ariaPressed = String(index === number);
  };
  choose(0);
  for (const [number, button] of buttons.entries()) {
    button.addEventListener("click", () => {
      choose(number);
      model.show(number);
    });
  }
  // The view moves to the next image when that has taken the last one's place.
  let revision = view.element.dataset.cxwRevision;
  new MutationObserver(() => {
    if (view.element.dataset.cxwRevision === revision) return;
    if (revision !== undefined) model.goToImage();
    revision = view.element.dataset.cxwRevision;
  }).observe(view.element, { attributeFilter: ["data-cxw-revision"] });
}

function start(place: HTMLElement): void {
  if (!("DecompressionStream" in window) || !("IntersectionObserver" in window)) {
    place.prepend(TOO_OLD);
    return;
  }
  const model = new PageModel(document);
  const view = new PreviewView(new KernelLink(model.asModel()), model.height, { standAlone: true });
  follow(model, view);
  place.replaceChildren(view.element);
  void view.start();
}

export default start;

fitEmbedded();

start(document.getElementById("cxw-preview")!);
