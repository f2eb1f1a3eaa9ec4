import { ApiProperty } from '@nestjs/swagger';
import { IsString, MaxLength, MinLength } from 'class-validator';
import { IsOmittable, NeedsOneOf, PageQueryDto } from '../../../platform/http/index.js';
import { ID, IsUserId, TIME } from '../../wallet/index.js';

export class NewFormDto {
  /**
   * For people.
   * @example Contact
   */
  @IsString()
  @MinLength(1)
  @MaxLength(100)
  name: string;

  /** Whose form it is; an end user's own may be left out. A service that names nobody makes a form of the team's own. */
  @IsOmittable()
  @IsUserId()
  userId?: string;
}

/** What can be changed about a form: all but whose it is. */
@NeedsOneOf()
export class ChangeFormDto {
  @IsOmittable()
  @IsString()
  @MinLength(1)
  @MaxLength(100)
  name?: string;
}

export class FormQueryDto extends PageQueryDto {
  /** Only this user's. */
  @IsOmittable()
  @IsUserId()
  userId?: string;
}

export class FormDto {
  @ApiProperty(ID)
  id: string;

  /** null: the team's own. */
  userId: string | null;

  name: string;

  @ApiProperty(TIME)
  createdAt: string;

  @ApiProperty(TIME)
  updatedAt: string;
}

export class FormPageDto {
  data: FormDto[];

  /** Send it as `cursor` for the next page; null on the last. */
  nextCursor: string | null;
}
