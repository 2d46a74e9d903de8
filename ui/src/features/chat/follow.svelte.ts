/** Keeps a growing page at its end, unless the reader went elsewhere. */

/** This close to the end counts as being there. */
const NEAR = 40;

export class Follower {
  /** The end is in sight. */
  atEnd = $state(true);
  private box: HTMLElement | null = null;
  private following = true;
  private lastTop = 0;

  /** For `{@attach}` on the scrolling element, whose only child holds the content. */
  readonly attach = (box: HTMLElement): (() => void) => {
    this.box = box;
    const onscroll = () => this.scrolled();
    box.addEventListener("scroll", onscroll, { passive: true });
    let observer: ResizeObserver | undefined;
    if (typeof ResizeObserver !== "undefined") {
      observer = new ResizeObserver(() => this.resized());
      observer.observe(box);
      if (box.firstElementChild) observer.observe(box.firstElementChild);
    }
    return () => {
      box.removeEventListener("scroll", onscroll);
      observer?.disconnect();
      this.box = null;
    };
  };

  /** Goes to the end and stays there. */
  toEnd(): void {
    this.following = true;
    if (!this.box) return;
    this.box.scrollTop = this.box.scrollHeight;
    this.lastTop = this.box.scrollTop;
    this.atEnd = true;
  }

  /** Goes to the beginning, for a page that is read from there. */
  toStart(): void {
    this.following = false;
    if (!this.box) return;
    this.box.scrollTop = 0;
    this.lastTop = 0;
    this.atEnd = this.distance() <= NEAR;
  }

  private scrolled(): void {
    if (!this.box) return;
    const top = this.box.scrollTop;
    const distance = this.distance();
    // A move upwards is the reader's; the page itself only ever goes down, or ends at its end when it gets shorter.
    if (distance <= 1) this.following = true;
    else if (top < this.lastTop) this.following = false;
    else if (distance <= NEAR) this.following = true;
    this.lastTop = top;
    this.atEnd = distance <= NEAR;
  }

  private resized(): void {
    if (this.following) this.toEnd();
    else this.atEnd = this.distance() <= NEAR;
  }

  private distance(): number {
    return this.box ? this.box.scrollHeight - this.box.clientHeight - this.box.scrollTop : 0;
  }
}
