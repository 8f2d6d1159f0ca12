import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What operators set about predictions. One row. */
@Entity('prediction_settings')
export class PredictionSettingEntity {
  /** `scheduler`. */
  @PrimaryColumn('text')
  name!: string;

  @Column('text')
  mode!: string;

  @Column('timestamptz', { name: 'updated_at' })
  updatedAt!: Date;
}
