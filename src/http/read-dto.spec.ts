import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsNumber,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';
import { Fault, isSchedulerError } from '../core/errors';
import {
  DtoClass,
  FromNumericString,
  IsJsonObject,
  type JsonObject,
  Nested,
  NestedClosed,
  NestedList,
  Nullable,
} from './dto-fields';
import { readDto } from './read-dto';

class ItemDto {
  @IsJsonObject()
  task_input!: JsonObject;

  @IsOptional()
  @IsString()
  task_id?: string;
}

class ResourcesDto {
  @IsNumber()
  @Min(0)
  cpu = 1;

  @IsNumber()
  memory_gb = 2;
}

class BatchDto {
  @IsString()
  @MaxLength(10)
  model_name!: string;

  @NestedList(() => ItemDto)
  @ArrayMinSize(1)
  @ArrayMaxSize(30)
  tasks!: ItemDto[];

  @IsJsonObject()
  metadata: JsonObject = {};

  @IsOptional()
  @Nullable()
  @IsString()
  owner?: string | null;

  @IsOptional()
  @IsArray()
  @IsString({ each: true })
  tags?: string[];

  @IsOptional()
  @Nested(() => ResourcesDto)
  resources?: ResourcesDto;

  @IsOptional()
  @IsIn(['a', 'b'])
  mode?: string;
}

class ReservingDto {
  @IsOptional()
  @NestedClosed(() => ResourcesDto)
  resources?: ResourcesDto;
}

class WidePageDto {
  @FromNumericString()
  @IsInt()
  @Max(1_000)
  limit = 100;

  @IsOptional()
  @FromNumericString()
  @IsNumber()
  ratio?: number;
}

class NarrowPageDto extends WidePageDto {
  @IsOptional()
  @Matches(/^[a-z]+$/, { message: '$property must be lower case letters' })
  name?: string;
}

const VALID = { model_name: 'm', tasks: [{ task_input: {} }] };

function faultsOf(dto: DtoClass, sent: object, where: 'body' | 'query' = 'body'): readonly Fault[] {
  try {
    readDto(dto, sent, where);
  } catch (error) {
    if (isSchedulerError(error, 'invalid_input')) return error.details.faults ?? [];
    throw error;
  }
  return [];
}

