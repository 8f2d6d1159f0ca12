import { ArgumentMetadata, Injectable, PipeTransform } from '@nestjs/common';
import type { DtoClass } from './dto-fields';
import { dtoPlan } from './dto-plan';
import { readDto } from './read-dto';

/**
 * The validation of all routes: body, query and path objects whose type is a DTO class (see
 * `dto-fields.ts`) are checked and copied by `readDto`; everything else passes as it is. Nest's
 * ValidationPipe walks payloads, deletes keys there and overflows the stack on deep ones.
 */
@Injectable()
export class DialectPipe implements PipeTransform<unknown, unknown> {
  /** @throws {SchedulerError} `invalid_input` */
  transform(value: unknown, { type, metatype }: ArgumentMetadata): unknown {
    if (type === 'custom' || metatype === undefined || !isDto(metatype)) return value;
    const sent = typeof value === 'object' && value !== null ? value : {};
    return readDto(metatype, sent, type === 'param' ? 'path' : type);
  }
}

const PLAIN: readonly unknown[] = [String, Number, Boolean, Array, Object, Date];

function isDto(metatype: NonNullable<ArgumentMetadata['metatype']>): metatype is DtoClass {
  return !PLAIN.includes(metatype) && dtoPlan(metatype as DtoClass) !== undefined;
}
