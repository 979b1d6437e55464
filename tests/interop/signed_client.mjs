// A relying party made with openid-client that holds keys instead of secrets: it registers itself,
// authenticates by assertions (private_key_jwt), pushes its requests (PAR), reads signed responses
// (JARM) and binds its tokens to a key (DPoP). Prints what was checked as one line of JSON; fails at
// the first check that does not hold.
//
// Reads OIDC_ISSUER, OIDC_REDIRECT_URI, OIDC_USERNAME and OIDC_PASSWORD.

import assert from 'node:assert/strict';
import * as oidc from 'openid-client';
import { FormFiller } from './form_filler.mjs';

const { env } = process;
const issuer = env.OIDC_ISSUER;
const redirect_uri = env.OIDC_REDIRECT_URI;
const scope = 'openid profile email offline_access';
const person = { username: env.OIDC_USERNAME, password: env.OIDC_PASSWORD };
const checks = [];

const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
const { privateKey: key, publicKey } = await crypto.subtle.generateKey(algorithm, false, ['sign', 'verify']);
const jwk = await crypto.subtle.exportKey('jwk', publicKey);
const kid = crypto.randomUUID();

const metadata = {
  redirect_uris: [redirect_uri],
  grant_types: ['authorization_code', 'refresh_token'],
  scope,
  token_endpoint_auth_method: 'private_key_jwt',
  token_endpoint_auth_signing_alg: 'ES256',
  jwks: { keys: [{ kty: jwk.kty, crv: jwk.crv, x: jwk.x, y: jwk.y, kid, alg: 'ES256', use: 'sig' }] },
  authorization_signed_response_alg: 'ES256',
  require_pushed_authorization_requests: true,
  dpop_bound_access_tokens: true,
};
const authentication = oidc.PrivateKeyJwt({ key, kid });
const config = await oidc.dynamicClientRegistration(new URL(issuer), metadata, authentication, {
  // Plain http is fine on loopback; and signatures of what comes over a direct connection shall be
  // verified too.
  execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks, oidc.useJwtResponseMode],
});
assert.equal(config.clientMetadata().token_endpoint_auth_method, 'private_key_jwt');
assert.equal(config.clientMetadata().dpop_bound_access_tokens, true);
checks.push('dynamic registration');

const DPoP = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair('ES256'));
const browser = new FormFiller(issuer, person);
const tokens = await signIn();
const claims = tokens.claims();
assert.equal(claims.iss, issuer);
assert.equal(tokens.token_type, 'dpop');
checks.push('private_key_jwt, PAR and JARM; tokens bound to a key; ID token verified');

await assert.rejects(oidc.fetchUserInfo(config, tokens.access_token, claims.sub));
const userinfo = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub, { DPoP });
assert.equal(typeof userinfo.email, 'string');
checks.push('userinfo with proof of the key, and not without');

const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP });
assert.equal(refreshed.token_type, 'dpop');
assert.equal(refreshed.claims().sub, claims.sub);
checks.push('refresh');

const state = await oidc.tokenIntrospection(config, refreshed.access_token);
assert.equal(state.cnf.jkt, await DPoP.calculateThumbprint());
checks.push('introspection tells the key');

await oidc.tokenRevocation(config, refreshed.refresh_token);
await assert.rejects(oidc.refreshTokenGrant(config, refreshed.refresh_token, undefined, { DPoP }), {
  error: 'invalid_grant',
});
checks.push('revocation');

const { away } = await browser.travel(oidc.buildAuthorizationUrl(config, { redirect_uri, scope }));
await assert.rejects(oidc.authorizationCodeGrant(config, away), { error: 'invalid_request' });
checks.push('a request that was not pushed is refused');

console.log(JSON.stringify({ client: 'openid-client with keys', checks }));

async function signIn() {
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
  const expectedState = oidc.randomState();
  const expectedNonce = oidc.randomNonce();
  const parameters = {
    redirect_uri,
    scope,
    prompt: 'consent',
    state: expectedState,
    nonce: expectedNonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
  };
  const url = await oidc.buildAuthorizationUrlWithPAR(config, parameters, { DPoP });
  assert.deepEqual([...url.searchParams.keys()].sort(), ['client_id', 'request_uri']);
  const { away, page } = await browser.travel(url);
  assert.ok(away?.href.startsWith(redirect_uri), `not sent back: ${away ?? page}`);
  assert.deepEqual([...away.searchParams.keys()], ['response']);
  const expected = { pkceCodeVerifier, expectedState, expectedNonce };
  return oidc.authorizationCodeGrant(config, away, expected, undefined, { DPoP });
}
