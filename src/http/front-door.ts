import { RequestMethod, SetMetadata, type Type } from '@nestjs/common';
import { MetadataScanner, ModulesContainer } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { DtoClass } from './dto-fields';
import { dtoPlan } from './dto-plan';
import { goneIn, type SignalOfGone } from './gone';

/** A call that is answered in front of Express, by the handler that answers it behind it too. */
export interface HotRoute {
  readonly method: string;
  readonly path: string;
  /** Of a good answer. */
  readonly status: number;
  /** What its body is. */
  readonly dto: DtoClass;
  /** It has a `@Gone()` behind its body. */
  readonly takesGone: boolean;
  readonly handle: (body: object, gone?: SignalOfGone) => unknown;
}

const MARK = 'foresail:front-door';

/**
 * Marks a handler whose call is hot, so that it is answered in front of Express
 * (`front-door-listener.ts`). It takes a `@Body()` of a DTO class and at most a `@Gone()` behind it,
 * has one path without parameters, an `@HttpCode()`, and nothing of Nest around it. The application
 * does not start with one that is different.
 */
export const FrontDoor = (): MethodDecorator => SetMetadata(MARK, true);

/** Where Nest notes what its decorators say; it exports these names to nobody. */
const PATH = 'path';
const METHOD = 'method';
const STATUS = '__httpCode__';
const ARGUMENTS = '__routeArguments__';
const TYPES = 'design:paramtypes';
const LAYERS = ['__guards__', '__interceptors__', '__pipes__', '__exceptionFilters__'];
const HEADERS = '__headers__';
/** The name of an argument that is the body, in the first place. */
const BODY_FIRST = '3:0';

/** What Nest notes of an argument. */
interface Argument {
  readonly index: number;
  readonly data?: unknown;
  readonly pipes: readonly unknown[];
  readonly factory?: unknown;
}

/** A marked handler, as it is found. */
interface Marked {
  readonly controller: Type;
  readonly name: string;
  readonly handler: HotRoute['handle'];
}

/**
 * The marked handlers of an application.
 * @throws {Error} when one of them is not as `FrontDoor` says
 */
export function hotRoutesOf(app: NestExpressApplication): readonly HotRoute[] {
  const scanner = new MetadataScanner();
  const modules = [...app.get(ModulesContainer).values()];
  const wrappers = modules.flatMap(({ controllers }) => [...controllers.values()]);
  return wrappers.flatMap((wrapper) => {
    const controller = wrapper.metatype as Type;
    const methods = controller.prototype as Readonly<Record<string, HotRoute['handle']>>;
    return scanner.getAllMethodNames(methods).flatMap((name) => {
      const handler = methods[name];
      if (handler === undefined || note(MARK, handler) !== true) return [];
      if (!wrapper.isDependencyTreeStatic()) return refuse({ controller, name }, 'one per request');
      const { handle, ...route } = hotRouteOf({ controller, name, handler });
      return [{ ...route, handle: handle.bind(wrapper.instance) }];
    });
  });
}

function hotRouteOf(marked: Marked): HotRoute {
  const { controller, handler } = marked;
  const path = pathOf(marked) ?? refuse(marked, 'it needs one path without parameters');
  const layer = LAYERS.find((name) => note(name, handler) ?? note(name, controller));
  if (layer ?? note(HEADERS, handler)) refuse(marked, 'Nest has to do something around it');
  const status = note(STATUS, handler);
  if (typeof status !== 'number') return refuse(marked, 'it needs an @HttpCode()');
  const method = RequestMethod[note(METHOD, handler) as RequestMethod];
  return { method, path, status, ...parametersOf(marked), handle: handler };
}

/** Below that of its controller. */
function pathOf({ controller, handler }: Marked): string | undefined {
  const parts = [note(PATH, controller), note(PATH, handler)];
  if (!parts.every((part) => typeof part === 'string')) return undefined;
  const names = parts.flatMap((part) => part.split('/')).filter((name) => name !== '');
  return names.some((name) => /[:*{]/.test(name)) ? undefined : `/${names.join('/')}`;
}

function parametersOf(marked: Marked): Pick<HotRoute, 'dto' | 'takesGone'> {
  const { controller, name } = marked;
  const types = note(TYPES, controller.prototype as object, name) as readonly DtoClass[];
  const all = note(ARGUMENTS, controller, name) as Readonly<Record<string, Argument>> | undefined;
  const { [BODY_FIRST]: body, ...others } = all ?? {};
  const [gone, ...more] = Object.values(others);
  const [dto] = types;
  const isBody = body?.data === undefined && body?.pipes.length === 0;
  const isGone = gone === undefined || (gone.index === 1 && gone.factory === goneIn);
  const isAll = more.length === 0 && types.length === (gone === undefined ? 1 : 2);
  if (dto !== undefined && isBody && isGone && isAll && dtoPlan(dto) !== undefined) {
    return { dto, takesGone: gone !== undefined };
  }
  return refuse(marked, 'it must take a @Body() of a DTO class, and at most @Gone() behind it');
}

function note(key: string, target: object, name?: string): unknown {
  const found: unknown =
    name === undefined ? Reflect.getMetadata(key, target) : Reflect.getMetadata(key, target, name);
  return found;
}

function refuse({ controller, name }: Pick<Marked, 'controller' | 'name'>, why: string): never {
  throw new Error(`${controller.name}.${name} cannot be reached by the front door: ${why}`);
}
