import { applyDecorators, HttpCode } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import type { ErrorCode, SchedulerError } from '../core/errors';
import type { ErrorAnswer } from './dialect';
import { commonFailures, documentErrors, SAMPLE_REQUEST_ID } from './document-errors';
import { ProblemDto } from './dto/problem.dto';
import type { Plain } from './dto-fields';
import { nativeDialect } from './problem-details';

/** What the API document says of a native call, beside the comment above its handler. */
export interface NativeRouteOptions<Answer extends object> {
  readonly operationId: string;
  readonly answer: new () => Answer;
  readonly example: Plain<Answer>;
  /** Failures beside those that every call may meet. */
  readonly fails?: readonly ErrorCode[];
  /** Default: false. */
  readonly hasBody?: boolean;
}

const native = nativeDialect([]);

/** A call of our own API: 200 for success, problem details for the rest. */
export function NativeRoute<Answer extends object>(
  options: NativeRouteOptions<Answer>,
): MethodDecorator {
  const { operationId, answer, example, fails = [], hasBody = false } = options;
  return applyDecorators(
    HttpCode(200),
    ApiOperation({ operationId, tags: ['Native'] }),
    ApiOkResponse({ type: answer, description: 'Success.', example }),
    NativeErrors(...commonFailures(hasBody), ...fails),
  );
}

/** Failures of a call of our own API. */
export function NativeErrors(...codes: readonly ErrorCode[]): MethodDecorator {
  const answer = (error: SchedulerError): ErrorAnswer =>
    native.errorAnswer(error, SAMPLE_REQUEST_ID, '');
  return applyDecorators(...documentErrors({ answer, codes, schema: ProblemDto }));
}
