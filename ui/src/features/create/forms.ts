/** What a person fills in before a tool begins, and what becomes of it. */
import type { Feature, Level, SheetForm, ToolInput, ToolKind } from "$lib/backend";
import type { IconName } from "$lib/shared/Icon.svelte";

/** The tools with a form; reading a picture has a page of its own. */
export type FormTool = Exclude<ToolKind, "reading">;

export const TOOLS: readonly { tool: FormTool; feature: Feature; icon: IconName }[] = [
  { tool: "quiz", feature: "quiz", icon: "quiz" },
  { tool: "practice", feature: "practice", icon: "practice" },
  { tool: "flashcards", feature: "flashcards", icon: "cards" },
  { tool: "mindMap", feature: "mindMap", icon: "map" },
  { tool: "illustration", feature: "illustration", icon: "drawing" },
  { tool: "sheet", feature: "sheet", icon: "sheet" },
];

export const ICON_OF: Record<ToolKind, IconName> = { quiz: "quiz", practice: "practice", flashcards: "cards", mindMap: "map", illustration: "drawing", sheet: "sheet", reading: "camera" };

export const LEVELS: readonly Level[] = ["easy", "medium", "hard"];
export const SHEET_FORMS: readonly SheetForm[] = ["choice", "open", "mixed"];
export const GRADES: readonly number[] = Array.from({ length: 12 }, (_, at) => at + 1);

/** How many items each tool can be asked for. */
export const COUNTS: Partial<Record<FormTool, readonly number[]>> = { quiz: [3, 5, 10], flashcards: [5, 8, 12], sheet: [3, 5, 7, 10] };

export const TOPIC_MIN = 2;
export const TOPIC_MAX = 200;

export interface Form {
  topic: string;
  count: number;
  level: Level;
  grade: number;
  form: SheetForm;
}

export function emptyForm(tool: FormTool): Form {
  return { topic: "", count: COUNTS[tool]?.[1] ?? 0, level: "medium", grade: 6, form: "mixed" };
}

/** Why a form cannot be sent yet; `null` when it can. */
export function problem(form: Form): "short" | "long" | null {
  const length = [...form.topic.trim()].length;
  if (length < TOPIC_MIN) return "short";
  return length > TOPIC_MAX ? "long" : null;
}

export function inputOf(tool: FormTool, { topic: typed, count, level, grade, form }: Form): ToolInput {
  const topic = typed.trim();
  switch (tool) {
    case "quiz":
      return { tool, topic, count, level };
    case "practice":
      return { tool, topic, level, used: [] };
    case "flashcards":
      return { tool, topic, count };
    case "sheet":
      return { tool, topic, grade, count, form };
    case "mindMap":
    case "illustration":
      return { tool, about: { kind: "topic", topic } };
  }
}

/** What an input is about, as a person typed it; empty where it is about an answer or a picture. */
export function topicOf(input: ToolInput): string {
  if ("topic" in input) return input.topic;
  return "about" in input && input.about.kind === "topic" ? input.about.topic : "";
}

/** The form that leads to `input`, so that it can be changed and sent again; `null` where no form does. */
export function formOf(input: ToolInput): { tool: FormTool; form: Form } | null {
  const topic = topicOf(input);
  if (input.tool === "reading" || topic === "") return null;
  const form = emptyForm(input.tool);
  return { tool: input.tool, form: { ...form, ...("count" in input && { count: input.count }), ...("level" in input && { level: input.level }), ...("grade" in input && { grade: input.grade }), ...("form" in input && { form: input.form }), topic } };
}
