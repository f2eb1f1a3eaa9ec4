export { HttpClient } from './http-client.js';
export {
  HttpAbortedError,
  HttpAddressRefusedError,
  HttpClientError,
  HttpConnectionLostError,
  HttpRequestInvalidError,
  HttpResponseTooLargeError,
  HttpTimeoutError,
  HttpUnreachableError,
} from './http-client.errors.js';
export { HttpClientModule } from './http-client.module.js';
export type { HttpAnswer, HttpMethod, HttpRequest } from './http-request.js';
export { HTTP_NETWORK, type HttpNetwork } from './http-network.js';
