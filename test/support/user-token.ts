import { SignJWT } from 'jose';
import { JWT_SECRET } from './server.js';

/** An access token for that end user, as another service with the secret would sign it; good for an hour. */
export function userToken(userId: string): Promise<string> {
  return new SignJWT()
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer('holdfast')
    .setAudience('holdfast-api')
    .setSubject(userId)
    .setExpirationTime('1h')
    .sign(Buffer.from(JWT_SECRET));
}
