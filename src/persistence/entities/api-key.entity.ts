import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A key without its secret. */
@Entity('api_keys')
export class ApiKeyEntity {
  @PrimaryColumn('uuid')
  id!: string;

  /** The public part, by which a presented key is found. */
  @Column('text')
  prefix!: string;

  /** SHA-256 of the secret part. */
  @Column('bytea', { select: false })
  sha256?: Buffer;

  @Column('text')
  label!: string;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'expires_at', nullable: true })
  expiresAt!: Date | null;

  @Column('timestamptz', { name: 'revoked_at', nullable: true })
  revokedAt!: Date | null;

  /** To the minute. */
  @Column('timestamptz', { name: 'last_used_at', nullable: true })
  lastUsedAt!: Date | null;
}
