//! The FAPI 2.0 profile of single clients: Security Profile (final) section by section.

use std::time::Duration;

use jsonwebtoken::Algorithm;
use reqwest::StatusCode;
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use crate::assertions::{assert_page, assert_told, open};
use crate::client_assertions::TYPE;
use crate::fapi2_message_signing::object_claims;
use crate::pushed_authorization_requests::front_channel;
use crate::support::browser::{Away, Browser};
use crate::support::client_key::{ClientKey, assertion_claims, now};
use crate::support::holder::Holder;
use crate::support::jwt;
use crate::support::launch::Launch;
use crate::support::process::Server;
use crate::support::relying_party::{Answer, AuthorizationRequest, RelyingParty, Tokens};

pub(crate) const CALLBACK: &str = "https://rp.test/callback";

/// A client of the profile that authenticates with `private_key_jwt` and proves to hold a key.
pub(crate) struct Fapi<'a> {
    pub(crate) server: &'a Server,
    pub(crate) party: RelyingParty,
    pub(crate) key: ClientKey,
    pub(crate) holder: Holder,
}

impl<'a> Fapi<'a> {
    pub(crate) fn new(server: &'a Server) -> Self {
        Self::with(server, &json!({}))
    }

    /// With these further members.
    pub(crate) fn with(server: &'a Server, members: &Value) -> Self {
        let key = ClientKey::p256("own");
        let rsa = ClientKey::rsa(Algorithm::PS256);
        let mut metadata = json!({
            "client_id": "fapi",
            "profile": "fapi2",
            "redirect_uris": [CALLBACK],
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": {"keys": [key.jwk, rsa.jwk]},
            "dpop_bound_access_tokens": true,
            "refresh_tokens": "always",
        });
        for (name, value) in members.as_object().expect("members") {
            metadata[name] = value.clone();
        }
        let party = RelyingParty {
            redirect_uri: CALLBACK.to_owned(),
            ..RelyingParty::added(server, &metadata)
        };
        let holder = Holder::new();
        Self {
            server,
            party,
            key,
            holder,
        }
    }

    pub(crate) fn assertion_claims(&self) -> Value {
        assertion_claims("fapi", self.server.issuer())
    }

    /// Sends these parameters to `path`, authenticated by `assertion`, with this proof.
    pub(crate) async fn send(
        &self,
        path: &str,
        parameters: &[(&str, &str)],
        assertion: &str,
        proof: Option<&str>,
    ) -> Answer {
        let mut all = parameters.to_vec();
        all.push(("client_assertion_type", TYPE));
        all.push(("client_assertion", assertion));
        let mut request = self.party.prepare(path, &all);
        if let Some(proof) = proof {
            request = request.header("DPoP", proof);
        }
        Answer::of(request).await
    }

    /// Pushes `request`.
    pub(crate) async fn push(&self, request: &AuthorizationRequest) -> Answer {
        self.push_with(request, None).await
    }

    /// The same with a proof.
    async fn push_with(&self, request: &AuthorizationRequest, proof: Option<&str>) -> Answer {
        let assertion = self.key.sign(&self.assertion_claims());
        self.send("/oauth2/par", &pushed(request), &assertion, proof)
            .await
    }

    /// Pushes `request`, and gives the address to send the browser to.
    async fn pushed_url(&self, request: &AuthorizationRequest) -> Url {
        let pushed = self.push(request).await;
        assert_eq!(pushed.status, StatusCode::CREATED, "{}", pushed.text);
        front_channel(&self.party, pushed.member("request_uri"))
    }

    /// Signs alice in by way of `request`, pushed.
    pub(crate) async fn authorize(&self, request: &AuthorizationRequest) -> Away {
        let url = self.pushed_url(request).await;
        let alice = self.server.user("alice");
        let mut browser = Browser::new(self.server.issuer());
        browser
            .sign_in(&url, &alice.username, &alice.password)
            .await
    }

    pub(crate) async fn token(&self, parameters: &[(&str, &str)]) -> Answer {
        let url = self.party.endpoint("/oauth2/token");
        let proof = self.holder.proof("POST", &url);
        self.token_with(parameters, Some(&proof)).await
    }

