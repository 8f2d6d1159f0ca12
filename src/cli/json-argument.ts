import { readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import { CommandFailure, EXIT } from './exit';

/**
 * JSON text of an object, from an argument: the text itself, `@file`, or `-` for standard input.
 * The text comes back as it is, so that no number in it is changed on the way to the service.
 *
 * @param option its name, for the messages
 * @throws {CommandFailure} usage, when it cannot be read, is no JSON, or is JSON of something else
 */
export async function jsonObjectText(option: string, argument: string): Promise<string> {
  const { text, from } = await textOf(option, argument);
  const kind = kindOf(option, text, from);
  if (kind === 'an object') return text;
  throw wrong(`${option} must be a JSON object, as in {"prompt": "hello"}; ${from} is ${kind}`);
}

async function textOf(option: string, argument: string): Promise<{ text: string; from: string }> {
  if (argument === '-') return { text: await readAll(process.stdin), from: 'standard input' };
  if (!argument.startsWith('@')) return { text: argument, from: 'the argument' };
  const path = argument.slice(1);
  try {
    return { text: await readFile(path, 'utf8'), from: path };
  } catch (error) {
    throw wrong(`${option}: ${messageOf(error)}`);
  }
}

function kindOf(option: string, text: string, from: string): string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw wrong(`${option}: ${from} is not JSON: ${messageOf(error)}`);
  }
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function wrong(message: string): CommandFailure {
  return new CommandFailure(EXIT.usage, message);
}
