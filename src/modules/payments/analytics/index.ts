import { PaymentFiguresRepository } from './payment-figures.repository.js';
import { PaymentFiguresService } from './payment-figures.service.js';
import { PaymentHour } from './payment-hour.entity.js';
import { PaymentHoursProgress } from './payment-hours-progress.entity.js';
import { PaymentHoursSweep } from './payment-hours-sweep.js';

export { PaymentFiguresController } from './payment-figures.controller.js';

export const ANALYTICS_ENTITIES = [PaymentHour, PaymentHoursProgress];

export const ANALYTICS_PROVIDERS = [PaymentFiguresService, PaymentFiguresRepository, PaymentHoursSweep];
