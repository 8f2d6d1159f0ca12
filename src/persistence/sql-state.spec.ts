import { DatabaseError } from 'pg';
import { isConnectionLoss, isPassing, isRefusal, sqlStateOf } from './sql-state';

function databaseError(code: string): DatabaseError {
  return Object.assign(new DatabaseError('message', 7, 'error'), { code });
}

describe('what an error of the driver means', () => {
  it.each([
    ['22P02', 'refused'], // text that is no JSON
    ['22021', 'refused'], // NUL
    ['23505', 'refused'], // twice
    ['23514', 'refused'], // a check
    ['54000', 'refused'], // too long for its index
    ['40001', 'passing'],
    ['40P01', 'passing'],
    ['53100', 'passing'],
    ['55P03', 'passing'],
    ['57014', 'passing'],
    ['57P01', 'gone'], // terminated
    ['57P03', 'gone'], // starting up
    ['08006', 'gone'],
    ['25P03', 'gone'], // idle in a transaction for too long
    ['42P01', 'other'], // no such table
    ['0A000', 'other'],
  ])('%s is %s', (code, meaning) => {
    const error = databaseError(code);
    expect(sqlStateOf(error)).toBe(code);
    expect([isRefusal(error), isPassing(error), isConnectionLoss(error)]).toEqual(
      ['refused', 'passing', 'gone'].map((kind) => kind === meaning),
    );
  });

  it('takes what the server did not say for a lost connection', () => {
    const error = new Error('Connection terminated unexpectedly');
    expect(sqlStateOf(error)).toBeUndefined();
    expect([isRefusal(error), isPassing(error), isConnectionLoss(error)]).toEqual([
      false,
      false,
      true,
    ]);
  });
});
