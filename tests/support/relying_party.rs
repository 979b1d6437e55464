//! A relying party that speaks raw HTTP, so that a test can say exactly what is sent; and one made
//! with the `openidconnect` crate, which nobody here wrote.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use reqwest::header::{AUTHORIZATION, HeaderMap};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use url::Url;
use uuid::Uuid;

use super::browser::{Away, Browser};
use super::process::Server;
use super::seeds::{SeededClient, SeededUser};

/// How a client says who it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Authentication {
    /// HTTP Basic.
    Basic,
    /// `client_id` and `client_secret` in the body.
    Post,
    /// `client_id` alone.
    None,
}

/// A relying party.
#[derive(Clone)]
pub(crate) struct RelyingParty {
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: Option<String>,
    pub(crate) redirect_uri: String,
    pub(crate) authentication: Authentication,
    pub(crate) http: reqwest::Client,
}

/// What a relying party sends a browser away with, and keeps until it is back.
#[derive(Clone, Debug)]
pub(crate) struct AuthorizationRequest {
    endpoint: String,
    /// The parameters, in the order in which they are sent.
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) state: String,
    pub(crate) nonce: String,
    pub(crate) verifier: String,
}

impl AuthorizationRequest {
    /// With that parameter set to `value` instead.
    pub(crate) fn with(self, name: &str, value: &str) -> Self {
        self.without(name).and(name, value)
    }

    /// With that parameter beside one that may be there.
    pub(crate) fn and(mut self, name: &str, value: &str) -> Self {
        self.parameters.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Without that parameter.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.parameters.retain(|(own, _)| own != name);
        self
    }

    /// The first value of that parameter.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let mut parameters = self.parameters.iter();
        parameters
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.clone())
    }

    /// The URL to send the browser to.
    pub(crate) fn url(&self) -> Url {
        Url::parse_with_params(&self.endpoint, &self.parameters).expect("a URL")
    }
}

/// What an endpoint answered.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// The body, `null` if it is not JSON.
    pub(crate) json: Value,
    pub(crate) text: String,
}

impl Answer {
    /// Sends a request and reads the response.
    pub(crate) async fn of(request: RequestBuilder) -> Self {
        Self::try_of(request).await.expect("an answer")
    }

    /// The same, of a server that may go away meanwhile.
    pub(crate) async fn try_of(request: RequestBuilder) -> reqwest::Result<Self> {
        let response = request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await?;
        let json = serde_json::from_str(&text).unwrap_or_default();
        Ok(Self {
            status,
            headers,
            json,
            text,
        })
    }

    /// A header, empty if it is missing.
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// A member of the body as text, empty if it is missing.
    pub(crate) fn member(&self, name: &str) -> &str {
        self.json[name].as_str().unwrap_or_default()
    }

    /// Asserts that it is a success of the token endpoint, and gives the tokens.
    pub(crate) fn tokens(&self) -> Tokens {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text);
        Tokens {
            access_token: self.member("access_token").to_owned(),
            id_token: self.member("id_token").to_owned(),
            refresh_token: self.member("refresh_token").to_owned(),
        }
    }

    /// Asserts that the token endpoint refused with one of these errors: 400, JSON, not stored.
    #[track_caller]
    pub(crate) fn refused(&self, errors: &[&str]) {
        assert_eq!(self.status, StatusCode::BAD_REQUEST, "{}", self.text);
        assert!(errors.contains(&self.member("error")), "{}", self.text);
        assert_eq!(self.header("cache-control"), "no-store");
    }

    /// Asserts that the client was not authenticated: 401 `invalid_client`.
    #[track_caller]
    pub(crate) fn unauthenticated(&self) {
        assert_eq!(self.status, StatusCode::UNAUTHORIZED, "{}", self.text);
        assert_eq!(self.member("error"), "invalid_client", "{}", self.text);
    }

    /// Asserts that a protected resource refused the token: 401 with this error in the challenge.
    #[track_caller]
    pub(crate) fn challenged(&self, error: &str) {
        assert_eq!(self.status, StatusCode::UNAUTHORIZED, "{}", self.text);
        let challenge = self.header("www-authenticate");
        let is_scheme = ["Bearer", "DPoP"]
            .iter()
            .any(|it| challenge.starts_with(it));
        assert!(is_scheme, "{challenge}");
        assert!(
            challenge.contains(&format!("error=\"{error}\"")),
            "{challenge}"
        );
    }
}

/// What the token endpoint gave; a missing one is empty.
#[expect(clippy::struct_field_names, reason = "these are the wire's names")]
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Tokens {
    pub(crate) access_token: String,
    pub(crate) id_token: String,
    pub(crate) refresh_token: String,
}

impl RelyingParty {
    /// The seeded confidential client.
    pub(crate) fn web_app(server: &Server) -> Self {
        Self::seeded(server, server.web_app(), Authentication::Basic)
    }

    /// The seeded public client.
    pub(crate) fn single_page_app(server: &Server) -> Self {
        Self::seeded(server, server.single_page_app(), Authentication::None)
    }

    /// The seeded client that acts as itself.
    pub(crate) fn machine(server: &Server) -> Self {
        Self::seeded(server, server.machine(), Authentication::Basic)
    }

    /// A client that the operator adds to the server with this metadata, its identifier and its
    /// secret among it.
    pub(crate) fn added(server: &Server, metadata: &Value) -> Self {
        server.add_client(metadata);
        let client: SeededClient = serde_json::from_value(metadata.clone()).expect("a client");
        let authentication = match client.client_secret {
            Some(_) => Authentication::Basic,
            None => Authentication::None,
        };
        Self::seeded(server, &client, authentication)
    }

