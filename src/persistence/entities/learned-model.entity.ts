import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What was learned of the run times of one model. */
@Entity('learned_models')
export class LearnedModelEntity {
  @PrimaryColumn('text')
  model!: string;

  /** JSON text, as the predictor wrote it. */
  @Column('json')
  state!: string;

  /** The newest end of a task that is part of it, of whichever model. */
  @Column('timestamptz', { name: 'learned_until' })
  learnedUntil!: Date;

  /** The same for all that were written together. */
  @Column('timestamptz', { name: 'saved_at' })
  savedAt!: Date;
}
