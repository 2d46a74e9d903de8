/** Tokens a second as a person reads them. */

/** Gemma cuts everyday Spanish, Portuguese and English into about four tokens for three words. */
const WORDS_PER_TOKEN = 0.75;

/** Words a second: whole ones, below one to a tenth. */
export function wordsPerSecond(tokensPerSecond: number): number {
  const words = tokensPerSecond * WORDS_PER_TOKEN;
  return words < 0.95 ? Math.max(0.1, Math.round(words * 10) / 10) : Math.round(words);
}

/** Somebody who reads well silently takes in about four words a second. */
const READING = 4;

export function outrunsReading(tokensPerSecond: number): boolean {
  return wordsPerSecond(tokensPerSecond) > READING;
}
