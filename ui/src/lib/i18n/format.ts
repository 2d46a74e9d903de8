/** Numbers, dates and plurals as each language writes them. */
import type { Language } from "$lib/backend";

/** Region to format by when the system's own region speaks another language. */
const FALLBACK: Record<Language, string> = { es: "es", en: "en", pt: "pt-BR" };

/** The system's locale where it speaks `language` (`es-MX` writes 1.5, `es` writes 1,5), else the language's own. */
export function localeFor(language: Language, systemLocales: readonly string[]): string {
  return systemLocales.find((locale) => locale.toLowerCase().split("-")[0] === language) ?? FALLBACK[language];
}

/** The first language of the system that Aula speaks; `otherwise` when there is none. */
export function languageOf(systemLocales: readonly string[], otherwise: Language = "es"): Language {
  for (const locale of systemLocales) {
    const language = locale.toLowerCase().split("-")[0];
    if (language === "es" || language === "en" || language === "pt") return language;
  }
  return otherwise;
}

export function number(locale: string, value: number, digits = 0): string {
  return new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(value);
}

type Forms = { one: string; other: string; zero?: string };

/** `forms` by the plural rule of the locale, with `#` replaced by the number; `zero` goes before the rule. */
export function plural(locale: string, count: number, forms: Forms): string {
  if (count === 0 && forms.zero !== undefined) return forms.zero;
  const rule = new Intl.PluralRules(locale).select(count);
  return (rule === "one" ? forms.one : forms.other).replaceAll("#", number(locale, count));
}

/** Seconds for a person: one decimal below ten. */
export function seconds(locale: string, value: number): string {
  return `${number(locale, value, value < 9.95 ? 1 : 0)} s`;
}

/** Bytes as megabytes or gigabytes (10⁶, 10⁹). */
export function bytes(locale: string, value: number): string {
  return value >= 1e9 ? `${number(locale, value / 1e9, 1)} GB` : `${number(locale, value / 1e6, value < 1e7 ? 1 : 0)} MB`;
}

/** Tokens a second; below ten with one decimal. */
export function rate(locale: string, value: number): string {
  return `${number(locale, value, value < 9.95 ? 1 : 0)} tok/s`;
}
