/** The open conversation: asking, stopping, answering again, editing, versions. Components read it and call it. */
import { asIpcError, type AskTicket, type Backend, type Badge, type ChatEvent, type Conversation, type IpcError, type Message } from "$lib/backend";
import { i18n } from "$lib/i18n/index.svelte";
import { announcer } from "$lib/shared/announcer.svelte";
import { EventBatch, screenClock, type Clock } from "./batch";
import { reduce, STARTING, type Live } from "./reduce";
import { SentenceReader } from "./sentences";

/** A question that was not admitted: nothing was saved, and it can be put again. */
export interface Refusal {
  error: IpcError;
  /** The question as the student wrote it; `null` when an answer was to be written again. */
  question: string | null;
  again: () => void;
}

/** One request from asking to its end. */
interface Run {
  requestId: string | null;
  /** Stop as soon as there is something to stop. */
  stopping: boolean;
  batch: EventBatch;
}

type Command = (onEvent: (event: ChatEvent) => void) => Promise<AskTicket>;

export interface ChatHooks {
  /** The conversation was created or has changed its title or time. */
  onSummary(summary: Conversation["summary"]): void;
}

export class Chat {
  conversation: Conversation | null = $state.raw(null);
  /** A conversation is being fetched. */
  opening = $state(false);
  /** It could not be fetched. */
  openError: IpcError | null = $state.raw(null);
  live: Live | null = $state.raw(null);
  /** Who was asked for the answer under way, where that is not the tutor on this computer. */
  asked: Badge | null = $state.raw(null);
  /** Message that `live` becomes; unknown until the ticket. */
  answerId: string | null = $state(null);
  refusal: Refusal | null = $state.raw(null);
  /** Why an answer ended early, by message; kept while the conversation is open. */
  failures: Record<string, IpcError> = $state({});
  /** Answers that were asked for elsewhere while this conversation was open. */
  seconds: ReadonlySet<string> = $state.raw(new Set());
  /** What stands in the composer. */
  draft = $state("");
  /** Grows by one whenever the page shall go to its end. */
  jumps = $state(0);

  /** Until the ticket: how many turns stay, and the question put after them. */
  private keep: number | null = $state(null);
  private question: string | null = $state(null);
  private run: Run | null = null;
  private wanted: string | null = null;
  private readonly drafts = new Map<string, string>();

  constructor(
    private readonly backend: Backend,
    private readonly hooks: ChatHooks,
    private readonly clock: Clock = screenClock,
  ) {}

  readonly busy = $derived(this.live !== null);
  readonly turns: readonly Message[] = $derived.by(() => {
    const messages = this.conversation?.messages ?? [];
    const kept = this.keep === null ? [...messages] : messages.slice(0, this.keep);
    const question = this.question ?? this.refusal?.question ?? null;
    if (question !== null) kept.push(localTurn("student", question));
    if (this.live && this.answerId === null) kept.push(localTurn("tutor", ""));
    return kept;
  });

  startNew(): void {
    this.leave();
    this.show(null);
  }

  async open(id: string): Promise<void> {
    if (this.conversation?.summary.id === id && !this.openError) return;
    this.leave();
    this.show(null);
    this.wanted = id;
    this.opening = true;
    try {
      const conversation = await this.backend.conversation(id);
      if (this.wanted !== id) return;
      this.show(conversation);
    } catch (thrown) {
      if (this.wanted === id) this.openError = asIpcError(thrown);
    } finally {
      if (this.wanted === id) this.opening = false;
    }
  }

  /** Sends what stands in the composer; `false` when there is nothing to send or an answer is under way. */
  send(text = this.draft): boolean {
    const question = text.trim();
    if (question === "" || this.busy || this.opening) return false;
    const conversationId = this.conversation?.summary.id ?? null;
    if (text === this.draft) this.draft = "";
    const turns = this.conversation?.messages.length ?? 0;
    void this.start(turns, question, (onEvent) => this.backend.ask({ conversationId, text: question }, onEvent));
    return true;
  }

  regenerate(answerId: string): void {
    const at = this.indexOf(answerId);
    if (this.busy || at < 0) return;
    void this.start(at, null, (onEvent) => this.backend.regenerate(answerId, onEvent));
  }

  /** Another version of an answer by the larger model that an adult chose for this, here `badge`. */
  second(answerId: string, badge: Badge): void {
    const at = this.indexOf(answerId);
    if (this.busy || at < 0) return;
    void this.start(at, null, (onEvent) => this.backend.secondAnswer(answerId, onEvent), badge);
  }

  edit(messageId: string, text: string): void {
    const at = this.indexOf(messageId);
    const question = text.trim();
    if (this.busy || at < 0 || question === "") return;
    void this.start(at, question, (onEvent) => this.backend.edit(messageId, question, onEvent));
  }

  async showVersion(messageId: string): Promise<void> {
    if (this.busy) return;
    const before = this.conversation;
    try {
      const shown = await this.backend.showVersion(messageId);
      if (this.conversation === before) this.conversation = shown;
    } catch (thrown) {
      this.refusal = { error: asIpcError(thrown), question: null, again: () => void this.showVersion(messageId) };
    }
  }