describe('readDto', () => {
  it('copies what is known, drops the rest, and leaves absent what is absent', () => {
    const dto = readDto(BatchDto, { ...VALID, other: 1, toString: 2 }, 'body');
    expect(dto).toBeInstanceOf(BatchDto);
    expect(Object.keys(dto).sort()).toEqual(['metadata', 'model_name', 'tasks']);
    expect(dto.tasks[0]).toBeInstanceOf(ItemDto);
    expect(Object.keys(dto.tasks[0] ?? {})).toEqual(['task_input']);
  });

  it('does not take inherited members for values', () => {
    const sent = Object.create({ model_name: 'inherited', tasks: [] }) as object;
    expect(faultsOf(BatchDto, sent).map((fault) => fault.type)).toEqual(['missing', 'missing']);
  });

  it('gives each DTO a default of its own', () => {
    const first = readDto(BatchDto, VALID, 'body');
    const second = readDto(BatchDto, VALID, 'body');
    expect(first.metadata).toEqual({});
    expect(first.metadata).not.toBe(second.metadata);
    expect(readDto(BatchDto, { ...VALID, resources: { cpu: 4 } }, 'body').resources).toEqual({
      cpu: 4,
      memory_gb: 2,
    });
  });

  it('keeps payloads by reference and does not look into them', () => {
    const task_input: Record<string, unknown> = JSON.parse('{"__proto__":{"constructor":1}}');
    Object.defineProperty(task_input, 'trap', {
      enumerable: true,
      get: () => {
        throw new Error('somebody walked the payload');
      },
    });
    const dto = readDto(BatchDto, { model_name: 'm', tasks: [{ task_input }] }, 'body');
    expect(dto.tasks[0]?.task_input).toBe(task_input);
    expect(faultsOf(BatchDto, { model_name: task_input, tasks: [{ task_input }] })).toHaveLength(1);
  });

  it.each([
    [
      'the type before the length',
      { model_name: 5 },
      ['body', 'model_name'],
      'type',
      'model_name must be a string; got 5',
    ],
    [
      'a length',
      { model_name: 'x'.repeat(11) },
      ['body', 'model_name'],
      'length',
      'model_name must be shorter than or equal to 10 characters; got "xxxxxxxxxxx"',
    ],
    [
      'null',
      { model_name: null },
      ['body', 'model_name'],
      'type',
      'model_name must be a string; got null',
    ],
    [
      'a choice',
      { mode: 'c' },
      ['body', 'mode'],
      'enum',
      'mode must be one of the following values: a, b; got "c"',
    ],
    [
      'no list',
      { tasks: { 0: 1 } },
      ['body', 'tasks'],
      'type',
      'tasks must be a list of objects; got an object',
    ],
    [
      'an empty list',
      { tasks: [] },
      ['body', 'tasks'],
      'length',
      'tasks must contain at least 1 elements; got a list of 0',
    ],
    [
      'an item that is no object',
      { tasks: [{ task_input: {} }, 7] },
      ['body', 'tasks', 1],
      'type',
      'tasks[1] must be an object; got 7',
    ],
    [
      'a field of an item',
      { tasks: [{ task_input: {} }, { task_input: [] }] },
      ['body', 'tasks', 1, 'task_input'],
      'type',
      'tasks[1].task_input must be an object; got a list of 0',
    ],
    [
      'an item of a plain list',
      { tags: ['a', 5] },
      ['body', 'tags', 1],
      'type',
      'tags[1] must be a string; got 5',
    ],
    ['no plain list', { tags: 'a' }, ['body', 'tags'], 'type', 'tags must be an array; got "a"'],
    [
      'a nested object',
      { resources: [] },
      ['body', 'resources'],
      'type',
      'resources must be an object; got a list of 0',
    ],
    [
      'a field of a nested object',
      { resources: { cpu: -1 } },
      ['body', 'resources', 'cpu'],
      'range',
      'resources.cpu must not be less than 0; got -1',
    ],
    [
      'a payload that is none',
      { metadata: 'x' },
      ['body', 'metadata'],
      'type',
      'metadata must be an object; got "x"',
    ],
  ])('tells %s', (_name, wrong, loc, type, msg) => {
    expect(faultsOf(BatchDto, { ...VALID, ...wrong })).toEqual([{ loc, type, msg }]);
  });

  it('tells an absent field', () => {
    expect(faultsOf(BatchDto, { tasks: VALID.tasks })).toEqual([
      {
        loc: ['body', 'model_name'],
        type: 'missing',
        msg: 'model_name is missing: model_name must be a string',
      },
    ]);
  });

  it('shortens long values', () => {
    const [fault] = faultsOf(BatchDto, { ...VALID, model_name: 'y'.repeat(5_000) });
    expect(fault?.msg).toContain(`"${'y'.repeat(80)}"…`);
    expect(fault?.msg.length).toBeLessThan(200);
  });

  it('names the first fault in one line and counts the rest', () => {
    expect(() => readDto(BatchDto, { tags: [1], mode: 'x' }, 'body')).toThrow(
      /^.* is missing.* \(and 3 more\)$/,
    );
  });

  it('stops after twenty faults', () => {
    const tasks = Array.from({ length: 30 }, () => ({}));
    expect(faultsOf(BatchDto, { model_name: 'm', tasks })).toHaveLength(20);
  });

  it('names the first member that a closed object does not know', () => {
    const resources = { cpu: 1, memory: 8, ['z'.repeat(1_000)]: 1 };
    expect(faultsOf(ReservingDto, { resources })).toEqual([
      {
        loc: ['body', 'resources', 'memory'],
        type: 'value',
        msg: 'resources must not have "memory": allowed are cpu, memory_gb; got 8',
      },
    ]);
    const [long] = faultsOf(ReservingDto, { resources: { ['z'.repeat(1_000)]: 1 } });
    expect(long?.msg.length).toBeLessThan(200);
    expect(readDto(ReservingDto, { resources: { cpu: 3 }, memory: 8 }, 'body')).toEqual({
      resources: { cpu: 3, memory_gb: 2 },
    });
  });

  it('takes null where the DTO says so', () => {
    expect(readDto(BatchDto, { ...VALID, owner: null }, 'body').owner).toBeNull();
  });

  it('reads numeric texts where the DTO asks for it, also in a class that extends it', () => {
    expect(readDto(NarrowPageDto, { limit: '20', ratio: '-0.5e1', name: 'abc' }, 'query')).toEqual({
      limit: 20,
      ratio: -5,
      name: 'abc',
    });
    expect(readDto(NarrowPageDto, {}, 'query')).toEqual({ limit: 100 });
    expect(readDto(NarrowPageDto, { limit: 7 }, 'query').limit).toBe(7);
  });

  it.each(['', ' 5', '0x10', '1e999', '9007199254740993', '+5', '5,5', 'NaN', 'Infinity', '1.5'])(
    '%p is not taken for an integer',
    (limit) => {
      expect(faultsOf(NarrowPageDto, { limit }, 'query')).toMatchObject([
        { loc: ['query', 'limit'], type: 'type' },
      ]);
    },
  );

  it('uses the message of a rule that has its own', () => {
    expect(faultsOf(NarrowPageDto, { name: 'A' }, 'query')[0]?.msg).toBe(
      'name must be lower case letters; got "A"',
    );
  });

  it('refuses DTO classes that it would not check as they are written', () => {
    class WalkingDto {
      @ValidateNested()
      item!: ItemDto;
    }
    class EmptyDto {
      field!: string;
    }
    class FlagDto {
      @IsBoolean()
      flag!: boolean;
    }
    expect(() => readDto(WalkingDto, { item: {} }, 'body')).toThrow('WalkingDto.item');
    expect(() => readDto(EmptyDto, {}, 'body')).toThrow('EmptyDto has no decorated property');
    expect(readDto(FlagDto, { flag: false }, 'body')).toEqual({ flag: false });
  });
});
