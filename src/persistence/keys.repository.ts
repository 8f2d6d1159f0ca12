import { Injectable } from '@nestjs/common';
import { DataSource, IsNull } from 'typeorm';
import { isUuid } from '../core/units';
import { systemIds } from '../ops/system';
import { newKey } from './api-key';
import { ApiKeyEntity } from './entities/api-key.entity';
import { answered } from './store';

/** A key that was just made. */
export interface CreatedKey {
  /** The key itself: shown now, and never again. */
  readonly text: string;
  readonly record: ApiKeyEntity;
}

/** What is needed to check presented keys. */
export interface KeyDigest {
  readonly id: string;
  readonly prefix: string;
  readonly sha256: Buffer;
  /** Unix ms; null: never. */
  readonly expiresAtMs: number | null;
  readonly revoked: boolean;
}

/** The table of keys. Whoever reaches the database may write it, so no term is asked for. */
@Injectable()
export class KeysRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** Makes a key. @param label for people @param expiresAt null: never */
  async create(label: string, expiresAt: Date | null = null): Promise<CreatedKey> {
    const { text, prefix, sha256 } = newKey();
    const row = {
      id: systemIds.next(),
      prefix,
      sha256,
      label,
      createdAt: new Date(),
      expiresAt,
      revokedAt: null,
      lastUsedAt: null,
    };
    await answered(() => this.table.insert(row));
    return { text, record: Object.assign(new ApiKeyEntity(), row, { sha256: undefined }) };
  }

  /** Every key ever made, oldest first, without its digest. */
  async list(): Promise<readonly ApiKeyEntity[]> {
    return answered(() => this.table.find({ order: { createdAt: 'ASC', id: 'ASC' } }));
  }

  /** Every key ever made, for checking. */
  async digests(): Promise<readonly KeyDigest[]> {
    const rows = await answered(() =>
      this.table.createQueryBuilder('k').addSelect('k.sha256').getMany(),
    );
    return rows.flatMap(({ id, prefix, sha256, expiresAt, revokedAt }) => {
      const expiresAtMs = expiresAt?.getTime() ?? null;
      return sha256 ? [{ id, prefix, sha256, expiresAtMs, revoked: revokedAt !== null }] : [];
    });
  }

  /** Revokes the key of that id or prefix. @returns false when there is none, or it was revoked */
  async revoke(idOrPrefix: string): Promise<boolean> {
    const revokedAt = new Date();
    const column = isUuid(idOrPrefix) ? 'id' : 'prefix';
    const { affected } = await answered(() =>
      this.table.update({ [column]: idOrPrefix, revokedAt: IsNull() }, { revokedAt }),
    );
    return affected === 1;
  }

  /** Takes note of a use, at most once a minute. */
  async touch(id: string): Promise<void> {
    await answered(() =>
      this.table
        .createQueryBuilder()
        .update()
        .set({ lastUsedAt: () => 'now()' })
        .where('id = :id', { id })
        .andWhere(`(last_used_at IS NULL OR last_used_at < now() - interval '1 minute')`)
        .execute(),
    );
  }

  private get table() {
    return this.dataSource.getRepository(ApiKeyEntity);
  }
}
