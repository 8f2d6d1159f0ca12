import { tmpdir } from 'node:os';
import { taskId } from '../core/units';
import { loadConfig } from '../config/load-config';
import { JobPlaces } from './job-places';

const ID = taskId('t-1');

function placesWith(env: Record<string, string>): JobPlaces {
  return new JobPlaces(loadConfig({ env }));
}

describe('JobPlaces', () => {
  it('are in the data folder and the temporary folder, unless others are named', () => {
    expect(placesWith({ FORESAIL_DATA_DIR: '/data' }).roots).toEqual(['/data/jobs', tmpdir()]);
    expect(placesWith({ FORESAIL_WORK_ROOTS: '/a:/b' }).roots).toEqual(['/a', '/b']);
  });

  it('give a job a log and a folder of its own', () => {
    const places = placesWith({ FORESAIL_WORK_ROOTS: '/a:/b' });
    expect(places.logPath(ID)).toBe('/a/logs/t-1.log');
    expect(places.workdirOf(ID, '.')).toBe('/a/work/t-1');
    expect(places.workdirOf(ID, 'x/y')).toBe('/a/work/t-1/x/y');
    expect(places.workdirOf(ID, '/b/z')).toBe('/b/z');
  });

  it.each(['.', 'x', './x/../y', '..x', '/a', '/a/', '/a/x', '/b/x/y'])('allow %j', (workdir) => {
    const places = placesWith({ FORESAIL_WORK_ROOTS: '/a:/b' });
    expect(places.objectionTo(workdir)).toBeUndefined();
  });

  it.each(['', '..', '../x', 'x/../..', '/', '/ab', '/a/../c', '/a\0'])('refuse %j', (workdir) => {
    const places = placesWith({ FORESAIL_WORK_ROOTS: '/a:/b' });
    expect(places.objectionTo(workdir)).toMatch(
      /^".*" is not allowed; allowed are ".", what is below it, and what is in \/a, \/b$/,
    );
  });
});
