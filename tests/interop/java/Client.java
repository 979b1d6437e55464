import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import com.nimbusds.oauth2.sdk.AuthorizationCode;
import com.nimbusds.oauth2.sdk.AuthorizationCodeGrant;
import com.nimbusds.oauth2.sdk.AuthorizationGrant;
import com.nimbusds.oauth2.sdk.ErrorObject;
import com.nimbusds.oauth2.sdk.GrantType;
import com.nimbusds.oauth2.sdk.OAuth2Error;
import com.nimbusds.oauth2.sdk.PushedAuthorizationRequest;
import com.nimbusds.oauth2.sdk.PushedAuthorizationResponse;
import com.nimbusds.oauth2.sdk.RefreshTokenGrant;
import com.nimbusds.oauth2.sdk.ResponseType;
import com.nimbusds.oauth2.sdk.Scope;
import com.nimbusds.oauth2.sdk.TokenRequest;
import com.nimbusds.oauth2.sdk.TokenResponse;
import com.nimbusds.oauth2.sdk.TokenRevocationRequest;
import com.nimbusds.oauth2.sdk.auth.ClientAuthentication;
import com.nimbusds.oauth2.sdk.auth.ClientAuthenticationMethod;
import com.nimbusds.oauth2.sdk.auth.ClientSecretBasic;
import com.nimbusds.oauth2.sdk.auth.ClientSecretPost;
import com.nimbusds.oauth2.sdk.auth.PrivateKeyJWT;
import com.nimbusds.oauth2.sdk.auth.Secret;
import com.nimbusds.oauth2.sdk.http.HTTPResponse;
import com.nimbusds.oauth2.sdk.id.ClientID;
import com.nimbusds.oauth2.sdk.id.Issuer;
import com.nimbusds.oauth2.sdk.id.State;
import com.nimbusds.oauth2.sdk.pkce.CodeChallengeMethod;
import com.nimbusds.oauth2.sdk.pkce.CodeVerifier;
import com.nimbusds.openid.connect.sdk.AuthenticationRequest;
import com.nimbusds.openid.connect.sdk.AuthenticationResponse;
import com.nimbusds.openid.connect.sdk.AuthenticationResponseParser;
import com.nimbusds.openid.connect.sdk.LogoutRequest;
import com.nimbusds.openid.connect.sdk.Nonce;
import com.nimbusds.openid.connect.sdk.OIDCError;
import com.nimbusds.openid.connect.sdk.OIDCTokenResponseParser;
import com.nimbusds.openid.connect.sdk.Prompt;
import com.nimbusds.openid.connect.sdk.UserInfoRequest;
import com.nimbusds.openid.connect.sdk.UserInfoResponse;
import com.nimbusds.openid.connect.sdk.claims.IDTokenClaimsSet;
import com.nimbusds.openid.connect.sdk.claims.UserInfo;
import com.nimbusds.openid.connect.sdk.op.OIDCProviderMetadata;
import com.nimbusds.openid.connect.sdk.rp.OIDCClientInformation;
import com.nimbusds.openid.connect.sdk.rp.OIDCClientInformationResponse;
import com.nimbusds.openid.connect.sdk.rp.OIDCClientMetadata;
import com.nimbusds.openid.connect.sdk.rp.OIDCClientRegistrationRequest;
import com.nimbusds.openid.connect.sdk.token.OIDCTokens;
import com.nimbusds.openid.connect.sdk.validators.IDTokenValidator;
import java.net.URI;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import net.minidev.json.JSONObject;

/**
 * A relying party made with Nimbus' OAuth 2.0 SDK: signs a person in, reads who they are, refreshes,
 * signs them out. Prints what was checked as one line of JSON; fails at the first check that does
 * not hold.
 *
 * <p>Reads OIDC_ISSUER, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET (none for a public client),
 * OIDC_REDIRECT_URI, OIDC_USERNAME and OIDC_PASSWORD. Without OIDC_CLIENT_ID it registers itself with a
 * key, by which it authenticates, and pushes its requests.
 */
final class Client {
    private static final Scope SCOPE = new Scope("openid", "profile", "email", "offline_access");

