import {
  ApiExtraModels,
  ApiResponse,
  getSchemaPath,
  type ApiResponseOptions,
} from '@nestjs/swagger';
import type { ErrorCode, SchedulerError } from '../core/errors';
import type { ErrorAnswer } from './dialect';
import { retryAfterSeconds } from './retry-after';
import { sampleError } from './sample-errors';

/** The failures of one call, for its entry in the API document. */
export interface DocumentedErrors {
  /** How the call's dialect answers to them. */
  readonly answer: (error: SchedulerError) => ErrorAnswer;
  readonly codes: readonly ErrorCode[];
  /** What each error body looks like. */
  readonly schema: new () => object;
}

interface Sample {
  readonly error: SchedulerError;
  readonly answer: ErrorAnswer;
}

type Headers = NonNullable<ApiResponseOptions['headers']>;

/** Failures that every call may meet. */
const ANY_CALL: readonly ErrorCode[] = [
  'invalid_input',
  'unauthenticated',
  'forbidden',
  'not_leading',
  'internal',
];
/** Failures of reading a body. */
const WITH_BODY: readonly ErrorCode[] = ['malformed_body', 'body_too_large', 'unsupported_content'];

/** Failures that a call may meet whatever it does. */
export function commonFailures(hasBody: boolean): readonly ErrorCode[] {
  return hasBody ? [...ANY_CALL, ...WITH_BODY] : ANY_CALL;
}

/** A request id as answers show it. */
export const SAMPLE_REQUEST_ID = '0c3e8a52-8f1b-4d1c-9d54-4a5be2f3a6f1';

const RETRY_AFTER: Headers = {
  'Retry-After': {
    description: 'Seconds after which a repeat makes sense.',
    schema: { type: 'integer', minimum: 1, example: 1 },
  },
};

/**
 * Describes failures by what the dialect itself answers to them, one example per code: the document
 * cannot say anything else than the filter does. Codes that the dialect answers with 200 are left
 * out; they belong to the examples of success.
 */
export function documentErrors({ answer, codes, schema }: DocumentedErrors): MethodDecorator[] {
  const samples = codes.map((code): Sample => {
    const error = sampleError(code);
    return { error, answer: answer(error) };
  });
  const statuses = new Set(samples.map((sample) => sample.answer.status));
  statuses.delete(200);
  const responses = [...statuses].map((status) =>
    ApiResponse(
      responseOf(
        status,
        samples.filter((sample) => sample.answer.status === status),
        schema,
      ),
    ),
  );
  return [ApiExtraModels(schema), ...responses];
}

function responseOf(
  status: number,
  samples: readonly Sample[],
  schema: new () => object,
): ApiResponseOptions {
  const examples = samples.map(({ error: { code }, answer: { body } }) => [
    code,
    { summary: code, value: body },
  ]);
  const contentType = samples[0]?.answer.contentType ?? 'application/json';
  const passes = samples.some(({ error }) => retryAfterSeconds(error) !== undefined);
  return {
    status,
    description: samples.map(({ error }) => error.code).join(', '),
    ...(passes ? { headers: RETRY_AFTER } : {}),
    content: {
      [contentType]: {
        schema: { $ref: getSchemaPath(schema) },
        examples: Object.fromEntries(examples) as Record<string, { value: unknown }>,
      },
    },
  };
}
