//! The demo relying party: what an app does to sign people in ([OIDC Core section 3.1]), with the
//! `openidconnect` crate.
//!
//! **Invariant:** it knows the issuer's name, its own id and secret, and nothing else of the
//! provider. What it learns, it learns over HTTP.
//!
//! [OIDC Core section 3.1]: https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowAuth

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreIdToken, CoreIdTokenVerifier, CoreTokenResponse,
};
use openidconnect::{
    AccessToken, AccessTokenHash, AuthorizationCode, ClientId, ClientSecret, CsrfToken,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest, IssuerUrl, LogoutRequest, Nonce,
    OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier, PostLogoutRedirectUrl,
    ProviderMetadataWithLogout, RedirectUrl, RefreshToken, Scope, TokenResponse as _,
};
use url::Url;

use crate::oidc::issuer::Issuer;
use crate::oidc::parameters::Parameters;
use crate::oidc::timestamp::Timestamp;
use crate::provider::random::Random;

use super::error::{self, RelyingPartyError};
use super::http::Http;
use crate::dev::seeds::{DEMO_CLIENT, DEMO_SECRET};

/// The relying party.
#[derive(Debug)]
pub struct RelyingParty {
    issuer: Issuer,
    http: Http,
    random: Random,
}

/// What is kept of a sign-in until the browser is back: it works once.
#[derive(Debug)]
pub struct Departure {
    /// Tells which sign-in an answer belongs to, and that it was begun in this browser.
    pub state: String,
    nonce: Nonce,
    verifier: PkceCodeVerifier,
}

/// What came of a sign-in.
#[derive(Clone)]
pub struct Tokens {
    /// The ID token, verified.
    pub id_token: String,
    /// Whom it names.
    pub subject: String,
    /// The access token, which is not for the relying party to read.
    pub access_token: String,
    /// The refresh token.
    pub refresh_token: Option<String>,
    /// What the access token opens.
    pub scopes: Vec<String>,
    /// When it stops being valid, by what the token endpoint said.
    pub expires_at: Timestamp,
}

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

impl RelyingParty {
    /// The relying party of `issuer`.
    #[must_use]
    pub fn new(issuer: Issuer, http: Http, random: Random) -> Self {
        Self {
            issuer,
            http,
            random,
        }
    }

