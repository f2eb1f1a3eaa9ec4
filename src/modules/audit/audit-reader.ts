import { Injectable } from '@nestjs/common';
import { decodeCursor, pageOf } from '../../kernel/cursor.js';
import { AuditLinesRepository, type StoredLine } from './audit-lines.repository.js';
import { checkpointToJson } from './checkpoints/checkpoint.js';
import { CheckpointRepository } from './checkpoints/checkpoint.repository.js';
import type { AuditCheckpointPageDto } from './dto/audit-checkpoint.dto.js';
import type { AuditLineDto, AuditPageDto } from './dto/audit-line.dto.js';
import type { ListAuditQueryDto } from './dto/list-audit-query.dto.js';

/** The audit log as its readers see it, page by page. */
@Injectable()
export class AuditReader {
  constructor(
    private readonly lines: AuditLinesRepository,
    private readonly checkpoints: CheckpointRepository,
  ) {}

  /**
   * Lines newest first, the unsealed ones too.
   *
   * @throws ValidationError (400) for a cursor of another list
   */
  async list({ actor, action, subject, from, to, limit, cursor }: ListAuditQueryDto): Promise<AuditPageDto> {
    const before = cursor === undefined ? null : decodeCursor(cursor, { id: 'bigint' }).id;
    const rows = await this.lines.list({ actor, action, subject, from, to, before }, limit + 1);
    return pageOf(rows, limit, ({ id }) => ({ id }), toDto);
  }

  /**
   * Checkpoints newest first.
   *
   * @throws ValidationError (400) for a cursor of another list
   */
  async listCheckpoints(limit: number, cursor: string | undefined): Promise<AuditCheckpointPageDto> {
    const before = cursor === undefined ? null : decodeCursor(cursor, { sequence: 'integer' }).sequence;
    const rows = await this.checkpoints.latest(before, limit + 1);
    return pageOf(rows, limit, ({ sequence }) => ({ sequence }), checkpointToJson);
  }
}

function toDto({ document, request_id: requestId, prev_hash: prevHash, hash, ...line }: StoredLine): AuditLineDto {
  const { id, sequence, at, actor, action, subject, ip } = line;
  return {
    id,
    sequence,
    at,
    actor,
    action,
    subject,
    requestId,
    ip,
    details: document,
    prevHash: prevHash?.toString('hex') ?? null,
    hash: hash?.toString('hex') ?? null,
  };
}
