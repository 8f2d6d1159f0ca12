import { ArgumentsHost, Catch, ExceptionFilter } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { FailureAnswers } from './failure-answers';
import { pathOf } from './request-context';

/** Hands every failure that Nest or Express meets to whoever answers failures. */
@Catch()
export class DialectExceptionFilter implements ExceptionFilter<unknown> {
  constructor(private readonly failures: FailureAnswers) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<Request>();
    this.failures.answer(
      thrown,
      request,
      http.getResponse<Response>(),
      pathOf(request.originalUrl),
    );
  }
}
