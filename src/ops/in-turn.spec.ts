import { InTurn } from './in-turn';

describe('InTurn', () => {
  it('lets nobody begin before the one ahead is through, whatever became of it', async () => {
    const turns = new InTurn();
    const told: string[] = [];
    const begin = (name: string): (() => void) => {
      let finish: () => void = () => undefined;
      const end = new Promise<void>((resolve) => (finish = resolve));
      const work = async (): Promise<string> => {
        told.push(`${name} begins`);
        await end;
        told.push(`${name} ends`);
        if (name === 'first') throw new Error(name);
        return name;
      };
      answers.push(turns.run(work).catch(String));
      return finish;
    };
    const answers: Promise<string>[] = [];
    const [finishFirst, finishSecond] = ['first', 'second'].map(begin);
    finishSecond?.();
    finishFirst?.();
    expect(await Promise.all(answers)).toEqual(['Error: first', 'second']);
    expect(told).toEqual(['first begins', 'first ends', 'second begins', 'second ends']);
  });
});
