/** Brings a node's children in line with a fragment and touches only what differs, so that a selection survives. */
export function patchChildren(parent: Node, wanted: Node): void {
  const fresh = [...wanted.childNodes];
  const old = [...parent.childNodes];
  fresh.forEach((node, at) => {
    const current = old[at];
    if (!current) parent.appendChild(node);
    else if (!current.isEqualNode(node)) patchNode(parent, current, node);
  });
  for (const left of old.slice(fresh.length)) parent.removeChild(left);
}

function patchNode(parent: Node, current: Node, wanted: Node): void {
  if (current.nodeType === Node.TEXT_NODE && wanted.nodeType === Node.TEXT_NODE) {
    const [before, after] = [current as Text, wanted.nodeValue ?? ""];
    // Appending keeps a selection that ends in this node; setting the value would drop it.
    if (after.startsWith(before.data)) before.appendData(after.slice(before.data.length));
    else before.data = after;
    return;
  }
  const bothElements = current instanceof Element && wanted instanceof Element;
  // A formula is drawn as a whole: parts of two different ones are never mixed.
  if (!bothElements || current.tagName !== wanted.tagName || wanted.hasAttribute("data-math")) {
    parent.replaceChild(wanted, current);
    return;
  }
  for (const { name } of [...current.attributes]) if (!wanted.hasAttribute(name)) current.removeAttribute(name);
  for (const { name, value } of [...wanted.attributes]) if (current.getAttribute(name) !== value) current.setAttribute(name, value);
  patchChildren(current, wanted);
}