    async fn token_with(&self, parameters: &[(&str, &str)], proof: Option<&str>) -> Answer {
        let assertion = self.key.sign(&self.assertion_claims());
        self.send("/oauth2/token", parameters, &assertion, proof)
            .await
    }

    async fn sign_in(&self) -> Tokens {
        let request = self.party.request("openid");
        let code = self.authorize(&request).await.code();
        let answer = self.token(&code_parameters(&code, &request)).await;
        assert_eq!(answer.member("token_type"), "DPoP", "{}", answer.text);
        answer.tokens()
    }
}

/// The parameters of `request` as they are pushed, beside the `client_id`.
pub(crate) fn pushed(request: &AuthorizationRequest) -> Vec<(&str, &str)> {
    let all = request.parameters.iter();
    let all = all.map(|(name, value)| (name.as_str(), value.as_str()));
    all.filter(|(name, _)| *name != "client_id").collect()
}

pub(crate) fn code_parameters<'a>(
    code: &'a str,
    request: &'a AuthorizationRequest,
) -> [(&'a str, &'a str); 4] {
    [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", &request.verifier),
    ]
}

/// Security Profile section 5.3.2.2: only pushed requests, of confidential clients, with PKCE.
#[tokio::test]
async fn a_request_has_to_be_pushed_with_a_challenge() {
    let server = Server::serve();
    let fapi = Fapi::new(&server);
    let request = fapi.party.request("openid");
    let arrival = open(&request.url()).await;
    assert_told(arrival, &request, server.issuer(), "invalid_request");
    // Signed is not pushed.
    let object = fapi.key.sign(&object_claims(&fapi, &request));
    let arrival = open(&request.clone().and("request", &object).url()).await;
    assert_told(arrival, &request, server.issuer(), "invalid_request");
    // Nor does anybody push for it.
    let answer = fapi.party.post("/oauth2/par", &pushed(&request)).await;
    answer.unauthenticated();

    for wrong in [
        request
            .clone()
            .without("code_challenge")
            .without("code_challenge_method"),
        request.clone().with("code_challenge_method", "plain"),
        request.clone().without("code_challenge_method"),
        request.clone().without("redirect_uri"),
        request
            .clone()
            .with("redirect_uri", "https://rp.test/other"),
        request.clone().with("request_uri", "urn:x"),
    ] {
        fapi.push(&wrong).await.refused(&["invalid_request"]);
    }
    for response_type in ["code id_token", "token", "id_token"] {
        let wrong = request.clone().with("response_type", response_type);
        let answer = fapi.push(&wrong).await;
        answer.refused(&["unsupported_response_type"]);
    }
}

/// Security Profile sections 5.3.2.2 and 5.3.2.1: `iss`, a minute, ten minutes, and what counts.
#[tokio::test]
async fn of_the_front_channel_only_the_reference_counts_and_all_is_short_lived() {
    let server = Launch::serve()
        .variable("KEYFOB_LIFETIMES__AUTHORIZATION_CODE", "10m")
        .variable("KEYFOB_LIFETIMES__PUSHED_REQUEST", "10m")
        .start();
    let fapi = Fapi::new(&server);
    let request = fapi.party.request("openid");
    let pushed = fapi.push(&request).await;
    assert_eq!(pushed.json["expires_in"], 599);
    let mut url = front_channel(&fapi.party, pushed.member("request_uri"));
    url.query_pairs_mut()
        .append_pair("redirect_uri", "https://evil.test/")
        .append_pair("state", "another")
        .append_pair("scope", "openid email")
        .append_pair("response_mode", "form_post");
    let alice = server.user("alice");
    let mut browser = Browser::new(server.issuer());
    let away = browser
        .sign_in(&url, &alice.username, &alice.password)
        .await;
    assert!(away.url.as_str().starts_with(CALLBACK), "{}", away.url);
    assert_eq!(away.parameter("state").as_ref(), Some(&request.state));
    assert_eq!(away.parameter("iss").as_deref(), Some(server.issuer()));
    let is_get = [StatusCode::FOUND, StatusCode::SEE_OTHER].contains(&away.status);
    assert!(is_get, "{}", away.status);
    let again = browser.open(&url).await;
    assert_told(again, &request, server.issuer(), "invalid_request_uri");
    // Another client's.
    let other = front_channel(
        &RelyingParty::web_app(&server),
        pushed.member("request_uri"),
    );
    assert_page(open(&other).await, "another client's request_uri");

    let age = Duration::from_secs(61);
    server
        .age("authorization_codes", &["expires_at"], age)
        .await;
    let late = fapi.token(&code_parameters(&away.code(), &request)).await;
    late.refused(&["invalid_grant"]);
}

