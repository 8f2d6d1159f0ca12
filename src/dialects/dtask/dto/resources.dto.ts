import { IsNumber, Max, Min } from 'class-validator';
import { MOST_OF_A_RESOURCE } from './limits';

/** What a worker has beside room for tasks, or what a task reserves of it. */
export class ResourcesDto {
  /**
   * Cores, 0 or more. Default: 0.
   * @example 4
   */
  @IsNumber()
  @Min(0)
  @Max(MOST_OF_A_RESOURCE)
  cpu = 0;

  /**
   * Memory in GB, 0 or more. Default: 0.
   * @example 16
   */
  @IsNumber()
  @Min(0)
  @Max(MOST_OF_A_RESOURCE)
  memory_gb = 0;

  /**
   * Memory of GPUs in GB, 0 or more. Default: 0.
   * @example 24
   */
  @IsNumber()
  @Min(0)
  @Max(MOST_OF_A_RESOURCE)
  gpu_memory_gb = 0;
}
