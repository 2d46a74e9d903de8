/** Names of engines and models as they stand on a badge. */
import type { Badge } from "$lib/backend";
import { i18n } from "$lib/i18n/index.svelte";

/** "Local · E2B", "School · 26B-A4B"; the word alone where the model's name holds no size. */
export function badgeWords({ kind, model }: Badge): string {
  const word = i18n.t.badge.word[kind];
  const size = /\b(?:E\d+B|\d+B(?:-A\d+B)?)\b/i.exec(model)?.[0];
  return kind === "demo" || !size ? word : `${word} · ${size.toUpperCase()}`;
}
