import { ApiProperty } from '@nestjs/swagger';
import {
  IsInt,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  MinLength,
} from 'class-validator';
import { HOST, HOST_ALLOWED, LONGEST_HOST } from '../../../config/host-name';
import { LONGEST_QUEUE_NAME } from '../../../core/units';
import { Nullable } from '../../../http/dto-fields';
import { LONGEST_WORKER_ID } from './limits';

const MOST_PORT = 65_535;

/** `POST /ti/register` */
export class RegisterDto {
  /**
   * Host name or IP address at which the scheduler reaches the instance.
   * @example '127.0.0.1'
   */
  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_HOST)
  @Matches(HOST, { message: `$property must be ${HOST_ALLOWED}` })
  host!: string;

  /**
   * Port at which it listens, 1 to 65535.
   * @example 8100
   */
  @ApiProperty({ type: 'integer' })
  @IsInt()
  @Min(1)
  @Max(MOST_PORT)
  port!: number;

  /**
   * Model that it serves, 1 to 256 characters. Default: the one that its own `/status` names.
   * @example 'llama-3-8b'
   */
  @IsOptional()
  @Nullable()
  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_QUEUE_NAME)
  model_name?: string | null;
}

/** What became of a registration. */
export class RegisterAnswerDto {
  /**
   * `error` when the instance cannot be reached, or serves another model.
   * @example 'success'
   */
  status!: 'success' | 'error';

  /**
   * What happened, for people.
   * @example 'registered 127.0.0.1:8100 for llama-3-8b'
   */
  message!: string;

  /**
   * The scheduler's id of the instance, the same at every registration of its address; empty when
   * it was not registered.
   * @example '0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10'
   */
  ti_uuid!: string;
}

/** `POST /ti/remove`: either `ti_uuid`, or `host` and `port`. */
export class RemoveDto {
  /**
   * Host under which the instance was registered.
   * @example '127.0.0.1'
   */
  @IsOptional()
  @Nullable()
  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_HOST)
  @Matches(HOST, { message: `$property must be ${HOST_ALLOWED}` })
  host?: string | null;

  /**
   * Port under which it was registered, 1 to 65535.
   * @example 8100
   */
  @ApiProperty({ type: 'integer', required: false })
  @IsOptional()
  @Nullable()
  @IsInt()
  @Min(1)
  @Max(MOST_PORT)
  port?: number | null;

  /**
   * The scheduler's id of the instance; goes before `host` and `port`.
   * @example '0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10'
   */
  @IsOptional()
  @Nullable()
  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_WORKER_ID)
  ti_uuid?: string | null;
}

/** What became of a removal. */
export class RemoveAnswerDto {
  /**
   * `error` when no such instance is registered.
   * @example 'success'
   */
  status!: 'success' | 'error';

  /**
   * What happened, for people.
   * @example 'removed 127.0.0.1:8100'
   */
  message!: string;

  /**
   * Host of the instance; null when it is unknown and none was given.
   * @example '127.0.0.1'
   */
  host!: string | null;

  /**
   * Port of the instance; null when it is unknown and none was given.
   * @example 8100
   */
  @ApiProperty({ type: 'integer' })
  port!: number | null;

  /**
   * The scheduler's id of the instance; null when no such instance is registered.
   * @example '0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10'
   */
  ti_uuid!: string | null;
}
