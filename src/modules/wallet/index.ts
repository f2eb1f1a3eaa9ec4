export { jsonTime } from './answers/json-time.js';
export { IsCurrency } from './dto/is-currency.decorator.js';
export { IsDescription } from './dto/is-description.decorator.js';
export { IsMetadata } from './dto/is-metadata.decorator.js';
export { IsUserId } from './dto/is-user-id.decorator.js';
export { IsAmount } from './dto/is-whole-number.decorator.js';
export { NoBodyDto } from './dto/no-body.dto.js';
export { AMOUNT, CURRENCY, ID, METADATA, MINOR_UNITS, TIME } from './dto/schemas.js';
export { WalletModule } from './wallet.module.js';