    private final List<String> checks = new ArrayList<>();
    private final URI redirectUri = URI.create(env("OIDC_REDIRECT_URI"));
    private final FormFiller browser = new FormFiller(
            URI.create(env("OIDC_ISSUER")), env("OIDC_USERNAME"), env("OIDC_PASSWORD"));
    private final OIDCProviderMetadata metadata;
    private final boolean pushes = env("OIDC_CLIENT_ID").isEmpty();
    private final Map<String, Authentication> methods = new LinkedHashMap<>();
    private final ClientID id;
    private final IDTokenValidator validator;

    /** What says who the client is; made anew for each request, as an assertion works once. */
    private interface Authentication {
        ClientAuthentication make() throws Exception;
    }

    public static void main(String[] arguments) throws Exception {
        Client client = new Client();
        for (Map.Entry<String, Authentication> method : client.methods.entrySet()) {
            client.run(method.getKey(), method.getValue());
        }
        System.out.println(new JSONObject(Map.of("client", "Nimbus", "checks", client.checks)));
    }

    private Client() throws Exception {
        Issuer issuer = new Issuer(env("OIDC_ISSUER"));
        metadata = OIDCProviderMetadata.resolve(issuer);
        checks.add("discovery");
        if (pushes) {
            ECKey key = new ECKeyGenerator(Curve.P_256).keyID("key").generate();
            id = register(key.toPublicJWK());
            methods.put("private_key_jwt", () -> new PrivateKeyJWT(
                    id, metadata.getTokenEndpointURI(), JWSAlgorithm.ES256,
                    key.toPrivateKey(), key.getKeyID(), null));
        } else {
            id = new ClientID(env("OIDC_CLIENT_ID"));
            if (env("OIDC_CLIENT_SECRET").isEmpty()) {
                methods.put("none", () -> null);
            } else {
                Secret secret = new Secret(env("OIDC_CLIENT_SECRET"));
                methods.put("client_secret_basic", () -> new ClientSecretBasic(id, secret));
                methods.put("client_secret_post", () -> new ClientSecretPost(id, secret));
            }
        }
        validator = new IDTokenValidator(issuer, id, JWSAlgorithm.RS256, metadata.getJWKSetURI().toURL());
    }

    private ClientID register(JWK key) throws Exception {
        OIDCClientMetadata wanted = new OIDCClientMetadata();
        wanted.setRedirectionURI(redirectUri);
        wanted.setGrantTypes(Set.of(GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN));
        wanted.setScope(SCOPE);
        wanted.setTokenEndpointAuthMethod(ClientAuthenticationMethod.PRIVATE_KEY_JWT);
        wanted.setTokenEndpointAuthJWSAlg(JWSAlgorithm.ES256);
        wanted.setJWKSet(new JWKSet(key));
        wanted.requiresPushedAuthorizationRequests(true);
        HTTPResponse answer = new OIDCClientRegistrationRequest(
                        metadata.getRegistrationEndpointURI(), wanted, null)
                .toHTTPRequest().send();
        OIDCClientInformation client = OIDCClientInformationResponse.parse(answer).getOIDCClientInformation();
        OIDCClientMetadata given = client.getOIDCMetadata();
        expect(given.getTokenEndpointAuthMethod().equals(ClientAuthenticationMethod.PRIVATE_KEY_JWT),
                "another method than was asked for: " + given);
        expect(given.requiresPushedAuthorizationRequests(), "need not push: " + given);
        checks.add("dynamic registration");
        return client.getID();
    }

    private void run(String method, Authentication authentication) throws Exception {
        Nonce nonce = new Nonce();
        CodeVerifier verifier = new CodeVerifier();
        AuthenticationRequest request = request(nonce, verifier, Prompt.Type.CONSENT);
        AuthorizationCode code = signIn(request, authentication).toSuccessResponse().getAuthorizationCode();

        OIDCTokens tokens = tokens(authentication, new AuthorizationCodeGrant(code, redirectUri, verifier));
        IDTokenClaimsSet claims = validator.validate(tokens.getIDToken(), nonce);
        checks.add(method + ": code flow with PKCE, state, iss and nonce; ID token verified");

        UserInfo person = UserInfoResponse.parse(
                        new UserInfoRequest(metadata.getUserInfoEndpointURI(), tokens.getBearerAccessToken())
                                .toHTTPRequest().send())
                .toSuccessResponse().getUserInfo();
        expect(claims.getSubject().equals(person.getSubject()), "another subject");
        expect(person.getEmailVerified() && person.getEmailAddress() != null, "no e-mail address");
        checks.add(method + ": userinfo");

        OIDCTokens refreshed = tokens(authentication, new RefreshTokenGrant(tokens.getRefreshToken()));
        expect(validator.validate(refreshed.getIDToken(), null).getSubject().equals(claims.getSubject()),
                "another subject after a refresh");
        expect(!refreshed.getAccessToken().equals(tokens.getAccessToken()), "the same access token");
        checks.add(method + ": refresh");

        revoke(authentication, refreshed);
        expectError(OAuth2Error.INVALID_GRANT,
                token(authentication, new RefreshTokenGrant(refreshed.getRefreshToken()))
                        .toErrorResponse().getErrorObject());
        checks.add(method + ": revocation");

        browser.travel(new LogoutRequest(metadata.getEndSessionEndpointURI(), tokens.getIDToken()).toURI());
        AuthenticationRequest silent = request(new Nonce(), new CodeVerifier(), Prompt.Type.NONE);
        expectError(OIDCError.LOGIN_REQUIRED,
                signIn(silent, authentication).toErrorResponse().getErrorObject());
        checks.add(method + ": RP-initiated logout");
    }

