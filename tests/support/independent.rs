//! A relying party made with the `openidconnect` crate, which nobody here wrote: what it accepts is
//! OpenID Connect.

use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreIdToken, CoreIdTokenClaims, CoreIdTokenVerifier,
    CoreProviderMetadata, CoreTokenResponse, CoreUserInfoClaims,
};
use openidconnect::{
    AccessTokenHash, AuthType, AuthorizationCode, ClientId, ClientSecret, CsrfToken, HttpRequest,
    HttpResponse, IssuerUrl, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, RedirectUrl,
    RefreshToken, Scope, TokenResponse as _,
};

use super::browser::Browser;
use super::relying_party::http_client;
use super::seeds::{SeededClient, SeededUser};

/// What the relying party learnt.
pub(crate) struct SignedIn {
    /// The claims of the ID token, verified.
    pub(crate) id_token: CoreIdTokenClaims,
    /// What userinfo said of the same subject.
    pub(crate) userinfo: CoreUserInfoClaims,
    /// The claims of the ID token that came with the refreshed tokens, verified.
    pub(crate) refreshed: CoreIdTokenClaims,
}

/// Signs `user` in with a new browser, from discovery to a refreshed token, and verifies on the way
/// everything that the crate verifies.
///
/// # Panics
/// If the crate is not content.
#[expect(
    clippy::too_many_lines,
    reason = "one journey, whose steps share the crate's long types"
)]
pub(crate) async fn sign_in(
    issuer: &str,
    client: &SeededClient,
    user: &SeededUser,
    authentication: AuthType,
) -> SignedIn {
    let issuer_url = IssuerUrl::new(issuer.to_owned()).expect("an issuer");
    let metadata = CoreProviderMetadata::discover_async(issuer_url, &send)
        .await
        .expect("discovery");
    let id = ClientId::new(client.client_id.clone());
    let secret = client.client_secret.clone().map(ClientSecret::new);
    let redirect_uri = RedirectUrl::new(client.callback());
    let party = CoreClient::from_provider_metadata(metadata, id, secret)
        .set_auth_type(authentication)
        .set_redirect_uri(redirect_uri.expect("a redirect URI"));

    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let (url, state, nonce) = party
        .authorize_url(
            CoreAuthenticationFlow::AuthorizationCode,
            CsrfToken::new_random,
            Nonce::new_random,
        )
        .add_scopes(["profile", "email", "offline_access"].map(|it| Scope::new(it.to_owned())))
        .set_pkce_challenge(challenge)
        .url();
    let mut browser = Browser::new(issuer);
    let away = browser.sign_in(&url, &user.username, &user.password).await;
    assert_eq!(away.parameter("state").as_ref(), Some(state.secret()));
    assert_eq!(away.parameter("iss").as_deref(), Some(issuer));

    let tokens = party
        .exchange_code(AuthorizationCode::new(away.code()))
        .expect("a token endpoint")
        .set_pkce_verifier(verifier)
        .request_async(&send)
        .await
        .expect("tokens");
    let token = tokens.id_token().expect("an ID token");
    let verifier = party.id_token_verifier();
    let claims = token.claims(&verifier, &nonce).expect("a valid ID token");
    names_the_access_token(&tokens, token, claims, &verifier);

    let userinfo = party
        .user_info(
            tokens.access_token().clone(),
            Some(claims.subject().clone()),
        )
        .expect("a userinfo endpoint")
        .request_async(&send)
        .await
        .expect("userinfo");

    let refresh_token: &RefreshToken = tokens.refresh_token().expect("a refresh token");
    let fresh = party
        .exchange_refresh_token(refresh_token)
        .expect("a token endpoint")
        .request_async(&send)
        .await
        .expect("fresh tokens");
    let token = fresh.id_token().expect("an ID token");
    let refreshed = token
        .claims(&verifier, |_: Option<&Nonce>| Ok(()))
        .expect("a valid ID token");
    SignedIn {
        id_token: claims.clone(),
        userinfo,
        refreshed: refreshed.clone(),
    }
}

/// Asserts that `at_hash` is that of the access token beside it, which the crate leaves to its
/// users.
fn names_the_access_token(
    tokens: &CoreTokenResponse,
    token: &CoreIdToken,
    claims: &CoreIdTokenClaims,
    verifier: &CoreIdTokenVerifier<'_>,
) {
    let expected = AccessTokenHash::from_token(
        tokens.access_token(),
        token.signing_alg().expect("an algorithm"),
        token.signing_key(verifier).expect("a key"),
    );
    assert_eq!(claims.access_token_hash(), expected.ok().as_ref());
}

/// Sends a request of the crate with our own HTTP client.
async fn send(request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
    let (parts, body) = request.into_parts();
    let answer = http_client()
        .request(parts.method, parts.uri.to_string())
        .headers(parts.headers)
        .body(body)
        .send()
        .await?;
    let mut response = HttpResponse::default();
    *response.status_mut() = answer.status();
    *response.headers_mut() = answer.headers().clone();
    *response.body_mut() = answer.bytes().await?.to_vec();
    Ok(response)
}