/// Security Profile section 5.3.2.1, items on client assertions, and section 5.4.1.
#[tokio::test]
async fn a_client_authenticates_to_the_issuer_alone_with_an_algorithm_of_the_profile() {
    let server = Server::serve();
    let fapi = Fapi::with(
        &server,
        &json!({"grant_types": ["authorization_code", "client_credentials"], "scope": "a"}),
    );
    let issuer = server.issuer();
    let parameters = [("grant_type", "client_credentials")];
    let url = fapi.party.endpoint("/oauth2/token");
    let try_with = async |key: &ClientKey, claims: &Value| {
        let proof = fapi.holder.proof("POST", &url);
        let assertion = key.sign(claims);
        fapi.send("/oauth2/token", &parameters, &assertion, Some(&proof))
            .await
    };
    for (changes, is_right) in [
        (json!({}), true),
        (json!({"nbf": now() + 8, "iat": now() + 8}), true),
        (json!({"aud": [issuer]}), false),
        (json!({"aud": url}), false),
        (json!({"aud": fapi.party.endpoint("/oauth2/par")}), false),
        (json!({"aud": format!("{issuer}/")}), false),
        (json!({"sub": null}), false),
        (json!({"exp": now() - 300}), false),
        (json!({"nbf": now() + 65}), false),
    ] {
        let mut claims = fapi.assertion_claims();
        for (name, value) in changes.as_object().expect("changes") {
            claims[name] = value.clone();
        }
        let answer = try_with(&fapi.key, &claims).await;
        if is_right {
            assert_eq!(answer.status, StatusCode::OK, "{changes}: {}", answer.text);
        } else {
            answer.unauthenticated();
        }
    }
    for (algorithm, is_right) in [
        (Algorithm::PS256, true),
        (Algorithm::RS256, false),
        (Algorithm::PS384, false),
    ] {
        let key = ClientKey::rsa(algorithm);
        let answer = try_with(&key, &fapi.assertion_claims()).await;
        if is_right {
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        } else {
            answer.unauthenticated();
        }
    }
    let proof = fapi.holder.proof("POST", &url);
    let answer = fapi
        .party
        .prepare("/oauth2/token", &parameters)
        .header("DPoP", proof);
    Answer::of(answer).await.unauthenticated();
}

/// Security Profile sections 5.3.2.1 and 5.4.1: no token without a key, and what signs.
#[tokio::test]
async fn a_token_is_bound_and_nothing_is_signed_with_rs256() {
    let server = Server::serve();
    let fapi = Fapi::new(&server);
    let request = fapi.party.request("openid");
    let code = fapi.authorize(&request).await.code();
    let parameters = code_parameters(&code, &request);
    let url = fapi.party.endpoint("/oauth2/token");
    let rs256 = rsa_proof(Algorithm::RS256, "POST", &url, &json!({}));
    for proof in [None, Some(rs256.as_str())] {
        let answer = fapi.token_with(&parameters, proof).await;
        answer.refused(&["invalid_dpop_proof"]);
    }
    let ps256 = rsa_proof(Algorithm::PS256, "POST", &url, &json!({}));
    let tokens = fapi.token_with(&parameters, Some(&ps256)).await.tokens();
    for token in [&tokens.id_token, &tokens.access_token] {
        assert_eq!(jwt::header(token)["alg"], "ES256");
    }
    let userinfo = async |algorithm| {
        let url = fapi.party.endpoint("/oauth2/userinfo");
        let token = &tokens.access_token;
        let ath = crate::support::relying_party::challenge(token);
        let proof = rsa_proof(algorithm, "GET", &url, &json!({"ath": ath}));
        let request = fapi.party.http.get(&url);
        let request = request.header("Authorization", format!("DPoP {token}"));
        Answer::of(request.header("DPoP", proof)).await
    };
    userinfo(Algorithm::RS256)
        .await
        .challenged("invalid_dpop_proof");
    assert_eq!(userinfo(Algorithm::PS256).await.status, StatusCode::OK);

    let par = fapi.party.endpoint("/oauth2/par");
    let rs256 = rsa_proof(Algorithm::RS256, "POST", &par, &json!({}));
    let answer = fapi.push_with(&request, Some(&rs256)).await;
    answer.refused(&["invalid_dpop_proof"]);
}

