const PLACES = new Set(["P", "LI", "TD", "TH", "H2", "CODE", "DIV", "BLOCKQUOTE", "UL", "OL", "PRE", "TABLE", "TBODY", "TR", "THEAD"]);

/** The last cell of a row that has something in it: a row that still arrives is shown with all its cells. */
function lastFilled(row: Element): Element | undefined {
  return [...row.children].findLast((cell) => cell.textContent?.trim() !== "");
}

/** Puts the caret behind the last letter of `root`: into its last paragraph, item, cell or line of code. */
export function placeCaret(root: DocumentFragment | Element): void {
  let place: DocumentFragment | Element = root;
  for (;;) {
    const last: Element | null = place.lastElementChild;
    const textAfter = last?.nextSibling?.textContent?.trim();
    if (!last || textAfter || !PLACES.has(last.tagName) || last.hasAttribute("data-math")) break;
    place = last.tagName === "TR" ? (lastFilled(last) ?? last) : last;
  }
  const caret = document.createElement("span");
  caret.className = "caret";
  caret.setAttribute("aria-hidden", "true");
  place.append(caret);
}
