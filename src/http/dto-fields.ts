import { ValidateBy, ValidationOptions } from 'class-validator';

/*
 * What a DTO may be decorated with. From class-validator: the plain checks (`IsString`, `IsInt`,
 * `IsNumber`, `IsBoolean`, `IsIn`, `IsEnum`, `Min`, `Max`, `MinLength`, `MaxLength`, `Matches`,
 * `IsUUID`, `IsNotEmpty`, `IsArray`, `ArrayMinSize`, `ArrayMaxSize`, …, also with `each: true`) and
 * `IsOptional`, which here means "may be absent": null is a fault unless `Nullable` allows it.
 * From this file: `Nullable`, `FromNumericString`, `IsJsonObject`, `Nested`, `NestedClosed`, `NestedList`.
 * A property initializer is the default of an absent field. Not to be used: `ValidateNested`,
 * `ValidateIf`, `Type` and validators that return promises; the first use of such a DTO throws.
 */

/** Any class of ours. */
export type DtoClass<T extends object = object> = new () => T;

/** An object as it was sent: kept by reference, as `payloadText` needs it, and never walked. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** What a DTO class describes, as plain data: answers are written as literals, not made by `new`. */
export type Plain<T> = T extends object ? { readonly [K in keyof T]: Plain<T[K]> } : T;

/** What our own decorators say about one property. */
export interface FieldRules {
  nullable?: boolean;
  numericString?: boolean;
  nested?: {
    readonly item: () => DtoClass;
    readonly list: boolean;
    /** What the DTO does not know is a fault; otherwise it is dropped. */
    readonly closed: boolean;
  };
}

const RULES = new Map<unknown, Map<string, FieldRules>>();

/** The field takes null, and keeps it. */
export function Nullable(): PropertyDecorator {
  return decorate({ nullable: true });
}

/** A text that is a JSON number (`"8"`, `"-0.5"`) is read as that number. For query values. */
export function FromNumericString(): PropertyDecorator {
  return decorate({ numericString: true });
}

/** The field is one object of the given DTO. */
export function Nested(item: () => DtoClass): PropertyDecorator {
  return decorate({ nested: { item, list: false, closed: false } });
}

/**
 * The field is one object of the given DTO, and has no other members: for what is not done when its name
 * is not known, so that a wrong name must not pass in silence.
 */
export function NestedClosed(item: () => DtoClass): PropertyDecorator {
  return decorate({ nested: { item, list: false, closed: true } });
}

/** The field is a list of objects of the given DTO; `ArrayMaxSize` and the like may stand beside it. */
export function NestedList(item: () => DtoClass): PropertyDecorator {
  return decorate({ nested: { item, list: true, closed: false } });
}

/** The field is a JSON object of any content: a payload, which the validation does not look into. */
export function IsJsonObject(options?: ValidationOptions): PropertyDecorator {
  return ValidateBy(
    {
      name: 'isJsonObject',
      validator: {
        validate: (value: unknown) =>
          typeof value === 'object' && value !== null && !Array.isArray(value),
        defaultMessage: () => '$property must be an object',
      },
    },
    options,
  );
}

/** The rules of our decorators for a class and those it extends, by property. */
export function fieldRules(dto: DtoClass): ReadonlyMap<string, FieldRules> {
  const rules = new Map<string, FieldRules>();
  for (let target: unknown = dto; typeof target === 'function'; target = parent(target)) {
    for (const [property, own] of RULES.get(target) ?? []) {
      rules.set(property, { ...own, ...rules.get(property) });
    }
  }
  return rules;
}

function decorate(rule: FieldRules): PropertyDecorator {
  return (prototype, property) => {
    const target = prototype.constructor;
    const ofClass = RULES.get(target) ?? new Map<string, FieldRules>();
    RULES.set(target, ofClass);
    const name = String(property);
    ofClass.set(name, { ...ofClass.get(name), ...rule });
  };
}

function parent(target: unknown): unknown {
  return Object.getPrototypeOf(target) as unknown;
}
