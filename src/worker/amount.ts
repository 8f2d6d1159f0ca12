import type { JsonObject } from '../http/dto-fields';

/** A number that was read, undefined where there is none; or what is wrong with it. */
export type Amount =
  | { readonly ok: true; readonly value: number | undefined }
  | { readonly ok: false; readonly error: string };

/** A number of 0 or more among the metadata of a task; undefined when it is absent or null. */
export function amount(metadata: JsonObject, name: string): Amount {
  const value = metadata[name] ?? undefined;
  if (value === undefined) return { ok: true, value };
  if (typeof value === 'number' && value >= 0) return { ok: true, value };
  const shown = JSON.stringify(value).slice(0, 80);
  return { ok: false, error: `metadata.${name} is ${shown}; a number of 0 or more is needed` };
}