    /// A client of the server.
    pub(crate) fn seeded(
        server: &Server,
        client: &SeededClient,
        authentication: Authentication,
    ) -> Self {
        Self {
            issuer: server.issuer().to_owned(),
            client_id: client.client_id.clone(),
            client_secret: client.client_secret.clone(),
            redirect_uri: client.callback(),
            authentication,
            http: http_client(),
        }
    }

    /// Authenticating otherwise.
    pub(crate) fn authenticating(mut self, authentication: Authentication) -> Self {
        self.authentication = authentication;
        self
    }

    /// Presenting another secret.
    pub(crate) fn with_secret(mut self, secret: &str) -> Self {
        self.client_secret = Some(secret.to_owned());
        self
    }

    /// The URL of `path` below the issuer.
    pub(crate) fn endpoint(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }

    /// An authorization request with PKCE, state and nonce.
    pub(crate) fn request(&self, scope: &str) -> AuthorizationRequest {
        let verifier = [random_text(), random_text()].concat();
        let (state, nonce) = (random_text(), random_text());
        let challenge = challenge(&verifier);
        let parameters = [
            ("response_type", "code"),
            ("client_id", &self.client_id),
            ("redirect_uri", &self.redirect_uri),
            ("scope", scope),
            ("state", &state),
            ("nonce", &nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        AuthorizationRequest {
            endpoint: self.endpoint("/oauth2/authorize"),
            parameters: parameters
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            state,
            nonce,
            verifier,
        }
    }

    /// Redeems a code.
    pub(crate) async fn redeem(&self, code: &str, verifier: &str) -> Answer {
        self.token(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", verifier),
        ])
        .await
    }

    /// Refreshes.
    pub(crate) async fn refresh(&self, refresh_token: &str) -> Answer {
        self.token(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token),
        ])
        .await
    }

    /// Sends these parameters to the token endpoint, authenticated.
    pub(crate) async fn token(&self, parameters: &[(&str, &str)]) -> Answer {
        self.post("/oauth2/token", parameters).await
    }

    /// Asks about a token.
    pub(crate) async fn introspect(&self, token: &str) -> Answer {
        self.post("/oauth2/introspect", &[("token", token)]).await
    }

    /// Revokes a token.
    pub(crate) async fn revoke(&self, token: &str) -> Answer {
        self.post("/oauth2/revoke", &[("token", token)]).await
    }

    /// Reads userinfo.
    pub(crate) async fn userinfo(&self, access_token: &str) -> Answer {
        let endpoint = self.endpoint("/oauth2/userinfo");
        Answer::of(self.http.get(endpoint).bearer_auth(access_token)).await
    }

    /// Sends these parameters to `path`, authenticated.
    pub(crate) async fn post(&self, path: &str, parameters: &[(&str, &str)]) -> Answer {
        Answer::of(self.prepare(path, parameters)).await
    }

    /// A request with these parameters to `path`, authenticated.
    pub(crate) fn prepare(&self, path: &str, parameters: &[(&str, &str)]) -> RequestBuilder {
        let mut parameters = parameters.to_vec();
        let secret = self.client_secret.clone().unwrap_or_default();
        let mut request = self.http.request(Method::POST, self.endpoint(path));
        match self.authentication {
            Authentication::Basic => {
                request = request.header(AUTHORIZATION, basic(&self.client_id, &secret));
            }
            Authentication::Post => {
                parameters.push(("client_id", &self.client_id));
                parameters.push(("client_secret", &secret));
            }
            Authentication::None => parameters.push(("client_id", &self.client_id)),
        }
        request.form(&parameters)
    }

    /// The JWK set that the server publishes.
    pub(crate) async fn jwks(&self) -> Value {
        let endpoint = self.endpoint("/.well-known/jwks.json");
        self.fetch(&endpoint).await.json
    }

    /// One GET.
    pub(crate) async fn fetch(&self, url: &str) -> Answer {
        Answer::of(self.http.get(url)).await
    }

    /// Signs `user` in with a new browser, and redeems the code.
    pub(crate) async fn sign_in(&self, user: &SeededUser, scope: &str) -> Tokens {
        let mut browser = Browser::new(&self.issuer);
        self.sign_in_with(&mut browser, user, scope).await
    }

    /// Signs `user` in with `browser`, and redeems the code.
    pub(crate) async fn sign_in_with(
        &self,
        browser: &mut Browser,
        user: &SeededUser,
        scope: &str,
    ) -> Tokens {
        let (request, away) = self.authorize(browser, user, scope).await;
        self.redeem(&away.code(), &request.verifier).await.tokens()
    }

    /// Signs `user` in with `browser` as far as the authorization response.
    pub(crate) async fn authorize(
        &self,
        browser: &mut Browser,
        user: &SeededUser,
        scope: &str,
    ) -> (AuthorizationRequest, Away) {
        let request = self.request(scope);
        let away = browser
            .sign_in(&request.url(), &user.username, &user.password)
            .await;
        assert_eq!(away.parameter("state").as_deref(), Some(&*request.state));
        (request, away)
    }
}

/// A client that follows no redirects.
pub(crate) fn http_client() -> reqwest::Client {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .pool_max_idle_per_host(0)
        .build()
        .expect("an HTTP client")
}

/// The value of `Authorization`, both parts form-encoded (RFC 6749 section 2.3.1).
pub(crate) fn basic(client_id: &str, secret: &str) -> String {
    let encode =
        |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encode(client_id), encode(secret));
    format!("Basic {}", STANDARD.encode(pair))
}

/// The S256 challenge of a PKCE verifier (RFC 7636 section 4.2).
pub(crate) fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

/// 32 characters that nobody has seen before.
pub(crate) fn random_text() -> String {
    Uuid::new_v4().simple().to_string()
}
