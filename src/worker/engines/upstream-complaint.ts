const LONGEST = 1000;
/** Members that hold the message, in the words of OpenAI, Ollama and FastAPI. */
const MEMBERS = ['error', 'message', 'detail'] as const;

/** The message of an error answer in whatever shape it comes; else the beginning of its text. */
export function complaintIn(text: string): string {
  return (messageIn(parsed(text)) ?? text.trim()).slice(0, LONGEST) || 'no message';
}

function messageIn(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return undefined;
  const members = new Map<string, unknown>(Object.entries(value));
  const found = MEMBERS.map((name) => messageIn(members.get(name)));
  return found.find((message) => message !== undefined);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
