import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AccountsModule } from '../accounts/index.js';
import { AuditModule } from '../audit/index.js';
import { FormAccess } from './form-access.js';
import { Form } from './form.entity.js';
import { FormsController } from './forms.controller.js';
import { FormsRepository } from './forms.repository.js';
import { FormsService } from './forms.service.js';

/** Forms. */
@Module({
  imports: [TypeOrmModule.forFeature([Form]), AccountsModule, AuditModule],
  controllers: [FormsController],
  providers: [FormAccess, FormsRepository, FormsService],
})
export class FormsModule {}