/// A proof by an RSA key.
fn rsa_proof(algorithm: Algorithm, method: &str, url: &str, more: &Value) -> String {
    let key = ClientKey::rsa(algorithm);
    let mut header = key.header();
    header["typ"] = "dpop+jwt".into();
    header["jwk"] = key.jwk.clone();
    let mut claims = json!({
        "jti": Uuid::new_v4().to_string(), "htm": method, "htu": url, "iat": now(),
    });
    for (name, value) in more.as_object().expect("claims") {
        claims[name] = value.clone();
    }
    key.sign_with_header(&header, &claims)
}

/// Security Profile section 5.3.2.1: no rotation, so that no retry loses the token.
#[tokio::test]
async fn a_refresh_token_stays_the_same_and_good() {
    let server = Server::serve();
    let fapi = Fapi::new(&server);
    let tokens = fapi.sign_in().await;
    let parameters = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens.refresh_token.as_str()),
    ];
    for _ in 0..3 {
        let answer = fapi.token(&parameters).await;
        let refreshed = answer.tokens();
        assert_eq!(refreshed.refresh_token, tokens.refresh_token);
        let cnf = jwt::claims(&refreshed.access_token)["cnf"].clone();
        assert_eq!(cnf["jkt"], fapi.holder.thumbprint());
        // Whoever uses it goes on using it: each use is as good as a new one.
        let age = Duration::from_hours(24 * 20);
        server.age("refresh_tokens", &["expires_at"], age).await;
    }
    let unused = Duration::from_hours(24 * 11);
    server.age("refresh_tokens", &["expires_at"], unused).await;
    let answer = fapi.token(&parameters).await;
    answer.refused(&["invalid_grant"]);
    let answer = fapi.token_with(&parameters, None).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}

/// What does not go with the profile is not registered, and the member is named.
#[tokio::test]
async fn a_client_is_registered_only_as_its_profile_has_it() {
    let server = Server::serve();
    let metadata = json!({
        "profile": "fapi2",
        "redirect_uris": [CALLBACK],
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": ClientKey::p256("own").jwks(),
        "dpop_bound_access_tokens": true,
    });
    let add = |metadata: &Value| {
        let text = metadata.to_string();
        let output = server.run(&["client", "add", "--metadata", "-", "--json"], &text);
        let said = [output.stdout, output.stderr].concat();
        (
            output.status.success(),
            String::from_utf8_lossy(&said).into_owned(),
        )
    };
    for (member, value) in [
        ("token_endpoint_auth_method", json!("client_secret_basic")),
        ("dpop_bound_access_tokens", json!(false)),
        ("id_token_signed_response_alg", json!("RS256")),
        ("redirect_uris", json!(["http://127.0.0.1/callback"])),
        ("profile", json!("fapi1")),
    ] {
        let mut metadata = metadata.clone();
        metadata[member] = value;
        let (is_registered, said) = add(&metadata);
        assert!(!is_registered && said.contains(member), "{member}: {said}");
    }
    let (is_registered, said) = add(&metadata);
    assert!(is_registered, "{said}");
}
