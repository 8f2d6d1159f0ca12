import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';
import { ALERT_KINDS } from '../../config/alert-settings';
import { PageQueryDto } from '../../http/dto/page.dto';

/** What alerts may be of. */
export const LISTED_KINDS = [...ALERT_KINDS, 'test'] as const;
/** One of `LISTED_KINDS`. */
export type ListedKind = (typeof LISTED_KINDS)[number];

/** `GET /v1/alerts` */
export class AlertsQueryDto extends PageQueryDto {
  /**
   * Only those of this kind.
   * @example 'host_lost'
   */
  @ApiProperty({ enum: LISTED_KINDS, required: false })
  @IsOptional()
  @IsIn(LISTED_KINDS)
  kind?: ListedKind;
}

/** How an alert goes to one webhook. */
export class AlertDeliveryDto {
  /**
   * The webhook, without its path, which may be a secret.
   * @example 'https://hooks.example.com/…'
   */
  receiver!: string;

  /**
   * Whether it has arrived, is still tried, or was given up.
   * @example 'delivered'
   */
  @ApiProperty({ enum: ['pending', 'delivered', 'given_up'] })
  state!: 'pending' | 'delivered' | 'given_up';

  /**
   * How often it was tried.
   * @example 1
   */
  @ApiProperty({ type: 'integer' })
  tries!: number;

  /**
   * When it is tried next; null when it is over.
   * @example null
   */
  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  next_try_at!: string | null;

  /**
   * When it arrived or was given up; null while it is tried.
   * @example '2026-11-21T22:15:04.120Z'
   */
  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  ended_at!: string | null;

  /**
   * What went wrong at the last try; null when nothing did.
   * @example null
   */
  @ApiProperty({ type: String, nullable: true })
  error!: string | null;
}

/** Something that operators were told. */
export class AlertDto {
  /**
   * Id; a receiver that has seen it before has the same alert again.
   * @example '0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b11'
   */
  id!: string;

  /**
   * What it is about.
   * @example 'job_failed'
   */
  @ApiProperty({ enum: LISTED_KINDS })
  kind!: ListedKind;

  /**
   * Id of the job or instance, or key of the queue; empty for a test, and where it only says what was
   * left out.
   * @example '0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10'
   */
  subject!: string;

  /**
   * What happened, in words.
   * @example 'job 0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10 of ana failed on h3: exit code 2'
   */
  message!: string;

  /**
   * When it was raised.
   * @example '2026-11-21T22:15:03.900Z'
   */
  @ApiProperty({ type: String, format: 'date-time' })
  raised_at!: string;

  /**
   * When a condition (`host_lost`, `queue_stuck`) was seen to be over; null while it lasts, and for
   * other kinds.
   * @example null
   */
  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  over_at!: string | null;

  /**
   * Alerts of this kind that were left out before it, because there were too many.
   * @example 0
   */
  @ApiProperty({ type: 'integer' })
  left_out!: number;

  /**
   * What is known of it, by kind.
   * @example { "host_id": "h3", "exit_code": 2 }
   */
  @ApiProperty({ type: 'object', additionalProperties: true })
  details!: Readonly<Record<string, unknown>>;

  /** How it goes to each webhook; empty when there was none. */
  @ApiProperty({ type: [AlertDeliveryDto] })
  deliveries!: AlertDeliveryDto[];
}

/** A page of alerts, newest first. */
export class AlertsDto {
  /** Those of this page. */
  @ApiProperty({ type: [AlertDto] })
  alerts!: AlertDto[];

  /**
   * Where the next page begins; null when this is the last one.
   * @example null
   */
  @ApiProperty({ type: String, nullable: true })
  next_cursor!: string | null;
}
