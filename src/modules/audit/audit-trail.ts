import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { decodeCursor, type Page, pageOf } from '../../kernel/cursor.js';
import type { AuditLineDto } from './dto/audit-line.dto.js';
import type { ListAuditQueryDto } from './dto/list-audit-query.dto.js';
import { type CheckpointJson, checkpointToJson } from './checkpoint.js';
import { CheckpointRepository } from './checkpoint.repository.js';
import { LINE_CONTENT, type LineContent } from './line-hash.js';

interface StoredLine extends Omit<LineContent, 'details'> {
  sequence: number | null;
  document: Record<string, unknown>;
  prev_hash: Buffer | null;
  hash: Buffer | null;
}

const FILTERS = `
  ($1::text IS NULL OR l.actor = $1) AND ($2::text IS NULL OR l.action = $2) AND ($3::text IS NULL OR l.subject = $3)
  AND ($4::timestamptz IS NULL OR l.at >= $4) AND ($5::timestamptz IS NULL OR l.at < $5)
  AND ($6::bigint IS NULL OR l.id >= $6) AND ($7::bigint IS NULL OR l.id < $7)
  AND ($8::bigint IS NULL OR l.id < $8)`;

/** Reads the audit log. */
@Injectable()
export class AuditTrail {
  constructor(
    private readonly dataSource: DataSource,
    private readonly checkpointRepository: CheckpointRepository,
  ) {}

  /**
   * Lines newest first, the unsealed ones too. The page is merged from two: the indexes that serve the filters hold
   * sealed lines only, and of the others there are few.
   *
   * Indexes, backwards: ix_audit_log_subject, ix_audit_log_actor, ix_audit_log_action or pk_audit_log for sealed lines;
   * ix_audit_log_unsealed for the rest.
   *
   * @throws ValidationError (400) for a cursor of another list
   */
  async list({ actor, action, subject, from, to, limit, cursor }: ListAuditQueryDto): Promise<Page<AuditLineDto>> {
    const before = cursor === undefined ? null : decodeCursor(cursor, { id: 'bigint' }).id;
    const [firstId, endId] = await Promise.all([this.idNear(from, -1), this.idNear(to, 1)]);
    const rows: StoredLine[] = await this.dataSource.query(
      `SELECT l.sequence::float8 AS sequence, l.prev_hash, l.hash, l.details AS document, ${LINE_CONTENT}
       FROM (
         (SELECT * FROM audit_log AS l WHERE l.hash IS NULL AND ${FILTERS} ORDER BY l.id DESC LIMIT $9)
         UNION ALL
         (SELECT * FROM audit_log AS l WHERE l.sequence IS NOT NULL AND ${FILTERS} ORDER BY l.id DESC LIMIT $9)
       ) AS l
       ORDER BY l.id DESC LIMIT $9`,
      [actor, action, subject, from, to, firstId, endId, before, limit + 1],
    );
    return pageOf(rows, limit, ({ id }) => ({ id }), toDto);
  }

  /**
   * Checkpoints newest first.
   *
   * @throws ValidationError (400) for a cursor of another list
   */
  async listCheckpoints(limit: number, cursor: string | undefined): Promise<Page<CheckpointJson>> {
    const before = cursor === undefined ? null : decodeCursor(cursor, { sequence: 'integer' }).sequence;
    const rows = await this.checkpointRepository.latest(before, limit + 1);
    return pageOf(rows, limit, ({ sequence }) => ({ sequence }), checkpointToJson);
  }

  /**
   * An id close to a time, so that a page of last year is found without walking this one: ids and times are given out
   * together, so ids are searched by halves (about 25 look-ups in pk_audit_log). Clocks that differ or step by less than
   * five minutes cannot hide a line; the exact times are compared besides.
   *
   * @param side -1 for an id before all lines of the time and later, 1 for one after all lines before it
   */
  private async idNear(time: string | undefined, side: -1 | 1): Promise<string | null> {
    if (time === undefined) return null;
    const [row] = await this.dataSource.query<{ id: string }[]>(
      `WITH RECURSIVE search (low, high) AS (
         SELECT coalesce(min(id), 0), coalesce(max(id), 0) + 1 FROM audit_log
         UNION ALL
         SELECT CASE WHEN l.at < bound.at THEN l.id + 1 ELSE low END,
                CASE WHEN l.at < bound.at THEN high ELSE (low + high) / 2 END
         FROM search
         CROSS JOIN (SELECT $1::timestamptz + $2 * interval '5 minutes') AS bound (at)
         CROSS JOIN LATERAL (SELECT id, at FROM audit_log WHERE id >= (low + high) / 2 ORDER BY id LIMIT 1) AS l
         WHERE low < high
       )
       SELECT max(low)::text AS id FROM search`,
      [time, side],
    );
    return row?.id ?? null;
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
