/** The page's words in the language in force: `i18n.t.chat.send`. */
import type { Language } from "$lib/backend";
import { en } from "./en";
import { es, type Catalogue } from "./es";
import { localeFor } from "./format";
import { pt } from "./pt";

export type { Catalogue } from "./es";

export const CATALOGUES: Record<Language, Catalogue> = { es, en, pt };

/** Each language by its own name. */
export const LANGUAGE_NAMES: Record<Language, string> = { es: "Español", en: "English", pt: "Português" };

class I18n {
  language: Language = $state("es");

  get t(): Catalogue {
    return CATALOGUES[this.language];
  }

  /** For `Intl`: the system's own region where it speaks this language. */
  get locale(): string {
    return localeFor(this.language, navigator.languages);
  }
}

export const i18n = new I18n();
