import type { SchedulerError } from '../core/errors';

/** One call of a dialect. Paths are Express-style (`/results/:task_id`, `/docs/*rest`). */
export interface DialectRoute {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  readonly path: string;
  /**
   * Who may call it: anyone (`open`: liveness), whoever is on this machine or in a trusted network
   * (`document`: what describes the API, and changes nothing), a client or worker of the dialect
   * (`dialect`: also without a key from a trusted network), or only the holder of a key (`key`,
   * once keys exist or the caller is not local).
   */
  readonly access: 'open' | 'document' | 'dialect' | 'key';
}

/** What goes over the wire when a request fails. */
export interface ErrorAnswer {
  readonly status: number;
  readonly body: unknown;
  /** Default `application/json; charset=utf-8`. */
  readonly contentType?: string;
}

/**
 * One protocol that is spoken here. The filter, the fallback for wrong methods and the admission
 * ask the dialect that owns a path for its words; the last dialect of the list owns the rest.
 */
export interface Dialect {
  readonly name: string;
  /** Every call there is: what is not listed is answered 404 and reaches no controller. */
  readonly routes: readonly DialectRoute[];
  /**
   * True: a body must say `application/json`. Default false, as in the originals: a missing or form
   * content type is read as JSON too, unless the request comes from a page (it has an `Origin`).
   */
  readonly strictContentType?: boolean;
  /** True when an error on this path is answered in this dialect's shape. */
  owns(path: string): boolean;
  /** @param path as it was asked for, where the shape of a failure depends on the call */
  errorAnswer(error: SchedulerError, requestId: string, path: string): ErrorAnswer;
}
