/** Sentences for screen readers, read politely one after the other. */
class Announcer {
  lines: { id: number; text: string }[] = $state([]);
  private next = 0;

  say(text: string): void {
    if (text === "") return;
    // A few stay in place: a reader that is slower than the tutor still finds them.
    this.lines = [...this.lines.slice(-4), { id: this.next++, text }];
  }
}

export const announcer = new Announcer();
