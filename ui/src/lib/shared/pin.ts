/** The form of a PIN. */

/** Digits only, at most eight: what a field of a PIN keeps of what was typed. */
export function digitsOnly(typed: string): string {
  return typed.replace(/\D/g, "").slice(0, 8);
}

export function isPin(text: string): boolean {
  return /^\d{4,8}$/.test(text);
}
