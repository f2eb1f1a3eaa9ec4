import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';

/** The paging every list takes; a list's own query extends it with its filters. */
export class PageQueryDto {
  /** How many items to answer at most. */
  @ApiPropertyOptional()
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(200)
  limit: number = 50;

  /** `nextCursor` of the previous page; leave it out for the first. */
  @IsOptional()
  @IsString()
  @MaxLength(1000)
  cursor?: string;
}