  /** Stops the answer under way; what was written stays. */
  stop(): void {
    if (!this.run) return;
    this.run.stopping = true;
    if (this.run.requestId !== null) this.cancel(this.run.requestId);
  }

  /** Takes a changed title over from the list. */
  renamed(summary: Conversation["summary"]): void {
    if (this.conversation?.summary.id === summary.id) this.conversation = { ...this.conversation, summary };
  }

  /** Gives the running request up: its page is being left. */
  private leave(): void {
    const run = this.run;
    // A question that was refused is nowhere else: it goes back to where it was written.
    this.drafts.set(this.draftKey(), this.draft || (this.refusal?.question ?? ""));
    this.run = null;
    this.live = null;
    if (!run) return;
    run.stopping = true;
    run.batch.drop();
    if (run.requestId !== null) this.cancel(run.requestId);
  }

  private show(conversation: Conversation | null): void {
    this.wanted = null;
    this.opening = false;
    this.openError = null;
    this.conversation = conversation;
    this.answerId = null;
    this.keep = null;
    this.question = null;
    this.refusal = null;
    this.failures = {};
    this.draft = this.drafts.get(this.draftKey()) ?? "";
    this.jumps++;
  }

  private async start(keep: number, question: string | null, command: Command, asked: Badge | null = null): Promise<void> {
    const sentences = new SentenceReader();
    const run: Run = {
      requestId: null,
      stopping: false,
      batch: new EventBatch((events) => {
        if (this.run === run) this.apply(events, sentences);
      }, this.clock),
    };
    this.run = run;
    this.refusal = null;
    this.keep = keep;
    this.question = question;
    this.answerId = null;
    this.live = STARTING;
    this.asked = asked;
    this.jumps++;

    let ticket: AskTicket;
    try {
      ticket = await command((event) => run.batch.push(event));
    } catch (thrown) {
      if (this.run !== run) return;
      this.run = null;
      this.live = null;
      this.keep = null;
      this.question = null;
      this.refusal = { error: asIpcError(thrown), question, again: () => void this.start(keep, question, command, asked) };
      this.jumps++;
      return;
    }
    run.requestId = ticket.requestId;
    if (run.stopping) this.cancel(ticket.requestId);
    this.hooks.onSummary(ticket.conversation.summary);
    if (this.run !== run) return;
    // A new conversation gets its id here; what is being typed for the next question goes with it.
    this.drafts.delete(this.draftKey());
    this.conversation = ticket.conversation;
    this.answerId = ticket.answerId;
    if (asked) this.seconds = new Set([...this.seconds, ticket.answerId]);
    this.keep = null;
    this.question = null;
    this.settle();
  }

  private apply(events: ChatEvent[], sentences: SentenceReader): void {
    const before = this.live;
    if (!before) return;
    const now = this.clock.now();
    const live = events.reduce((state, event) => reduce(state, event, now), before);
    this.live = live;
    this.announce(before, live, sentences);
    this.settle();
  }

  private announce(before: Live, live: Live, sentences: SentenceReader): void {
    const words = i18n.t.chat;
    if (live.phase === "queued" && (before.phase !== "queued" || before.position !== live.position)) {
      announcer.say(words.queued(live.position));
    }
    if (live.waits > before.waits) announcer.say(i18n.t.waiting[live.reason](live.seconds));
    if (live.phase === "reading" && before.phase !== "reading") announcer.say(words.reading);
    for (const sentence of sentences.read(live.text, live.phase === "done")) announcer.say(sentence);
    if (live.phase === "done") announcer.say(live.message ? endWords(live.message) : words.done);
  }

  /** Puts a finished answer in its place, once the ticket says where that is. */
  private settle(): void {
    const { live, answerId, conversation } = this;
    if (live?.phase !== "done" || live.message === null || answerId === null || conversation === null) return;
    const answer = live.message;
    const messages = conversation.messages.map((message) => (message.id === answerId ? answer : message));
    if (live.error) this.failures[answerId] = live.error;
    this.conversation = { summary: { ...conversation.summary, updatedAt: Date.now() }, messages };
    this.hooks.onSummary(this.conversation.summary);
    this.run = null;
    this.live = null;
    this.answerId = null;
  }

  private cancel(requestId: string): void {
    // The answer's own end says how it went.
    this.backend.cancel(requestId).catch(() => undefined);
  }

  private indexOf(id: string): number {
    return this.conversation?.messages.findIndex((message) => message.id === id) ?? -1;
  }

  private draftKey(): string {
    return this.conversation?.summary.id ?? "";
  }
}

/** A turn that the store does not know yet. */
function localTurn(speaker: Message["speaker"], text: string): Message {
  return {
    id: `local-${speaker}`,
    speaker,
    text,
    state: speaker === "tutor" ? "streaming" : "complete",
    badge: null,
    tokensPerSecond: null,
    seconds: null,
    createdAt: Date.now(),
    versionIds: [],
  };
}

function endWords(message: Message): string {
  const words = i18n.t.chat;
  switch (message.state) {
    case "stopped":
      return words.stopped;
    case "cut":
      return words.cutLong;
    case "interrupted":
      return words.interruptedLong;
    default:
      return words.done;
  }
}
