import type { Express } from 'express';
import { IncomingMessage, ServerResponse } from 'node:http';

/**
 * The classes of a server's requests and responses. Express gives each of them another prototype as
 * it comes in. In V8 such an object is slow from then on, and outlives the collections of young
 * objects: a full heap of dead requests, and more than half of the time that Express takes. With these
 * classes requests and responses have the prototypes of the application from the start, and what
 * Express does to them changes nothing.
 */
export class ExpressMessages {
  readonly IncomingMessage: typeof IncomingMessage = class extends IncomingMessage {};
  readonly ServerResponse: typeof ServerResponse = class<
    Request extends IncomingMessage = IncomingMessage,
  > extends ServerResponse<Request> {};

  /**
   * From here on they are those of this application. It is held weakly: an earlier one stays for as
   * long as it has a request to answer, and no longer.
   */
  adopt(app: Express): void {
    const held = new WeakRef(app);
    app.request = inherited(this.IncomingMessage.prototype, app.request, held);
    app.response = inherited(this.ServerResponse.prototype, app.response, held);
  }
}

/** `own` as Express makes a prototype for an application: its own, with `app` on top. */
function inherited<T extends object>(own: object, its: T, app: WeakRef<Express>): T {
  Object.setPrototypeOf(own, Object.getPrototypeOf(its) as object);
  return Object.defineProperty(own, 'app', { configurable: true, get: () => app.deref() }) as T;
}
