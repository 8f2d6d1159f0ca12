import { applyDecorators, HttpCode } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import type { ErrorCode } from '../../core/errors';
import { commonFailures, documentErrors } from '../../http/document-errors';
import type { Plain } from '../../http/dto-fields';
import { errorAnswer } from './apr.errors';
import { success } from './apr.mapper';
import { AprErrorDto, type EnvelopeDto } from './dto/envelope.dto';

/** What the API document says of a call, beside the comment above its handler. */
export interface AprRouteOptions<Answer extends EnvelopeDto & { readonly data: object }> {
  readonly operationId: string;
  readonly answer: new () => Answer;
  /** The data of a success. */
  readonly example: Plain<Answer['data']>;
  /** Default: `success`. */
  readonly message?: string;
  /** Failures beside those that every call may meet. */
  readonly fails?: readonly ErrorCode[];
  /** True for a call with a body. Default false. */
  readonly hasBody?: boolean;
}

/** A call of the batch protocol: every answer is an envelope with the status of its HTTP answer. */
export function AprRoute<Answer extends EnvelopeDto & { readonly data: object }>(
  options: AprRouteOptions<Answer>,
): MethodDecorator {
  const { operationId, answer, example, message, fails = [], hasBody = false } = options;
  return applyDecorators(
    HttpCode(200),
    ApiOperation({ operationId, tags: ['APR'] }),
    ApiOkResponse({ type: answer, description: 'Success.', example: success(example, message) }),
    ...documentErrors({
      answer: errorAnswer,
      codes: [...commonFailures(hasBody), 'store_unavailable', ...fails],
      schema: AprErrorDto,
    }),
  );
}
