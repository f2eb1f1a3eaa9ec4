import { DisputeDto, DisputeMovementDto } from './dispute.dto.js';
import { PaymentDto } from '../dto/payment.dto.js';

/** With its payment and what moved. */
export class DisputeDetailDto extends DisputeDto {
  payment: PaymentDto;

  movements: DisputeMovementDto[];
}
