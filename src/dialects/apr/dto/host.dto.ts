import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  IsInt,
  IsNumber,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
} from 'class-validator';
import { FromNumericString, IsJsonObject, type JsonObject } from '../../../http/dto-fields';
import { EnvelopeDto } from './envelope.dto';
import { LONGEST_NAME, LONGEST_PREFIX, MOST_OF_A_RESOURCE } from './limits';

/** Text that is not blank and has no control characters. */
const PRINTABLE = /^(?!\s*$)\P{Cc}+$/u;
const NAME_RULE = { message: '$property must be a name: not blank, without control characters' };
/** A thousandth of a core, or of a GB: less is nothing. */
const LEAST = 0.001;

/** `POST /scheduler/hosts/register` */
export class RegisterHostDto {
  /**
   * Name of the host, up to 200 characters.
   * @example 'host-a'
   */
  @IsString()
  @MaxLength(LONGEST_NAME)
  @Matches(PRINTABLE, NAME_RULE)
  host_id!: string;

  /**
   * Jobs of one slot that it runs at once, 1 or more. Default: 1.
   * @example 8
   */
  @ApiProperty({ type: 'integer', required: false, default: 1 })
  @FromNumericString()
  @IsInt()
  @Min(1)
  @Max(MOST_OF_A_RESOURCE)
  total_slots = 1;

  /**
   * Cores that jobs may have, above 0. Default: as many as slots.
   * @example 32
   */
  @IsOptional()
  @FromNumericString()
  @IsNumber()
  @Min(LEAST)
  @Max(MOST_OF_A_RESOURCE)
  total_cpu?: number;

  /**
   * Memory in GB that jobs may have, above 0. Default: 2 for each slot.
   * @example 128
   */
  @IsOptional()
  @FromNumericString()
  @IsNumber()
  @Min(LEAST)
  @Max(MOST_OF_A_RESOURCE)
  total_memory_gb?: number;

  /**
   * Program and arguments that lead there, split at spaces without a shell. Default: none, which
   * means the machine of the scheduler.
   * @example 'ssh -o BatchMode=yes cad@10.0.0.11'
   */
  @ApiProperty({ type: 'string', required: false, default: '' })
  @IsString()
  @MaxLength(LONGEST_PREFIX)
  executor_prefix = '';

  /**
   * Labels by name: jobs may ask for some. Default: none.
   * @example { "tool": "innovus", "node": "A" }
   */
  @ApiPropertyOptional({ type: 'object', additionalProperties: { type: 'string' } })
  @IsJsonObject()
  labels: JsonObject = {};
}

/** The path of calls about one host. */
export class HostPathDto {
  /**
   * Name of the host.
   * @example 'host-a'
   */
  @IsString()
  host_id!: string;
}

/** A host, and what of it is used. */
export class HostDto {
  /**
   * Name of the host.
   * @example 'host-a'
   */
  host_id!: string;

  /**
   * Jobs of one slot that it runs at once.
   * @example 8
   */
  total_slots!: number;

  /**
   * Cores that jobs may have.
   * @example 32
   */
  total_cpu!: number;

  /**
   * Memory in GB that jobs may have.
   * @example 128
   */
  total_memory_gb!: number;

  /**
   * Labels by name.
   * @example { "tool": "innovus", "node": "A" }
   */
  @ApiProperty({ type: 'object', additionalProperties: { type: 'string' } })
  labels!: Readonly<Record<string, string>>;

  /**
   * Program and arguments that lead there; empty: the machine of the scheduler.
   * @example 'ssh -o BatchMode=yes cad@10.0.0.11'
   */
  executor_prefix!: string;

  /**
   * Slots that its jobs have.
   * @example 1
   */
  used_slots!: number;

  /**
   * Cores that its jobs have.
   * @example 4
   */
  used_cpu!: number;

  /**
   * Memory in GB that its jobs have.
   * @example 8
   */
  used_memory_gb!: number;

  /**
   * `OFFLINE` after 20 s without contact, unless that is set otherwise: it gets no new job then.
   * @example 'ONLINE'
   */
  status!: 'ONLINE' | 'OFFLINE';

  /**
   * When it was last heard of, ISO 8601 in UTC: a registration, a heartbeat, an answer.
   * @example '2026-11-21T10:00:00.000Z'
   */
  last_heartbeat_at!: string;

  /**
   * Ids of the jobs that are there.
   * @example ["0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10"]
   */
  running_jobs!: string[];
}

/** One host. */
export class HostAnswerDto extends EnvelopeDto {
  /** The host as it is now. */
  data!: HostDto;
}

/** The hosts that are registered. */
export class HostListDto {
  /** Every host, by name. */
  hosts!: HostDto[];
}

/** All hosts. */
export class HostsAnswerDto extends EnvelopeDto {
  /** The hosts as they are now. */
  data!: HostListDto;
}
