import {
  getMetadataStorage,
  IS_OPTIONAL,
  ValidationArguments,
  ValidationTypes,
} from 'class-validator';
import { DtoClass, FieldRules, fieldRules } from './dto-fields';

/** Kind of a fault, as in `Fault.type`. */
export type FaultKind = 'missing' | 'type' | 'length' | 'enum' | 'range' | 'value';

/** One rule of one property. */
export interface Check {
  readonly kind: FaultKind;
  /** The rule is about each item of a list. */
  readonly each: boolean;
  passes(value: unknown, object: object): boolean;
  /** What is allowed, with the property called `label`: "port must be an integer number". */
  allowed(label: string): string;
}

/** One known property of a DTO. */
export interface Field {
  readonly name: string;
  readonly required: boolean;
  readonly rules: FieldRules;
  /** A fresh default for an absent field; undefined when the field then stays absent. */
  readonly initial: (() => unknown) | undefined;
  /** Type first, then length, choice, range, the rest: the first failure is the one that is told. */
  readonly checks: readonly Check[];
}

/** A DTO class, read once: what it knows and how each property is checked. */
export interface DtoPlan {
  readonly dto: DtoClass;
  readonly fields: readonly Field[];
}

type Metadata = ReturnType<
  ReturnType<typeof getMetadataStorage>['getTargetValidationMetadatas']
>[number];

const ORDER: readonly FaultKind[] = ['missing', 'type', 'length', 'enum', 'range', 'value'];

/** Names of class-validator's rules by the kind of fault they find; all others are `value`. */
const KINDS: ReadonlyMap<string, FaultKind> = new Map([
  ...kinds('type', 'isString isInt isNumber isBoolean isArray isObject isJsonObject isDefined'),
  ...kinds('length', 'isNotEmpty isLength minLength maxLength'),
  ...kinds('length', 'arrayMinSize arrayMaxSize arrayNotEmpty'),
  ...kinds('range', 'min max isPositive isNegative'),
  ...kinds('enum', 'isIn isEnum equals'),
]);

const PLANS = new Map<unknown, DtoPlan | undefined>();

/**
 * The plan of a class, made at its first use; undefined for a class without decorated properties.
 *
 * @throws {Error} when the class uses a decorator that this validation does not do
 */
export function dtoPlan(dto: DtoClass): DtoPlan | undefined {
  if (PLANS.has(dto)) return PLANS.get(dto);
  const plan = makePlan(dto);
  PLANS.set(dto, plan);
  return plan;
}

/** A list or an object is each DTO's own. */
function defaultOf(sample: unknown): () => unknown {
  return typeof sample === 'object' ? () => structuredClone(sample) : () => sample;
}

function makePlan(dto: DtoClass): DtoPlan | undefined {
  const metadata = getMetadataStorage().getTargetValidationMetadatas(dto, '', false, false);
  const rules = fieldRules(dto);
  const names = new Set([...metadata.map((each) => each.propertyName), ...rules.keys()]);
  if (names.size === 0) return undefined;
  const sample = new dto() as Readonly<Record<string, unknown>>;
  const fields = [...names].map((name) => {
    const ofField = metadata.filter((each) => each.propertyName === name);
    return makeField(name, ofField, rules.get(name) ?? {}, sample[name]);
  });
  return { dto, fields };
}

function makeField(
  name: string,
  metadata: readonly Metadata[],
  rules: FieldRules,
  sample: unknown,
): Field {
  const checks = metadata.flatMap(checksOf);
  return {
    name,
    required: sample === undefined && !metadata.some(isOptional),
    rules,
    initial: sample === undefined ? undefined : defaultOf(sample),
    checks: checks.sort((a, b) => rank(a) - rank(b)),
  };
}

/** The list itself before its items, and then by kind. */
function rank({ each, kind }: Check): number {
  return (each ? ORDER.length : 0) + ORDER.indexOf(kind);
}

function isOptional(metadata: Metadata): boolean {
  return metadata.name === IS_OPTIONAL;
}

function checksOf(metadata: Metadata): Check[] {
  if (isOptional(metadata) || metadata.type === ValidationTypes.WHITELIST) return [];
  const constraints = getMetadataStorage().getTargetValidatorConstraints(metadata.constraintCls);
  if (constraints.length === 0 || constraints.some((each) => each.async)) {
    const where = `${targetName(metadata)}.${metadata.propertyName}`;
    throw new Error(`${where}: ${metadata.type} is not done here, see dto-fields.ts`);
  }
  return constraints.map(({ name, instance }) => ({
    kind: KINDS.get(name) ?? 'value',
    each: metadata.each,
    passes: (value, object) => instance.validate(value, args(metadata, value, object)) === true,
    allowed: (label) => {
      const known = args(metadata, undefined, {});
      const { message } = metadata;
      const text = typeof message === 'function' ? message(known) : message;
      return filled(text || (instance.defaultMessage?.(known) ?? ''), metadata, label);
    },
  }));
}

function args(metadata: Metadata, value: unknown, object: object): ValidationArguments {
  const { propertyName: property, constraints } = metadata;
  return { value, object, property, constraints, targetName: targetName(metadata) };
}

/** Fills the placeholders of a class-validator message. */
function filled(message: string, metadata: Metadata, label: string): string {
  const text = message.replace(/^each value in /, '').replace(/ conforming to the .*$/, '');
  return (text === '' ? `$property is refused by ${metadata.name ?? 'a rule'}` : text)
    .replace(/\$constraint(\d+)/g, (_, index: string) =>
      shown(metadata.constraints[Number(index) - 1]),
    )
    .replace(/\$property/g, () => label);
}

function shown(constraint: unknown): string {
  return Array.isArray(constraint) ? constraint.map(String).join(', ') : String(constraint);
}

function targetName(metadata: Metadata): string {
  return typeof metadata.target === 'string' ? metadata.target : metadata.target.name;
}

function kinds(kind: FaultKind, names: string): [string, FaultKind][] {
  return names.split(' ').map((name) => [name, kind]);
}
