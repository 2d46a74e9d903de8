/** Why this model answers, in sentences. */
import type { ChoiceReport, Rejected } from "$lib/backend";
import type { Catalogue } from "$lib/i18n/index.svelte";
import { bytes, number } from "$lib/i18n/format";
import { outrunsReading, wordsPerSecond } from "./speed";

/** `Gemma 4 E2B` is the small model, `E4B` the large one; any other goes by its name. */
export function sizeOf(model: string): "small" | "large" | null {
  if (/\bE2B\b/i.test(model)) return "small";
  return /\bE4B\b/i.test(model) ? "large" : null;
}

function called(t: Catalogue, model: string, first = false): string {
  const size = sizeOf(model);
  return size === null ? model : (first ? t.sizeFirst : t.size)[size];
}

/** "This computer writes about 8 words a second with the small model." None where no trial was made. */
export function speedSentence(t: Catalogue, locale: string, choice: ChoiceReport): string | null {
  if (choice.tokensPerSecond === null) return null;
  const words = wordsPerSecond(choice.tokensPerSecond);
  const speed = t.choice.speed(number(locale, words, 1), words);
  const sentence = t.choice.with(speed, called(t, choice.model));
  return outrunsReading(choice.tokensPerSecond) ? `${sentence} ${t.choice.fast}` : sentence;
}

/** Why the better one does not answer, and who does: one sentence. None where nothing was passed over. */
export function rejectedSentence(t: Catalogue, choice: ChoiceReport): string | null {
  const first = choice.rejected[0];
  if (!first) return null;
  if (first.model === choice.model) {
    const used = choice.device === "cpu" ? t.choice.processor : choice.deviceName;
    return t.choice.instead(why(t, first, t.choice.on(first.model, first.deviceName)), used);
  }
  // Two files of the same size differ in their names only.
  const sameSize = sizeOf(first.model) === sizeOf(choice.model);
  const what = sameSize ? first.model : called(t, first.model, true);
  return t.choice.instead(why(t, first, what), sameSize ? choice.model : called(t, choice.model));
}

function why(t: Catalogue, { reason }: Rejected, what: string): string {
  if (reason.kind === "tooLarge") return (reason.couldFit ? t.choice.rejected.tooLargeNow : t.choice.rejected.tooLarge)(what);
  return t.choice.rejected[reason.kind](what);
}

/** Every model that was passed over, for "See numbers". */
export function rejectedLines(t: Catalogue, choice: ChoiceReport): string[] {
  return choice.rejected.map((one) => `${why(t, one, t.choice.on(one.model, one.deviceName))}.`);
}

/** Where it computes: "On the processor, with 4 cores". */
export function deviceWords(t: Catalogue, choice: ChoiceReport): string {
  return choice.device === "cpu" ? t.choice.cpu(choice.cores) : t.choice.gpu(choice.deviceName);
}

export function memoryWords(t: Catalogue, locale: string, choice: ChoiceReport): string {
  return t.choice.memoryOf(bytes(locale, choice.neededBytes), bytes(locale, choice.usableBytes));
}
