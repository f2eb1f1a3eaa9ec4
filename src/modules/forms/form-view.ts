import { jsonTime } from '../wallet/index.js';
import type { FormDto } from './dto/form.dto.js';
import type { Form } from './form.entity.js';

export function formView({ id, userId, name, createdAt, updatedAt }: Form): FormDto {
  return { id, userId, name, createdAt: jsonTime(createdAt), updatedAt: jsonTime(updatedAt) };
}
