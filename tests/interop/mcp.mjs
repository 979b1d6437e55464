// A client of the Model Context Protocol that nobody registered, and two MCP servers, all made with
// the protocol's own SDK. Against the first server: 401, whose metadata names Keyfob; the client
// registers itself or is described by its document; a person signs in; the token is for that server
// alone. Prints what was checked as one line of JSON; fails at the first check that does not hold.
//
// Reads OIDC_ISSUER, OIDC_USERNAME, OIDC_PASSWORD, and MCP_PORT (of the first server); to be
// described by a document at https://localhost:CLIENT_PORT/client.json also CLIENT_PORT,
// CLIENT_CERTIFICATE and CLIENT_KEY (PEM).

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:https';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { UnauthorizedError, auth } from '@modelcontextprotocol/sdk/client/auth.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { InvalidTokenError } from '@modelcontextprotocol/sdk/server/auth/errors.js';
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js';
import { createMcpExpressApp } from '@modelcontextprotocol/sdk/server/express.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { FormFiller } from './form_filler.mjs';

const { env } = process;
const issuer = env.OIDC_ISSUER;
const person = { username: env.OIDC_USERNAME, password: env.OIDC_PASSWORD };
const scopes = ['weather:read', 'offline_access'];
const metadata = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
const checks = [];

const weather = await serve(Number(env.MCP_PORT));
const other = await serve(0);
const document = env.CLIENT_PORT && (await describe(Number(env.CLIENT_PORT)));
const store = new ClientStore(document);

await assert.rejects(connect(weather), UnauthorizedError);
checks.push('401 leads to Keyfob');

assert.equal(store.information.client_id === document, Boolean(document));
const { away, page } = await new FormFiller(issuer, person).travel(store.asked);
assert.ok(away?.href.startsWith(store.redirectUrl), `not sent back: ${away ?? page}`);
assert.equal(away.searchParams.get('iss'), issuer);
assert.equal(away.searchParams.get('state'), store.asked.searchParams.get('state'));
const transport = new StreamableHTTPClientTransport(new URL(weather), { authProvider: store });
await transport.finishAuth(away.searchParams.get('code'));
checks.push(document ? 'signed in, described by a document' : 'signed in, registered by itself');

const client = await connect(weather);
const { content } = await client.callTool({ name: 'whoami', arguments: {} });
const claims = decodeJwt(store.saved.access_token);
assert.deepEqual(JSON.parse(content[0].text), { sub: claims.sub, scopes: ['weather:read'] });
await client.close();
checks.push('a tool is called');

assert.equal(claims.aud, weather);
assert.equal(await knock(weather, store.saved.access_token), 200);
assert.equal(await knock(other, store.saved.access_token), 401);
const userinfo = await fetch(metadata.userinfo_endpoint, {
  headers: { authorization: `Bearer ${store.saved.access_token}` },
});
assert.equal(userinfo.status, 401);
checks.push('the token is for one server, and for nothing else');

const first = store.saved;
assert.equal(await auth(store, { serverUrl: weather }), 'AUTHORIZED');
assert.notEqual(store.saved.access_token, first.access_token);
assert.notEqual(store.saved.refresh_token, first.refresh_token);
assert.equal(await knock(weather, store.saved.access_token), 200);
assert.equal(decodeJwt(store.saved.access_token).aud, weather);
checks.push('refresh');

console.log(JSON.stringify({ client: '@modelcontextprotocol/sdk', checks }));
process.exit(0);

/** What the client keeps, as the SDK asks for it. */
function ClientStore(clientMetadataUrl) {
  Object.assign(this, {
    clientMetadataUrl,
    redirectUrl: 'http://localhost:3999/callback',
    clientMetadata: clientMetadata(),
    state: () => crypto.randomUUID(),
    clientInformation: () => this.information,
    saveClientInformation: (information) => {
      this.information = information;
    },
    tokens: () => this.saved,
    saveTokens: (tokens) => {
      this.saved = tokens;
    },
    codeVerifier: () => this.verifier,
    saveCodeVerifier: (verifier) => {
      this.verifier = verifier;
    },
    redirectToAuthorization: (url) => {
      this.asked = url;
    },
  });
}

/** What the client says of itself, to whoever asks. */
function clientMetadata() {
  return {
    client_name: 'An agent',
    redirect_uris: ['http://localhost/callback'],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  };
}

/** Serves the document that describes the client; its address. */
async function describe(port) {
  const client_id = `https://localhost:${port}/client.json`;
  const tls = { cert: env.CLIENT_CERTIFICATE, key: env.CLIENT_KEY };
  const server = createServer(tls, (_, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ ...clientMetadata(), client_id }));
  });
  await once(server.listen(port, 'localhost'), 'listening');
  return client_id;
}

/** Connects a client to the MCP server at that address. */
async function connect(address) {
  const connected = new Client({ name: 'agent', version: '1' });
  const authProvider = store;
  await connected.connect(new StreamableHTTPClientTransport(new URL(address), { authProvider }));
  return connected;
}

/** With what status an MCP server answers who comes with that token. */
async function knock(address, token) {
  const initialize = {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'visitor', version: '1' },
  };
  const response = await fetch(address, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: initialize }),
  });
  await response.text();
  return response.status;
}

/** Starts an MCP server that takes tokens of Keyfob's, of those that are for it; its address. */
async function serve(port) {
  const app = createMcpExpressApp();
  const server = app.listen(port, 'localhost');
  await once(server, 'listening');
  const origin = `http://localhost:${server.address().port}`;
  const resource = `${origin}/mcp`;
  const described = '/.well-known/oauth-protected-resource/mcp';
  app.get(described, (_, response) => {
    response.json({ resource, authorization_servers: [issuer], scopes_supported: scopes });
  });
  const keys = createRemoteJWKSet(new URL(metadata.jwks_uri));
  const verifier = {
    async verifyAccessToken(token) {
      const expected = { issuer, audience: resource, typ: 'at+jwt' };
      const { payload } = await jwtVerify(token, keys, expected).catch((error) => {
        throw new InvalidTokenError(error.message);
      });
      const { client_id: clientId, scope = '', exp: expiresAt, sub } = payload;
      return { token, clientId, scopes: scope.split(' '), expiresAt, extra: { sub } };
    },
  };
  const resourceMetadataUrl = `${origin}${described}`;
  app.post('/mcp', requireBearerAuth({ verifier, resourceMetadataUrl }), async (request, response) => {
    const mcp = new McpServer({ name: 'weather', version: '1' });
    mcp.registerTool('whoami', { description: 'Says who asks.' }, ({ authInfo }) => {
      const text = JSON.stringify({ sub: authInfo.extra.sub, scopes: authInfo.scopes });
      return { content: [{ type: 'text', text }] };
    });
    // Without sessions: each request has a server of its own.
    const answer = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined });
    response.on('close', () => answer.close());
    await mcp.connect(answer);
    await answer.handleRequest(request, response, request.body);
  });
  app.all('/mcp', (_, response) => response.sendStatus(405));
  return resource;
}
