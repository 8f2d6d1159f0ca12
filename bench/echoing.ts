import { submitting } from './herd';
import type { Subject } from './rounds';
import type { Costed, Surroundings } from './surroundings';

/** The same body, sent back by an echo server of this bench. */
export async function echoing(
  surroundings: Surroundings,
  part: 'echo' | 'nest-echo',
  seconds: number,
): Promise<Subject<Costed>> {
  const { child, ports } = await surroundings.start(part);
  const status = part === 'echo' ? 200 : 201;
  const load = { ...submitting('echo'), seconds, status };
  const round = (): Promise<Costed> =>
    surroundings.drive(child.pid, `http://127.0.0.1:${ports[0]}`, load);
  await round();
  return { round };
}
