/** What a model to be downloaded is, in one line. */
import type { ModelOffer } from "$lib/backend";
import { bytes } from "$lib/i18n/format";
import type { Catalogue } from "$lib/i18n/index.svelte";

/** Size and need, then what speaks for it or against it. */
export function offerFacts(t: Catalogue, locale: string, offer: ModelOffer): string {
  const note = offer.installed ? t.source.installed : !offer.hasRoom ? t.offer.noRoom : !offer.fits ? t.source.tooBigShort : offer.recommended ? t.offer.best : null;
  return [offer.quantization, bytes(locale, offer.fileBytes), t.offer.needs(bytes(locale, offer.neededBytes)), note].filter((fact) => fact !== null).join(" · ");
}

/** Where it comes from: publisher, licence, how it is checked. */
export function offerOrigin(t: Catalogue, offer: ModelOffer): string {
  return [t.offer.by(offer.publisher), offer.license, offer.hashPublished ? t.offer.hashPublished : t.offer.hashReported].join(" · ");
}
