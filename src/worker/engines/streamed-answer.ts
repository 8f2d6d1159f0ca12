import type { JsonObject } from '../../http/dto-fields';
import type { Endpoint } from './openai-request';

/** An object under construction; without a prototype, so that any name can be a member. */
type Draft = Record<string, unknown>;

/** Texts that are told once, or again in every piece, and are never continued. */
const WHOLE_TEXTS: ReadonlySet<string> = new Set(['role', 'id', 'type', 'name', 'object']);

/** Puts the pieces of a streamed completion together, to what it would have been in one piece. */
export class StreamedAnswer {
  private readonly top = draft();
  private readonly choices = new Map<number, Draft>();
  private produced = 0;

  constructor(private readonly endpoint: Exclude<Endpoint, 'embeddings'>) {}

  /** Characters that were generated so far: 0 means that nothing is lost with the stream. */
  get size(): number {
    return this.produced;
  }

  /** Every choice has said why it ended. */
  get isFinished(): boolean {
    const choices = [...this.choices.values()];
    return choices.length > 0 && choices.every((choice) => isSet(choice['finish_reason']));
  }

  /** Takes the next piece in. */
  add(chunk: JsonObject): void {
    const { choices, ...rest } = chunk;
    replace(this.top, rest);
    if (!Array.isArray(choices)) return;
    for (const choice of choices.filter(isObject)) this.addChoice(choice);
  }

  /** The answer as far as it has come. */
  whole(): JsonObject {
    const choices = [...this.choices].sort(([a], [b]) => a - b);
    const isChat = this.endpoint === 'chat/completions';
    return {
      ...this.top,
      object: isChat ? 'chat.completion' : 'text_completion',
      choices: choices.map(([index, choice]) => ({ index, ...finished(choice, isChat) })),
    };
  }

  private addChoice({ index: told, delta, text, logprobs, ...rest }: JsonObject): void {
    const index = typeof told === 'number' ? told : 0;
    const choice = this.choices.get(index) ?? draft();
    this.choices.set(index, choice);
    if (isObject(delta)) this.merge(child(choice, 'message'), delta);
    if (typeof text === 'string') this.merge(choice, { text });
    if (isObject(logprobs)) this.merge(child(choice, 'logprobs'), logprobs);
    replace(choice, rest);
  }

  /** Continues texts and lists, and replaces the rest. */
  private merge(into: Draft, piece: JsonObject): void {
    for (const [name, value] of Object.entries(piece)) {
      const present = into[name];
      if (typeof value === 'string' && !WHOLE_TEXTS.has(name)) {
        this.produced += value.length;
        into[name] = typeof present === 'string' ? present + value : value;
      } else if (name === 'tool_calls' && Array.isArray(value)) {
        this.mergeCalls(into, value);
      } else if (Array.isArray(value)) {
        this.produced += value.length;
        if (Array.isArray(present)) present.push(...(value as unknown[]));
        else into[name] = value;
      } else if (isObject(value)) {
        this.merge(child(into, name), value);
      } else if (isSet(value) || present === undefined) {
        into[name] = value;
      }
    }
  }

  /** The pieces of a call to a tool are told apart by an index, which the whole does not have. */
  private mergeCalls(into: Draft, pieces: readonly unknown[]): void {
    const calls = Array.isArray(into['tool_calls']) ? (into['tool_calls'] as Draft[]) : [];
    into['tool_calls'] = calls;
    for (const [place, piece] of pieces.filter(isObject).entries()) {
      const { index: told, ...rest } = piece;
      const index = typeof told === 'number' && told >= 0 && told <= calls.length ? told : place;
      const call = calls[index] ?? draft();
      calls[index] = call;
      this.merge(call, rest);
    }
  }
}

/** What is always there in an answer that came in one piece. */
function finished(choice: Draft, isChat: boolean): JsonObject {
  const common = { finish_reason: null, logprobs: null, ...choice };
  if (!isChat) return { text: '', ...common };
  const message = isObject(choice['message']) ? choice['message'] : {};
  return { ...common, message: { role: 'assistant', content: null, ...message } };
}

/** Members that are null say nothing new: a reason to end comes once. */
function replace(into: Draft, members: JsonObject): void {
  for (const [name, value] of Object.entries(members)) {
    if (isSet(value) || into[name] === undefined) into[name] = value;
  }
}

function child(of: Draft, name: string): Draft {
  const present = of[name];
  if (isDraft(present)) return present;
  const made = draft();
  of[name] = made;
  return made;
}

function draft(): Draft {
  return Object.create(null) as Draft;
}

function isDraft(value: unknown): value is Draft {
  return isObject(value);
}

function isSet(value: unknown): boolean {
  return value !== null && value !== undefined;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
