import { Module } from '@nestjs/common';
import { HttpClient } from './http-client.js';
import { HTTP_NETWORK, SYSTEM_NETWORK } from './http-network.js';

/** Every HTTP request that Holdfast makes goes through its client. */
@Module({
  providers: [{ provide: HTTP_NETWORK, useValue: SYSTEM_NETWORK }, HttpClient],
  exports: [HttpClient],
})
export class HttpClientModule {}
