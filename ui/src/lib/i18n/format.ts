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

/** Bytes of something small, such as a picture: kilobytes (10³) below a megabyte. */
export function smallBytes(locale: string, value: number): string {
  return value < 1e6 ? `${number(locale, Math.max(1, Math.round(value / 1e3)))} kB` : bytes(locale, value);
}

/** Tokens a second; below ten with one decimal. */
export function rate(locale: string, value: number): string {
  return `${number(locale, value, value < 9.95 ? 1 : 0)} tok/s`;
}

type SpanWords = { under: string; minutes: (n: string) => string; hours: (n: string) => string };

/** About how long, in the words of the catalogue: whole minutes, from an hour and a half on half hours. */
export function span(locale: string, value: number, words: SpanWords): string {
  if (value < 60) return words.under;
  if (value < 90 * 60) return words.minutes(number(locale, Math.ceil(value / 60)));
  return words.hours(number(locale, Math.round(value / 1800) / 2, 1));
}

/** A part of a whole, 0 to 1, in whole per cent; less than all of it never reads as 100. */
export function percent(locale: string, part: number): string {
  const shown = part >= 1 ? 1 : Math.min(0.99, Math.max(0, part));
  return new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 0 }).format(shown);
}

/** A moment for a person: date and time, both short. */
export function moment(locale: string, milliseconds: number): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" }).format(milliseconds);
}

/** A day for a person. */
export function day(locale: string, milliseconds: number): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: "medium" }).format(milliseconds);
}
