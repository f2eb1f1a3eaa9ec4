import { type ArgumentMetadata, type Type, ValidationPipe } from '@nestjs/common';
import { readerOf } from './dto-reader.js';

/** Nest's own, but for what is described by a DTO: `readerOf` reads that. */
class RequestPipe extends ValidationPipe {
  private readonly readers = new Map<Type, (sent: unknown) => unknown>();

  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    const { metatype } = metadata;
    if (metatype === undefined || !this.toValidate(metadata)) return super.transform(value, metadata);
    let read = this.readers.get(metatype);
    if (read === undefined) {
      read = readerOf(metatype);
      this.readers.set(metatype, read);
    }
    return read(value);
  }
}

/** Checks every body and query against its DTO; unknown fields are refused, all mistakes are named at once. */
export function validationPipe(): ValidationPipe {
  return new RequestPipe({ transform: true });
}
