import {
  Body,
  Controller,
  Module,
  Post,
  ValidationPipe,
  type NestApplicationOptions,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { IsObject, IsOptional, IsString } from 'class-validator';
import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import { announce } from './child';

/** What the framework costs as it comes: a body is checked by class-validator and sent back. */
class EchoDto {
  @IsString()
  model_name!: string;

  @IsOptional()
  @IsString()
  task_id?: string;

  @IsObject()
  task_input!: Record<string, unknown>;

  @IsOptional()
  @IsObject()
  metadata?: Record<string, unknown>;
}

@Controller()
class EchoController {
  @Post('/queue/submit')
  echo(@Body() body: EchoDto): EchoDto {
    return body;
  }
}

@Module({ controllers: [EchoController] })
class EchoModule {}

const QUIET: Partial<NestApplicationOptions> = { logger: false };

async function main(): Promise<void> {
  const app = await NestFactory.create(EchoModule, QUIET);
  app.useGlobalPipes(new ValidationPipe());
  await app.listen(0, '127.0.0.1');
  const server = app.getHttpServer() as Server;
  announce((server.address() as AddressInfo).port);
}

void main();
