import { applyDecorators, HttpCode } from '@nestjs/common';
import { ApiExtraModels, ApiOkResponse, ApiOperation, getSchemaPath } from '@nestjs/swagger';
import { commonFailures, documentErrors } from '../../http/document-errors';
import { PredictorErrorDto } from './dto/error.dto';
import { errorAnswer } from './predictor.dialect';

/** What the API document says of a call, beside the comment above its handler. */
export interface PredictorRouteOptions {
  readonly operationId: string;
  /** What a success may look like. */
  readonly answers: readonly (new () => object)[];
  /** Answers with 200, by what they are examples of; the first is the good one. */
  readonly examples: Readonly<Record<string, object>>;
  /** False for a call without a body. Default true. */
  readonly hasBody?: boolean;
}

/** A call of the predictor's interface: 200 for success, and where nothing is known. */
export function PredictorRoute(options: PredictorRouteOptions): MethodDecorator {
  const { operationId, answers, examples, hasBody = true } = options;
  const labelled = Object.entries(examples).map(([summary, value]) => [
    summary,
    { summary, value },
  ]);
  const schemas = answers.map((answer) => ({ $ref: getSchemaPath(answer) }));
  const [only = {}] = schemas;
  return applyDecorators(
    HttpCode(200),
    ApiOperation({ operationId, tags: ['Predictor'] }),
    ApiExtraModels(...answers),
    ApiOkResponse({
      description: 'Success.',
      content: {
        'application/json': {
          schema: schemas.length === 1 ? only : { oneOf: schemas },
          examples: Object.fromEntries(labelled) as Record<string, { value: object }>,
        },
      },
    }),
    ...documentErrors({
      answer: errorAnswer,
      codes: commonFailures(hasBody),
      schema: PredictorErrorDto,
    }),
  );
}
