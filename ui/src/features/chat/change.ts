/** Where another engine answers than before. */
import type { Badge, BadgeKind, Message } from "$lib/backend";

/**
 * The engine of the answer `at` (an index into `turns`), where it is another than that of the answer before it; otherwise
 * `null`. Answers that nobody wrote are passed over. `live`: who writes the answer while it is being written.
 */
export function changedTo(turns: readonly Message[], at: number, live: Badge | null = null): BadgeKind | null {
  const now = (live ?? turns[at]?.badge)?.kind ?? null;
  if (now === null) return null;
  const before = turns.slice(0, at).findLast(({ speaker, badge }) => speaker === "tutor" && badge !== null)?.badge?.kind ?? null;
  // A first answer that came from elsewhere was asked for too: the tutor itself is always on this computer.
  if (before === null) return now === "cloud" || now === "school" ? now : null;
  return before === now ? null : now;
}
