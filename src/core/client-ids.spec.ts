import { taskOf } from '../../test/support/builders';
import { ClientIds } from './client-ids';

describe('ClientIds', () => {
  it('finds a task by the id that its client chose, within its kind', () => {
    const ids = new ClientIds();
    const model = taskOf({ kind: 'model', clientId: 'c' });
    const batch = taskOf({ kind: 'batch', clientId: 'c' });
    ids.add(model);
    ids.add(batch);
    expect(ids.get('model', 'c')).toBe(model);
    expect(ids.get('batch', 'c')).toBe(batch);
    expect(ids.get('placement', 'c')).toBeUndefined();
    ids.delete(model);
    expect(ids.get('model', 'c')).toBeUndefined();
    expect(ids.get('batch', 'c')).toBe(batch);
  });

  it('keeps nothing of a task without such an id', () => {
    const ids = new ClientIds();
    const nameless = taskOf({ clientId: null });
    ids.add(nameless);
    ids.delete(nameless);
    expect(ids.get('model', 'null')).toBeUndefined();
  });
});
