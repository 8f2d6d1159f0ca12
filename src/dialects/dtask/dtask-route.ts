import { applyDecorators, HttpCode } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import type { ErrorCode } from '../../core/errors';
import { commonFailures, documentErrors, SAMPLE_REQUEST_ID } from '../../http/document-errors';
import type { Plain } from '../../http/dto-fields';
import { errorAnswer } from './dtask.errors';
import { DtaskErrorDto } from './dto/error.dto';

/** What the API document says of a call, beside the comment above its handler. */
export interface DtaskRouteOptions<Answer extends object> {
  readonly operationId: string;
  /** What a success is, or is a list of. */
  readonly answer: new () => Answer;
  readonly example: Plain<Answer>;
  /** True: a success is a list. Default false. */
  readonly isList?: boolean;
  /** Failures beside those that every call may meet. */
  readonly fails?: readonly ErrorCode[];
  /** True for a call with a body. Default false. */
  readonly hasBody?: boolean;
}

/** A call of the placement protocol: 200 for success, `{"error"}` for the rest. */
export function DtaskRoute<Answer extends object>(
  options: DtaskRouteOptions<Answer>,
): MethodDecorator {
  const { operationId, answer, example, isList = false, fails = [], hasBody = false } = options;
  return applyDecorators(
    HttpCode(200),
    ApiOperation({ operationId, tags: ['dtask'] }),
    ApiOkResponse({
      type: answer,
      isArray: isList,
      description: 'Success.',
      example: isList ? [example] : example,
    }),
    ...documentErrors({
      answer: (error) => errorAnswer(error, SAMPLE_REQUEST_ID, ''),
      codes: [...commonFailures(hasBody), 'store_unavailable', ...fails],
      schema: DtaskErrorDto,
    }),
  );
}
