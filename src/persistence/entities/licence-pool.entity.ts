import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A pool of licence tokens that an operator has set. */
@Entity('licence_pools')
export class LicencePoolEntity {
  @PrimaryColumn('text')
  name!: string;

  @Column('integer')
  tokens!: number;

  @Column('timestamptz', { name: 'updated_at' })
  updatedAt!: Date;
}