    /// Begins a sign-in: where to send the browser, and what to keep until it is back.
    pub async fn depart(&self) -> Result<(Url, Departure), RelyingPartyError> {
        let (client, _) = self.discover().await?;
        let verifier = PkceCodeVerifier::new(self.secret());
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&verifier);
        let (state, nonce) = (self.secret(), self.secret());
        let request = client.authorize_url(
            CoreAuthenticationFlow::AuthorizationCode,
            || CsrfToken::new(state),
            || Nonce::new(nonce),
        );
        let (url, state, nonce) = request
            // The crate adds openid itself.
            .add_scopes(SCOPES.iter().map(|&scope| Scope::new(scope.to_owned())))
            .set_pkce_challenge(challenge)
            .url();
        let departure = Departure {
            state: state.into_secret(),
            nonce,
            verifier,
        };
        Ok((url, departure))
    }

    /// Finishes a sign-in with the authorization response that has the state of `departure`.
    pub async fn arrive(
        &self,
        departure: Departure,
        response: &Parameters,
        now: Timestamp,
    ) -> Result<Tokens, RelyingPartyError> {
        let parameter = |name| {
            let value = response.get(name);
            value.map_err(|_| RelyingPartyError::MalformedResponse)
        };
        // RFC 9207 section 2.4: before anything else of the response is believed.
        if parameter("iss")? != Some(self.issuer.as_str()) {
            return Err(RelyingPartyError::OtherIssuer);
        }
        if let Some(code) = parameter("error")? {
            let description = parameter("error_description")?;
            return Err(RelyingPartyError::Refused {
                code: code.to_owned(),
                description: description.map(str::to_owned),
            });
        }
        let code = parameter("code")?.ok_or(RelyingPartyError::MalformedResponse)?;
        let code = AuthorizationCode::new(code.to_owned());
        let (client, _) = self.discover().await?;
        let request = client
            .exchange_code(code)
            .map_err(|error| RelyingPartyError::Discovery(error.to_string()))?
            .set_pkce_verifier(departure.verifier);
        let http = |request: HttpRequest| self.http.send(request);
        let response = request.request_async(&http).await;
        let response = response.map_err(|error| error::of_token_endpoint(&error))?;

        let id_token = response.id_token();
        let id_token = id_token.ok_or(RelyingPartyError::IdTokenMissing)?;
        let verifier = client.id_token_verifier();
        // Signature, issuer, audience, expiry and nonce (OIDC Core section 3.1.3.7).
        let claims = id_token.claims(&verifier, &departure.nonce)?;
        fits(id_token, response.access_token(), &verifier)?;
        let subject = claims.subject().to_string();
        Ok(tokens(&response, id_token.to_string(), subject, now))
    }

    /// Trades the refresh token for fresh tokens ([OIDC Core section 12]).
    ///
    /// [OIDC Core section 12]: https://openid.net/specs/openid-connect-core-1_0.html#RefreshTokens
    pub async fn refresh(
        &self,
        held: &Tokens,
        now: Timestamp,
    ) -> Result<Tokens, RelyingPartyError> {
        let (client, response) = self.refresh_with(held, &[]).await?;
        let mut fresh = tokens(&response, held.id_token.clone(), held.subject.clone(), now);
        if let Some(id_token) = response.id_token() {
            let verifier = client.id_token_verifier();
            // That of a refresh needs no nonce, but must name the same person.
            let claims = id_token.claims(&verifier, |_: Option<&Nonce>| Ok(()))?;
            fits(id_token, response.access_token(), &verifier)?;
            if claims.subject().as_str() != held.subject {
                return Err(RelyingPartyError::OtherSubject);
            }
            fresh.id_token = id_token.to_string();
        }
        Ok(fresh)
    }

    /// Trades the refresh token for an access token that opens nothing at the demo API. The rest
    /// is as it was, but for the refresh token, which has been used.
    pub async fn narrow(
        &self,
        held: &Tokens,
    ) -> Result<(String, Option<String>), RelyingPartyError> {
        let (_, response) = self.refresh_with(held, &["openid", "profile"]).await?;
        let access_token = response.access_token().secret().clone();
        Ok((access_token, rotated(&response)))
    }

    async fn refresh_with(
        &self,
        held: &Tokens,
        scopes: &[&str],
    ) -> Result<(Client, CoreTokenResponse), RelyingPartyError> {
        let refresh_token = held.refresh_token.clone();
        let refresh_token = refresh_token.ok_or(RelyingPartyError::RefreshTokenMissing)?;
        let refresh_token = RefreshToken::new(refresh_token);
        let (client, _) = self.discover().await?;
        let request = client
            .exchange_refresh_token(&refresh_token)
            .map_err(|error| RelyingPartyError::Discovery(error.to_string()))?
            .add_scopes(scopes.iter().map(|&scope| Scope::new(scope.to_owned())));
        let http = |request: HttpRequest| self.http.send(request);
        let response = request.request_async(&http).await;
        let response = response.map_err(|error| error::of_token_endpoint(&error))?;
        Ok((client, response))
    }

    /// Where to send the browser to sign out, and the state that it comes back with
    /// ([RP-Initiated Logout section 2]).
    ///
    /// [RP-Initiated Logout section 2]: https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RPLogout
    pub async fn log_out(&self, tokens: &Tokens) -> Result<(Url, String), RelyingPartyError> {
        let (_, metadata) = self.discover().await?;
        let endpoint = &metadata.additional_metadata().end_session_endpoint;
        let endpoint = endpoint.clone();
        let endpoint = endpoint.ok_or(RelyingPartyError::NoLogout)?;
        let hint: CoreIdToken = tokens
            .id_token
            .parse()
            .map_err(|_| RelyingPartyError::IdTokenMissing)?;
        let return_to = PostLogoutRedirectUrl::new(self.issuer.join("/"));
        let return_to =
            return_to.map_err(|error| RelyingPartyError::Discovery(error.to_string()))?;
        let state = self.secret();
        let url = LogoutRequest::from(endpoint)
            .set_id_token_hint(&hint)
            .set_post_logout_redirect_uri(return_to)
            .set_state(CsrfToken::new(state.clone()))
            .http_get_url();
        Ok((url, state))
    }

    /// Reads the issuer's metadata and keys anew. An app that has more to do would keep them.
    async fn discover(&self) -> Result<(Client, ProviderMetadataWithLogout), RelyingPartyError> {
        let malformed = |error: url::ParseError| RelyingPartyError::Discovery(error.to_string());
        let issuer = IssuerUrl::new(self.issuer.to_string()).map_err(malformed)?;
        let callback = RedirectUrl::new(self.issuer.join("/demo/callback")).map_err(malformed)?;
        let http = |request: HttpRequest| self.http.send(request);
        let metadata = ProviderMetadataWithLogout::discover_async(issuer, &http)
            .await
            .map_err(|error| RelyingPartyError::Discovery(error::with_causes(&error)))?;
        let client = CoreClient::from_provider_metadata(
            metadata.clone(),
            ClientId::new(DEMO_CLIENT.to_owned()),
            Some(ClientSecret::new(DEMO_SECRET.to_owned())),
        );
        Ok((client.set_redirect_uri(callback), metadata))
    }

    /// 256 random bits as text.
    fn secret(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.random.bytes::<32>())
    }
}

/// Whether an ID token came with this access token ([OIDC Core section 3.1.3.8]).
///
/// [OIDC Core section 3.1.3.8]: https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowTokenValidation
fn fits(
    id_token: &CoreIdToken,
    access_token: &AccessToken,
    verifier: &CoreIdTokenVerifier<'_>,
) -> Result<(), RelyingPartyError> {
    let claims = id_token.claims(verifier, |_: Option<&Nonce>| Ok(()))?;
    let Some(expected) = claims.access_token_hash() else {
        return Ok(());
    };
    let actual = AccessTokenHash::from_token(
        access_token,
        id_token.signing_alg()?,
        id_token.signing_key(verifier)?,
    )?;
    if actual == *expected {
        Ok(())
    } else {
        Err(RelyingPartyError::OtherAccessToken)
    }
}

fn tokens(
    response: &CoreTokenResponse,
    id_token: String,
    subject: String,
    now: Timestamp,
) -> Tokens {
    // RFC 6749 section 5.1: no scope in the answer means that which was asked for.
    let scopes = response.scopes().map_or_else(
        || SCOPES.iter().map(|&scope| scope.to_owned()).collect(),
        |scopes| scopes.iter().map(|scope| scope.to_string()).collect(),
    );
    Tokens {
        id_token,
        subject,
        access_token: response.access_token().secret().clone(),
        refresh_token: rotated(response),
        scopes,
        expires_at: now.after(response.expires_in().unwrap_or(Duration::ZERO)),
    }
}

fn rotated(response: &CoreTokenResponse) -> Option<String> {
    response.refresh_token().map(|token| token.secret().clone())
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tokens({})", self.scopes.join(" "))
    }
}

/// What the demo asks for beside `openid`.
const SCOPES: &[&str] = &["profile", "email", "offline_access", "demo:read"];
