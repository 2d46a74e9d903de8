/** Waiting for a state, never for a time. */

/** As long as any state may take to come, in milliseconds. Generous: machines that test are often busy. */
export const PATIENCE = 60_000;

export const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * Calls `probe` until it gives something other than `undefined`, `null` or `false`, and returns that.
 * `what` completes the sentence "waited in vain for …".
 */
export async function until(what, probe, { patience = PATIENCE, every = 50 } = {}) {
  const end = Date.now() + patience;
  let last;
  while (Date.now() < end) {
    try {
      const value = await probe();
      if (value !== undefined && value !== null && value !== false) return value;
      last = undefined;
    } catch (error) {
      last = error;
    }
    await sleep(every);
  }
  throw new Error(`waited in vain for ${what}`, { cause: last });
}
