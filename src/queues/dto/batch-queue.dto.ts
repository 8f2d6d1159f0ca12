import { OmitType } from '@nestjs/swagger';
import { QueueDto } from './queue.dto';

/** What waits for hosts. */
export class BatchQueueDto extends OmitType(QueueDto, [
  'model',
  'prefetch',
  'attempt_timeout_ms',
  'instances',
] as const) {}
