import { Fault, SchedulerError } from '../core/errors';
import type { DtoClass } from './dto-fields';
import { Check, DtoPlan, dtoPlan, FaultKind, Field } from './dto-plan';

type Location = readonly (string | number)[];
type Values = Readonly<Record<string, unknown>>;

/** After that many faults the rest is not looked for: nobody reads them. */
const MAX_FAULTS = 20;
const SHOWN_VALUE = 80;
const NUMERIC = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/**
 * Makes a DTO of what was sent: its known properties are checked and copied, everything else is
 * dropped. Payload objects are kept by reference and not walked. Absent optional fields stay
 * absent.
 *
 * @param where what the values are: `body`, `query` or `path`, the head of each fault's `loc`
 * @throws {SchedulerError} `invalid_input` with every fault (at most 20)
 * @throws {Error} when the class has no decorated property, or one that is not supported
 */
export function readDto<T extends object>(
  dto: DtoClass<T>,
  sent: object,
  where: 'body' | 'query' | 'path',
): T {
  const faults: Fault[] = [];
  const result = readObject(planOf(dto), sent, [where], faults);
  const [first] = faults;
  if (first === undefined) return result as T;
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : '';
  throw new SchedulerError('invalid_input', `${first.msg}${more}`, { faults });
}

function planOf(dto: DtoClass): DtoPlan {
  const plan = dtoPlan(dto);
  if (plan === undefined) throw new Error(`${dto.name} has no decorated property`);
  return plan;
}

function readObject(plan: DtoPlan, sent: object, loc: Location, faults: Fault[]): object {
  const result = Object.create(plan.dto.prototype as object) as Record<string, unknown>;
  for (const field of plan.fields) {
    if (faults.length >= MAX_FAULTS) break;
    if (Object.hasOwn(sent, field.name)) {
      const value = (sent as Values)[field.name];
      result[field.name] = readField(field, value, sent, [...loc, field.name], faults);
    } else if (field.initial !== undefined) {
      result[field.name] = field.initial();
    } else if (field.required) {
      faults.push(missing(field, [...loc, field.name]));
    }
  }
  return result;
}

function readField(
  field: Field,
  sent: unknown,
  object: object,
  loc: Location,
  faults: Fault[],
): unknown {
  if (sent === null) {
    if (field.rules.nullable !== true) faults.push(nullFault(field, loc));
    return null;
  }
  const value = field.rules.numericString === true ? fromNumericString(sent) : sent;
  const { nested } = field.rules;
  if (nested !== undefined && !hasShape(value, nested.list)) {
    const shape = nested.list ? 'a list of objects' : 'an object';
    faults.push(fault(`${labelOf(loc)} must be ${shape}`, 'type', value, loc));
    return value;
  }
  const found = firstFault(field.checks, value, object, loc);
  if (found !== undefined) {
    faults.push(found);
    return value;
  }
  if (nested === undefined) return value;
  const dto = nested.item();
  if (nested.closed) faults.push(...unknownMembers(planOf(dto), value as object, loc));
  return readNested(dto, value as object, loc, faults);
}

/** The first of them is enough: whoever sent it reads what is allowed. */
function unknownMembers({ fields }: DtoPlan, sent: object, loc: Location): readonly Fault[] {
  const known = fields.map(({ name }) => name);
  const name = Object.keys(sent).find((each) => !known.includes(each));
  if (name === undefined) return [];
  const allowed = `${labelOf(loc)} must not have ${shown(name)}: allowed are ${known.join(', ')}`;
  return [fault(allowed, 'value', (sent as Values)[name], [...loc, name.slice(0, SHOWN_VALUE)])];
}

function readNested(dto: DtoClass, value: object, loc: Location, faults: Fault[]): unknown {
  const plan = planOf(dto);
  if (!Array.isArray(value)) return readObject(plan, value, loc, faults);
  const items: unknown[] = [];
  for (const [index, item] of (value as unknown[]).entries()) {
    if (faults.length >= MAX_FAULTS) break;
    const at = [...loc, index];
    if (hasShape(item, false)) items.push(readObject(plan, item, at, faults));
    else faults.push(fault(`${labelOf(at)} must be an object`, 'type', item, at));
  }
  return items;
}

function hasShape(value: unknown, list: boolean): value is object {
  return typeof value === 'object' && value !== null && Array.isArray(value) === list;
}

function firstFault(
  checks: readonly Check[],
  value: unknown,
  object: object,
  loc: Location,
): Fault | undefined {
  for (const check of checks) {
    const found = check.each
      ? firstItemFault(check, value, object, loc)
      : plainFault(check, value, object, loc);
    if (found !== undefined) return found;
  }
  return undefined;
}

function firstItemFault(
  check: Check,
  value: unknown,
  object: object,
  loc: Location,
): Fault | undefined {
  if (!Array.isArray(value)) return fault(`${labelOf(loc)} must be a list`, 'type', value, loc);
  const items: readonly unknown[] = value;
  const index = items.findIndex((item) => !check.passes(item, object));
  return index < 0 ? undefined : plainFault(check, items[index], object, [...loc, index]);
}

function plainFault(
  check: Check,
  value: unknown,
  object: object,
  loc: Location,
): Fault | undefined {
  if (check.passes(value, object)) return undefined;
  return fault(check.allowed(labelOf(loc)), check.kind, value, loc);
}

function missing(field: Field, loc: Location): Fault {
  const label = labelOf(loc);
  const allowed = field.checks.find((check) => !check.each)?.allowed(label);
  const msg = allowed === undefined ? `${label} is missing` : `${label} is missing: ${allowed}`;
  return { loc, msg, type: 'missing' satisfies FaultKind };
}

function nullFault(field: Field, loc: Location): Fault {
  const label = labelOf(loc);
  const allowed = field.checks.find((check) => !check.each)?.allowed(label);
  return fault(allowed ?? `${label} must not be null`, 'type', null, loc);
}

function fault(allowed: string, type: FaultKind, value: unknown, loc: Location): Fault {
  return { loc, msg: `${allowed}; got ${shown(value)}`, type };
}

/** `tasks[3].task_input`: the location without its head. */
function labelOf(loc: Location): string {
  return loc
    .slice(1)
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`))
    .join('')
    .replace(/^\./, '');
}

/** A value in few characters; lists and objects are named, not printed. */
function shown(value: unknown): string {
  if (typeof value === 'string') {
    const cut = value.length > SHOWN_VALUE;
    return JSON.stringify(cut ? value.slice(0, SHOWN_VALUE) : value) + (cut ? '…' : '');
  }
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

/** The number that a text means; the text itself where it means none that can be kept. */
function fromNumericString(value: unknown): unknown {
  if (typeof value !== 'string' || !NUMERIC.test(value)) return value;
  const number = Number(value);
  const kept = /^-?\d+$/.test(value) ? Number.isSafeInteger(number) : Number.isFinite(number);
  return kept ? number : value;
}
