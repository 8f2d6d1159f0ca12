import { Test } from '@nestjs/testing';
import { ConfigModule } from '../config/config.module';
import { loadConfig } from '../config/load-config';
import { OpsModule } from '../ops/ops.module';
import { EXECUTOR } from './executor';
import { ExecutorRouter } from './executor-router';
import { ExecutorsModule } from './executors.module';
import { TaskInstanceClients } from './task-instance.clients';
import { TASK_INSTANCE_OPTIONS } from './task-instance.options';

describe('ExecutorsModule', () => {
  it('gives the executor its clients, with the limits of the settings', async () => {
    const env = { FORESAIL_CONNECT_MS: '111', FORESAIL_RESULT_LIMIT_BYTES: '2222' };
    const module = await Test.createTestingModule({
      imports: [
        ConfigModule.forRoot(loadConfig({ env })),
        OpsModule.forTerm({ epoch: 1, end: () => undefined }, []),
        ExecutorsModule,
      ],
    }).compile();
    expect(module.get(EXECUTOR)).toBeInstanceOf(ExecutorRouter);
    expect(module.get(TASK_INSTANCE_OPTIONS)).toEqual({
      connectMs: 111,
      enqueueMs: 10_000,
      resultLimitBytes: 2222,
      addressRule: expect.any(Function),
    });
    const client = module.get(TaskInstanceClients).for('127.0.0.1', 1);
    await module.close();
    await expect(client.status('enqueue')).rejects.toMatchObject({
      reason: 'The client is destroyed',
    });
  });
});
