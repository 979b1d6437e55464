// A device made with openid-client: asks for its codes, lets a person answer in a browser of their
// own, and waits at the token endpoint as the library does. Prints what was checked as one line of
// JSON; fails at the first check that does not hold.
//
// Reads OIDC_ISSUER, OIDC_CLIENT_ID, OIDC_USERNAME and OIDC_PASSWORD.

import assert from 'node:assert/strict';
import * as oidc from 'openid-client';
import { FormFiller } from './form_filler.mjs';

const { env } = process;
const issuer = env.OIDC_ISSUER;
const person = { username: env.OIDC_USERNAME, password: env.OIDC_PASSWORD };
const checks = [];

const config = await oidc.discovery(new URL(issuer), env.OIDC_CLIENT_ID, undefined, oidc.None(), {
  // Plain http is fine on loopback; and the signature shall be verified too.
  execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks],
});
const { device_authorization_endpoint, grant_types_supported } = config.serverMetadata();
assert.equal(device_authorization_endpoint, `${issuer}/oauth2/device`);
assert.ok(grant_types_supported.includes('urn:ietf:params:oauth:grant-type:device_code'));
checks.push('discovery');

const scope = 'openid profile email offline_access';
const codes = await oidc.initiateDeviceAuthorization(config, { scope });
assert.match(codes.user_code, /^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
assert.equal(codes.verification_uri, `${issuer}/device`);
assert.equal(codes.interval, 5);
checks.push('device authorization');

const waiting = oidc.pollDeviceAuthorizationGrant(config, codes);
const { page } = await new FormFiller(issuer, person).travel(codes.verification_uri_complete);
assert.ok(page?.includes('id="device-connected"'), page);
checks.push('a person confirmed it');

const tokens = await waiting;
const claims = tokens.claims();
assert.equal(claims.iss, issuer);
checks.push('tokens; ID token verified');

const userinfo = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub);
assert.equal(typeof userinfo.email, 'string');
checks.push('userinfo');

const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token);
assert.equal(refreshed.claims().sub, claims.sub);
checks.push('refresh');

const denied = await oidc.initiateDeviceAuthorization(config, { scope });
const refusing = new FormFiller(issuer, { ...person, denies: true });
const refused = assert.rejects(oidc.pollDeviceAuthorizationGrant(config, denied), {
  error: 'access_denied',
});
await refusing.travel(denied.verification_uri_complete);
await refused;
checks.push('a person denied it');

console.log(JSON.stringify({ client: 'openid-client device', checks }));