    private AuthenticationRequest request(Nonce nonce, CodeVerifier verifier, Prompt.Type prompt) {
        return new AuthenticationRequest.Builder(ResponseType.CODE, SCOPE, id, redirectUri)
                .endpointURI(metadata.getAuthorizationEndpointURI())
                .state(new State())
                .nonce(nonce)
                .codeChallenge(verifier, CodeChallengeMethod.S256)
                .prompt(new Prompt(prompt))
                .build();
    }

    /** The request by the reference that it is given for its parameters (RFC 9126). */
    private AuthenticationRequest push(AuthenticationRequest request, Authentication authentication)
            throws Exception {
        HTTPResponse answer = new PushedAuthorizationRequest(
                        metadata.getPushedAuthorizationRequestEndpointURI(), authentication.make(), request)
                .toHTTPRequest().send();
        URI reference = PushedAuthorizationResponse.parse(answer).toSuccessResponse().getRequestURI();
        return new AuthenticationRequest.Builder(reference, id)
                .endpointURI(metadata.getAuthorizationEndpointURI())
                .build();
    }

    private AuthenticationResponse signIn(AuthenticationRequest request, Authentication authentication)
            throws Exception {
        AuthenticationRequest sent = pushes ? push(request, authentication) : request;
        FormFiller.Arrival arrival = browser.travel(sent.toURI());
        expect(arrival.away() != null && arrival.away().toString().startsWith(redirectUri.toString()),
                "not sent back: " + arrival);
        AuthenticationResponse response = AuthenticationResponseParser.parse(arrival.away());
        expect(request.getState().equals(response.getState()), "another state");
        expect(metadata.getIssuer().equals(response.getIssuer()), "another iss");
        return response;
    }

    private OIDCTokens tokens(Authentication authentication, AuthorizationGrant grant) throws Exception {
        TokenResponse response = token(authentication, grant);
        if (!response.indicatesSuccess()) {
            throw new AssertionError(response.toErrorResponse().getErrorObject().toJSONObject());
        }
        return (OIDCTokens) response.toSuccessResponse().getTokens();
    }

    private TokenResponse token(Authentication authentication, AuthorizationGrant grant) throws Exception {
        URI endpoint = metadata.getTokenEndpointURI();
        ClientAuthentication client = authentication.make();
        TokenRequest request = client == null
                ? new TokenRequest.Builder(endpoint, id, grant).build()
                : new TokenRequest.Builder(endpoint, client, grant).build();
        return OIDCTokenResponseParser.parse(request.toHTTPRequest().send());
    }

    private void revoke(Authentication authentication, OIDCTokens tokens) throws Exception {
        URI endpoint = metadata.getRevocationEndpointURI();
        ClientAuthentication client = authentication.make();
        TokenRevocationRequest request = client == null
                ? new TokenRevocationRequest(endpoint, id, tokens.getRefreshToken())
                : new TokenRevocationRequest(endpoint, client, tokens.getRefreshToken());
        int status = request.toHTTPRequest().send().getStatusCode();
        expect(status == 200, "revocation answered " + status);
    }

    private static void expectError(ErrorObject expected, ErrorObject error) {
        expect(expected.equals(error), expected + " was expected, not " + error);
    }

    private static void expect(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError(otherwise);
        }
    }

    private static String env(String name) {
        return System.getenv().getOrDefault(name, "");
    }
}
