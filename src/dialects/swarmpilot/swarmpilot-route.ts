import { applyDecorators, HttpCode } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import type { ErrorCode } from '../../core/errors';
import { commonFailures, documentErrors, SAMPLE_REQUEST_ID } from '../../http/document-errors';
import type { Plain } from '../../http/dto-fields';
import { SwarmpilotErrorDto } from './dto/error.dto';
import { errorAnswer } from './swarmpilot.errors';

/** What the API document says of a call, beside the comment above its handler. */
export interface SwarmpilotRouteOptions<Answer extends object> {
  readonly operationId: string;
  readonly answer: new () => Answer;
  /** Answers with 200, by what they are examples of; the first is the good one. */
  readonly examples: Readonly<Record<string, Plain<Answer>>>;
  /** Failures beside those that every call may meet. */
  readonly fails?: readonly ErrorCode[];
  /** False for a call without a body. Default true. */
  readonly hasBody?: boolean;
}

/** A call of the SwarmPilot protocol: 200 for success, its own shapes for the rest. */
export function SwarmpilotRoute<Answer extends object>(
  options: SwarmpilotRouteOptions<Answer>,
): MethodDecorator {
  const { operationId, answer, examples, fails = [], hasBody = true } = options;
  const codes: readonly ErrorCode[] = [...commonFailures(hasBody), 'store_unavailable', ...fails];
  return applyDecorators(
    HttpCode(200),
    ApiOperation({ operationId, tags: ['SwarmPilot'] }),
    ApiOkResponse({ type: answer, description: 'Success.', examples: labelled(examples) }),
    ...documentErrors({
      answer: (error) => errorAnswer(error, SAMPLE_REQUEST_ID, ''),
      codes,
      schema: SwarmpilotErrorDto,
    }),
  );
}

function labelled(
  examples: Readonly<Record<string, object>>,
): Record<string, { summary: string; value: object }> {
  return Object.fromEntries(
    Object.entries(examples).map(([summary, value]) => [summary, { summary, value }]),
  );
}
