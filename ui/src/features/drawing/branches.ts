/** Going through a mind map with the arrow keys: along its branches, as they lie on the page. */
import type { Node } from "$lib/backend";

/** The node that `key` leads to from `id`; `id` itself where the way ends, `null` for any other key. */
export function follow(nodes: readonly Node[], id: number | null, key: string): number | null {
  const root = nodes.find(({ parent }) => parent === null);
  if (!root || !["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home"].includes(key)) return null;
  const here = nodes.find((node) => node.id === id);
  if (!here || key === "Home") return root.id;
  if (key === "ArrowUp" || key === "ArrowDown") return beside(nodes, here, key === "ArrowUp" ? -1 : 1).id;

  const toLeft = key === "ArrowLeft";
  if (here.parent === null) return nearestChild(nodes, here, toLeft)?.id ?? here.id;
  // Away from the root lies what belongs to it, towards the root what it belongs to.
  return toLeft === here.left ? (nearestChild(nodes, here, toLeft)?.id ?? here.id) : here.parent;
}

const middle = ({ y, height }: Node) => y + height / 2;

function nearestChild(nodes: readonly Node[], of: Node, left: boolean): Node | undefined {
  const children = nodes.filter(({ parent, left: side }) => parent === of.id && side === left);
  return children.sort((a, b) => Math.abs(middle(a) - middle(of)) - Math.abs(middle(b) - middle(of)))[0];
}

/** The next of the same level on the same side, upwards or downwards. */
function beside(nodes: readonly Node[], here: Node, step: 1 | -1): Node {
  const column = nodes.filter(({ level, left }) => level === here.level && left === here.left).sort((a, b) => middle(a) - middle(b));
  return column[column.findIndex(({ id }) => id === here.id) + step] ?? here;
}

export interface Branching {
  node: Node;
  children: Branching[];
}

/** What hangs on `parent`, as a tree, in reading order. */
export function treeBelow(nodes: readonly Node[], parent: number | null): Branching[] {
  return nodes.filter((node) => node.parent === parent).map((node) => ({ node, children: treeBelow(nodes, node.id) }));
}
