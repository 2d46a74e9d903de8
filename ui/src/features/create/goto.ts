/** Where the keyboard and the eye go after a step. */
import { tick } from "svelte";

/** Focuses `focus` within `page` and brings `show` into sight, once the page has taken the step in. */
export async function goTo(page: HTMLElement | undefined, focus: string, show: string): Promise<void> {
  await tick();
  page?.querySelector<HTMLElement>(focus)?.focus({ preventScroll: true });
  page?.querySelector<HTMLElement>(show)?.scrollIntoView?.({ block: "nearest" });
}
