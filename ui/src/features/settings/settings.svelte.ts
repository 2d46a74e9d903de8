/** What a person chose, applied to the page at once and saved behind it. */
import type { Backend, Settings } from "$lib/backend";
import { languageOf } from "$lib/i18n/format";
import { i18n } from "$lib/i18n/index.svelte";

/** The looks of the last time, so that the first paint is right before the settings have come. */
const LOOKS_KEY = "aula.looks";
/** Set in the first run, when the system's language was suggested: a reload in the middle must not suggest it again. */
const LANGUAGE_KEY = "aula.languageChosen";

type Looks = Pick<Settings, "language" | "theme" | "textSize" | "reduceMotion">;

export class SettingsStore {
  value: Settings | null = $state.raw(null);
  saving: "idle" | "saved" | "failed" = $state("idle");
  private fade: ReturnType<typeof setTimeout> | undefined;
  private saves = 0;

  constructor(private readonly backend: Backend) {}

  async load(): Promise<void> {
    this.take(await this.backend.settings());
  }

  /**
   * Takes the system's language over, once, before the first screen of the first run asks for it: the web view knows it
   * on every system, also where no environment variable names it.
   */
  async suggestLanguage(): Promise<void> {
    if (!this.value || remembered(LANGUAGE_KEY) !== null) return;
    remember(LANGUAGE_KEY, "1");
    const language = languageOf(navigator.languages, this.value.language);
    if (language !== this.value.language) await this.change({ language });
  }

  /** Applies `changes` at once; when they cannot be saved, the page goes back to what is. */
  async change(changes: Partial<Settings>): Promise<void> {
    const before = this.value;
    if (!before) return;
    const wanted = withinLimits({ ...before, ...changes });
    this.take(wanted);
    const turn = ++this.saves;
    try {
      const saved = await this.backend.saveSettings(wanted);
      if (turn === this.saves) this.take(saved);
      this.say("saved");
    } catch {
      if (turn === this.saves) this.take(before);
      this.say("failed");
    }
  }

  take(settings: Settings): void {
    this.value = settings;
    applyLooks(settings);
    const { language, theme, textSize, reduceMotion } = settings;
    remember(LOOKS_KEY, JSON.stringify({ language, theme, textSize, reduceMotion }));
  }

  private say(saving: "saved" | "failed"): void {
    this.saving = saving;
    clearTimeout(this.fade);
    this.fade = setTimeout(() => (this.saving = "idle"), 4000);
  }
}

export const CONTEXT_LENGTHS = [1024, 2048, 4096, 8192, 16384, 32768];
export const REPLY_CAPS = [256, 512, 1024, 2048, 4096, 8192];

/** Minutes without a question until the model leaves the memory; 0 keeps it. */
export const REST_MINUTES = [0, 5, 10, 30, 60];
/** Kilobytes a second; 0 is no limit. */
export const DOWNLOAD_LIMITS = [0, 250, 500, 1000, 2000, 5000];

/** The reply cap stays below the context length. */
function withinLimits(settings: Settings): Settings {
  if (settings.maxReplyTokens < settings.contextLen) return settings;
  const fitting = REPLY_CAPS.filter((cap) => cap < settings.contextLen).at(-1) ?? 16;
  return { ...settings, maxReplyTokens: fitting };
}

/** `steps` with the value in force among them, whatever it is. */
export function choices(steps: number[], value: number): number[] {
  return [...new Set([...steps, value])].sort((a, b) => a - b);
}

export function applyLooks({ language, theme, textSize, reduceMotion }: Looks): void {
  const root = document.documentElement;
  i18n.language = language;
  root.lang = language;
  root.dataset.theme = theme === "system" ? systemTheme() : theme;
  root.dataset.size = textSize;
  root.dataset.motion = reduceMotion ? "none" : "system";
}

function systemTheme(): "light" | "dark" | "contrast" {
  if (matches("(prefers-contrast: more)")) return "contrast";
  return matches("(prefers-color-scheme: dark)") ? "dark" : "light";
}

function matches(query: string): boolean {
  return typeof matchMedia === "function" && matchMedia(query).matches;
}

/** The looks of the last time, or the system's own. */
export function applyRememberedLooks(): void {
  let looks: Looks = { language: languageOf(navigator.languages), theme: "system", textSize: "s", reduceMotion: false };
  try {
    looks = { ...looks, ...(JSON.parse(remembered(LOOKS_KEY) ?? "{}") as Partial<Looks>) };
  } catch {
    // Unreadable: the system's own looks serve.
  }
  applyLooks(looks);
}

/** Follows the system while the theme is "like the system". Returns how to stop. */
export function followSystem(current: () => Looks | null): () => void {
  if (typeof matchMedia !== "function") return () => undefined;
  const queries = ["(prefers-color-scheme: dark)", "(prefers-contrast: more)"].map((query) => matchMedia(query));
  const update = () => {
    const looks = current();
    if (looks?.theme === "system") applyLooks(looks);
  };
  for (const query of queries) query.addEventListener("change", update);
  return () => queries.forEach((query) => query.removeEventListener("change", update));
}

function remembered(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function remember(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // A web view without storage: the settings themselves are kept elsewhere.
  }
}
