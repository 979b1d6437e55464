// A relying party made with openid-client: signs a person in, reads who they are, refreshes, signs
// them out. Prints what was checked as one line of JSON; fails at the first check that does not hold.
//
// Reads OIDC_ISSUER, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET (none for a public client),
// OIDC_REDIRECT_URI, OIDC_POST_LOGOUT_REDIRECT_URI (optional), OIDC_USERNAME and OIDC_PASSWORD.

import assert from 'node:assert/strict';
import * as oidc from 'openid-client';
import { FormFiller } from './form_filler.mjs';

const { env } = process;
const issuer = env.OIDC_ISSUER;
const secret = env.OIDC_CLIENT_SECRET || undefined;
const redirect_uri = env.OIDC_REDIRECT_URI;
const person = { username: env.OIDC_USERNAME, password: env.OIDC_PASSWORD };
const scope = 'openid profile email offline_access';
const checks = [];

/** Each way in which the client may say who it is. */
const methods = secret
  ? { basic: oidc.ClientSecretBasic(secret), post: oidc.ClientSecretPost(secret) }
  : { none: oidc.None() };

for (const [method, authentication] of Object.entries(methods)) {
  const check = (name) => checks.push(`${method}: ${name}`);
  const config = await oidc.discovery(new URL(issuer), env.OIDC_CLIENT_ID, secret, authentication, {
    // Plain http is fine on loopback; and the signature shall be verified too.
    execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks],
  });
  assert.equal(config.serverMetadata().issuer, issuer);
  check('discovery');

  const browser = new FormFiller(issuer, person);
  const tokens = await signIn(config, browser);
  const claims = tokens.claims();
  assert.equal(claims.iss, issuer);
  assert.ok(tokens.access_token && tokens.refresh_token && tokens.expires_in > 0);
  check('code flow with PKCE, state and nonce; ID token verified');

  const person_ = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub);
  assert.equal(person_.sub, claims.sub);
  assert.equal(typeof person_.email, 'string');
  assert.equal(person_.email_verified, true);
  check('userinfo');

  const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token);
  assert.equal(refreshed.claims().sub, claims.sub);
  assert.notEqual(refreshed.access_token, tokens.access_token);
  await oidc.fetchUserInfo(config, refreshed.access_token, claims.sub);
  check('refresh');

  if (secret) {
    const state = await oidc.tokenIntrospection(config, refreshed.access_token);
    assert.equal(state.active, true);
    check('introspection');
  }

  await oidc.tokenRevocation(config, refreshed.refresh_token);
  await assert.rejects(oidc.refreshTokenGrant(config, refreshed.refresh_token), {
    error: 'invalid_grant',
  });
  check('revocation');

  await signOut(config, browser, tokens.id_token);
  check('RP-initiated logout');

  await assert.rejects(signIn(config, browser, { prompt: 'none' }), { error: 'login_required' });
  check('signed out');
}

console.log(JSON.stringify({ client: 'openid-client', checks }));

async function signIn(config, browser, more = {}) {
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
  const expectedState = oidc.randomState();
  const expectedNonce = oidc.randomNonce();
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri,
    scope,
    // Without it OIDC Core section 11 lets a server leave `offline_access` out.
    prompt: 'consent',
    state: expectedState,
    nonce: expectedNonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    ...more,
  });
  const { away, page } = await browser.travel(url);
  assert.ok(away?.href.startsWith(redirect_uri), `not sent back: ${away ?? page}`);
  const expected = { pkceCodeVerifier, expectedState, expectedNonce };
  return oidc.authorizationCodeGrant(config, away, expected);
}

async function signOut(config, browser, id_token_hint) {
  const post_logout_redirect_uri = env.OIDC_POST_LOGOUT_REDIRECT_URI;
  if (!post_logout_redirect_uri) {
    const { page } = await browser.travel(oidc.buildEndSessionUrl(config, { id_token_hint }));
    assert.ok(page);
    return;
  }
  const state = oidc.randomState();
  const url = oidc.buildEndSessionUrl(config, { id_token_hint, post_logout_redirect_uri, state });
  const { away, page } = await browser.travel(url);
  assert.ok(away?.href.startsWith(post_logout_redirect_uri), `not sent back: ${away ?? page}`);
  assert.equal(away.searchParams.get('state'), state);
}
