/**
 * What other programs may import, as `foresail/clients` (docs/clients.md): clients of the interfaces
 * that the scheduler speaks to. They load undici and nothing else: a test looks.
 */
export { dispatchId, taskId, type DispatchId, type TaskId } from './core/units';
export type { WorkerProtocol } from './core/instance';
export type { StartRequest } from './executors/executor';
export {
  TaskInstanceClient,
  type ModelStart,
  type WorkerIdentity,
  type WorkerPrediction,
  type WorkerResult,
  type WorkerStatus,
} from './executors/task-instance.client';
export type { ReplicasStarted, ReplicasStopped } from './executors/worker-replicas';
export { CallError, type CallErrorCode, type CallFailure } from './outgoing/call-error';
export { TaskInstanceError } from './executors/task-instance.error';
export {
  TASK_INSTANCE_DEFAULTS,
  type TaskInstanceOptions,
} from './executors/task-instance.options';
export {
  PredictorClient,
  type ModelPrediction,
  type PredictorCall,
  type PredictorHealth,
  type PredictorModel,
  type PredictorOptions,
} from './predictions/predictor.client';
export { PredictorError } from './predictions/predictor.error';
