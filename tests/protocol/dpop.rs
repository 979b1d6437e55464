//! Tokens that are bound to a key of the client's (RFC 9449).

use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::assertions::assert_told;
use crate::support::balancer::Balancer;
use crate::support::browser::Browser;
use crate::support::holder::Holder;
use crate::support::jwt;
use crate::support::launch::{Database, Launch, free_port};
use crate::support::postgres;
use crate::support::process::Server;
use crate::support::relying_party::{Answer, AuthorizationRequest, RelyingParty, Tokens};

const OFFLINE: &str = "openid offline_access";

/// RFC 9449 sections 5, 6 and 7: from the code to userinfo, for JWTs and opaque tokens.
#[tokio::test]
async fn a_token_is_bound_to_the_key_that_asked_for_it() {
    let server = Server::serve();
    let opaque = add_client(&server, &json!({"access_token_format": "opaque"}));
    for party in [
        RelyingParty::single_page_app(&server),
        RelyingParty::web_app(&server),
        opaque,
    ] {
        let key = Holder::new();
        let answer = sign_in(&server, &party, &key, OFFLINE).await;
        assert_eq!(answer.member("token_type"), "DPoP");
        let tokens = answer.tokens();
        if tokens.access_token.contains('.') {
            let claims = jwt::claims(&tokens.access_token);
            assert_eq!(claims["cnf"], json!({"jkt": key.thumbprint()}));
        }
        let info = userinfo(&party, &tokens.access_token, "DPoP", Some(&key)).await;
        assert_eq!(info.status, StatusCode::OK, "{}", info.text);

        let refreshed = refresh(&party, &tokens, Some(&key)).await;
        assert_eq!(refreshed.member("token_type"), "DPoP");
        let info = userinfo(&party, &refreshed.tokens().access_token, "DPoP", Some(&key)).await;
        assert_eq!(info.status, StatusCode::OK, "{}", info.text);

        if party.client_secret.is_some() {
            let told = party.introspect(&tokens.access_token).await;
            assert_eq!(told.member("token_type"), "DPoP");
            assert_eq!(told.json["cnf"]["jkt"], key.thumbprint());
        }
    }
}

/// RFC 9449 section 7.2, CVE class of downgrades.
#[tokio::test]
async fn a_bound_token_is_good_for_nobody_without_its_key() {
    let server = Server::dev();
    let party = RelyingParty::single_page_app(&server);
    let key = Holder::new();
    let tokens = sign_in(&server, &party, &key, OFFLINE).await.tokens();
    let token = &tokens.access_token;

    let as_bearer = party.userinfo(token).await;
    as_bearer.challenged("invalid_token");
    assert!(
        as_bearer
            .header("www-authenticate")
            .starts_with("DPoP algs=\"")
    );
    for (scheme, holder) in [
        ("Bearer", Some(&key)),
        ("DPoP", None),
        ("DPoP", Some(&Holder::new())),
    ] {
        let answer = userinfo(&party, token, scheme, holder).await;
        answer.challenged("invalid_token");
    }
    let in_body = Answer::of(
        party
            .http
            .post(party.endpoint("/oauth2/userinfo"))
            .form(&[("access_token", token)]),
    );
    in_body.await.challenged("invalid_token");

    let bearer = party.sign_in(server.user("bob"), "openid").await;
    let answer = userinfo(&party, &bearer.access_token, "DPoP", Some(&key)).await;
    answer.challenged("invalid_token");
    let answer = userinfo(&party, &bearer.access_token, "Bearer", None).await;
    assert_eq!(answer.status, StatusCode::OK);
}

/// S49; RFC 9449 section 4.3.
#[tokio::test]
async fn a_proof_that_does_not_fit_its_request_is_refused() {
    let server = Server::dev();
    let party = RelyingParty::machine(&server);
    let url = party.endpoint("/oauth2/token");
    let key = Holder::new();
    let claims = |changes: Value| key.proof_with("POST", &url, &changes);
    let header = |changes: Value| {
        let claims = jwt::claims(&key.proof("POST", &url));
        key.sign(&key.header(&changes), &claims)
    };
    let now = jwt::claims(&key.proof("POST", &url))["iat"]
        .as_i64()
        .unwrap();
    let mut private = key.jwk();
    private["d"] = json!("AAAA");
    let good = key.proof("POST", &url);
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let claims_of_another = jwt::claims(&good);
    for (what, proof) in [
        ("another method", key.proof("GET", &url)),
        (
            "another URL",
            key.proof("POST", &party.endpoint("/oauth2/par")),
        ),
        (
            "another host",
            key.proof("POST", "https://evil.test/oauth2/token"),
        ),
        ("an old proof", claims(json!({"iat": now - 61}))),
        ("a proof of the future", claims(json!({"iat": now + 3600}))),
        ("an expired proof", claims(json!({"exp": now - 1}))),
        ("no jti", claims(json!({"jti": null}))),
        ("no iat", claims(json!({"iat": null}))),
        (
            "an iat that is text",
            claims(json!({"iat": now.to_string()})),
        ),
        ("no htm", claims(json!({"htm": null}))),
        ("no htu", claims(json!({"htu": null}))),
        ("no typ", header(json!({"typ": null}))),
        ("another typ", header(json!({"typ": "JWT"}))),
        ("no jwk", header(json!({"jwk": null}))),
        ("a private jwk", header(json!({"jwk": private}))),
        (
            "another key's jwk",
            header(json!({"jwk": Holder::new().jwk()})),
        ),
        ("no alg", header(json!({"alg": null}))),
        ("alg none", header(json!({"alg": "none"}))),
        ("an HMAC", header(json!({"alg": "HS256"}))),
        ("an extension", header(json!({"crit": ["exp"]}))),
        ("no signature", format!("{signed}.")),
        (
            "a signature of zeros",
            jwt::forge(&jwt::header(&good), &claims_of_another, &[0; 64]),
        ),
        (
            "a changed signature",
            format!("{signed}.A{}", &signature[1..]),
        ),
        ("no JWT", "proof".to_owned()),
        ("nothing", String::new()),
    ] {
        let answer = ask(&party, &[&proof]).await;
        assert_eq!(
            answer.status,
            StatusCode::BAD_REQUEST,
            "{what}: {}",
            answer.text
        );
        assert_eq!(answer.member("error"), "invalid_dpop_proof", "{what}");
    }
    let other = key.proof("POST", &url);
    let twice = ask(&party, &[&good, &other]).await;
    assert_eq!(twice.member("error"), "invalid_dpop_proof");

    for (what, proof) in [
        ("a clock that is behind", claims(json!({"iat": now - 10}))),
        ("a clock that is ahead", claims(json!({"iat": now + 10}))),
        (
            "a query and a fragment",
            key.proof("POST", &format!("{url}?a=b#c")),
        ),
        (
            "capitals",
            key.proof("POST", &url.replace("http://localhost", "HTTP://LOCALHOST")),
        ),
        (
            "more claims",
            claims(json!({"nbf": now, "exp": now + 300, "more": {}})),
        ),
        (
            "a long type",
            header(json!({"typ": "application/dpop+jwt"})),
        ),
    ] {
        let answer = ask(&party, &[&proof]).await;
        assert_eq!(answer.status, StatusCode::OK, "{what}: {}", answer.text);
        assert_eq!(answer.member("token_type"), "DPoP");
    }
}

/// RFC 9449 section 11.1; S49.
#[tokio::test]
async fn a_proof_is_good_once() {
    let mut server = Server::with_file();
    let party = RelyingParty::machine(&server);
    let proof = Holder::new().proof("POST", &party.endpoint("/oauth2/token"));
    let proofs = [proof.as_str()];
    let answers = join_all((0..20).map(|_| ask(&party, &proofs))).await;
    assert_one_success(&answers);

    server.restart();
    let again = ask(&party, &[&proof]).await;
    assert_eq!(again.member("error"), "invalid_dpop_proof");
}

/// The same at two replicas.
#[tokio::test]
async fn a_proof_is_good_once_at_two_replicas() {
    let Some(url) = postgres::database() else {
        return;
    };
    let server = Launch::serve().on(Database::Url(url)).start();
    let replica = server.replica(free_port());
    let balancer = Balancer::start(0, vec![server.port(), replica.port()]).await;
    let mut party = RelyingParty::machine(&server);
    let proof = Holder::new().proof("POST", &party.endpoint("/oauth2/token"));
    party.issuer = format!("http://localhost:{}", balancer.port);
    let proofs = [proof.as_str()];
    let answers = join_all((0..20).map(|_| ask(&party, &proofs))).await;
    assert!(balancer.is_fair());
    assert_one_success(&answers);
}

/// RFC 9449 sections 10 and 10.1.
#[tokio::test]
async fn a_code_is_bound_to_the_key_that_the_request_named() {
    let server = Server::dev();
    let party = RelyingParty::single_page_app(&server);
    let key = Holder::new();
    let request = party.request("openid").with("dpop_jkt", &key.thumbprint());
    for holder in [None, Some(Holder::new())] {
        let code = code(&server, &request).await;
        let answer = redeem(&party, &request, &code, holder.as_ref()).await;
        answer.refused(&["invalid_grant"]);
        // The right key's turn is not over.
        let answer = redeem(&party, &request, &code, Some(&key)).await;
        assert_eq!(answer.member("token_type"), "DPoP");
    }
    for wrong in ["", "x", &"A".repeat(44)] {
        let request = request.clone().with("dpop_jkt", wrong);
        if wrong.is_empty() {
            continue;
        }
        let mut browser = Browser::new(server.issuer());
        let arrival = browser.open(&request.url()).await;
        assert_told(arrival, &request, server.issuer(), "invalid_request");
    }
}

/// RFC 9449 section 10.1.
#[tokio::test]
async fn a_pushed_request_is_bound_by_its_proof() {
    let server = Server::dev();
    let party = RelyingParty::web_app(&server);
    let (key, other) = (Holder::new(), Holder::new());
    let request = party.request("openid");
    let par = party.endpoint("/oauth2/par");
    let push = async |request: &AuthorizationRequest, proof: String| {
        let parameters: Vec<_> = request
            .parameters
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        Answer::of(
            party
                .prepare("/oauth2/par", &parameters)
                .header("DPoP", proof),
        )
        .await
    };
    let mismatched = request.clone().with("dpop_jkt", &other.thumbprint());
    let refused = push(&mismatched, key.proof("POST", &par)).await;
    refused.refused(&["invalid_request"]);
    let wrong = push(&request, key.proof("GET", &par)).await;
    wrong.refused(&["invalid_dpop_proof"]);

    let pushed = push(&request, key.proof("POST", &par)).await;
    assert_eq!(pushed.status, StatusCode::CREATED, "{}", pushed.text);
    let mut front = request.clone();
    front.parameters = vec![
        ("client_id".to_owned(), party.client_id.clone()),
        (
            "request_uri".to_owned(),
            pushed.member("request_uri").to_owned(),
        ),
    ];
    let code = code(&server, &front).await;
    let stolen = redeem(&party, &request, &code, Some(&other)).await;
    stolen.refused(&["invalid_grant"]);
    let answer = redeem(&party, &request, &code, Some(&key)).await;
    assert_eq!(answer.member("token_type"), "DPoP");
}

/// RFC 9449 section 5: what a public client holds is only as safe as its key.
#[tokio::test]
async fn a_refresh_token_of_a_public_client_is_bound_to_its_key() {
    let server = Server::dev();
    let key = Holder::new();
    let public = RelyingParty::single_page_app(&server);
    let tokens = sign_in(&server, &public, &key, OFFLINE).await.tokens();
    for holder in [None, Some(Holder::new())] {
        let answer = refresh(&public, &tokens, holder.as_ref()).await;
        answer.refused(&["invalid_grant"]);
    }
    let next = refresh(&public, &tokens, Some(&key)).await.tokens();
    refresh(&public, &next, None)
        .await
        .refused(&["invalid_grant"]);

    // A confidential client shows who it is anyway, and may change its key.
    let confidential = RelyingParty::web_app(&server);
    let tokens = sign_in(&server, &confidential, &key, OFFLINE)
        .await
        .tokens();
    let other = Holder::new();
    let answer = refresh(&confidential, &tokens, Some(&other)).await;
    assert_eq!(
        jwt::claims(&answer.tokens().access_token)["cnf"]["jkt"],
        other.thumbprint()
    );
}

/// RFC 9449 section 5.2.
#[tokio::test]
async fn a_client_whose_tokens_are_bound_must_send_proofs() {
    let server = Server::serve();
    let party = add_client(&server, &json!({"dpop_bound_access_tokens": true}));
    let request = party.request("openid");
    let code = code(&server, &request).await;
    let answer = redeem(&party, &request, &code, None).await;
    answer.refused(&["invalid_dpop_proof"]);
    let answer = redeem(&party, &request, &code, Some(&Holder::new())).await;
    assert_eq!(answer.member("token_type"), "DPoP");
}

/// RFC 9449 sections 8 and 9.
#[tokio::test]
async fn where_nonces_are_asked_for_a_proof_without_one_is_told_the_next() {
    let server = Launch::serve()
        .variable("KEYFOB_DPOP_NONCES", "true")
        .start();
    let party = RelyingParty::machine(&server);
    let url = party.endpoint("/oauth2/token");
    let key = Holder::new();
    let first = ask(&party, &[&key.proof("POST", &url)]).await;
    first.refused(&["use_dpop_nonce"]);
    let nonce = first.header("dpop-nonce").to_owned();
    assert!(!nonce.is_empty());
    for wrong in ["", "x", &nonce.to_lowercase()] {
        let proof = key.proof_with("POST", &url, &json!({"nonce": wrong}));
        ask(&party, &[&proof]).await.refused(&["use_dpop_nonce"]);
    }
    let proof = key.proof_with("POST", &url, &json!({"nonce": nonce}));
    let answer = ask(&party, &[&proof]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(answer.header("dpop-nonce"), nonce);
    let again = ask(&party, &[&proof]).await;
    again.refused(&["invalid_dpop_proof"]);

    let plain = ask(&party, &[]).await;
    assert_eq!(plain.member("token_type"), "Bearer");
    assert_eq!(plain.header("dpop-nonce"), "");
}

/// RFC 9449 section 5.1; and pages of other origins may send proofs and read nonces.
#[tokio::test]
async fn proofs_are_announced_and_open_to_pages() {
    let server = Server::dev();
    let party = RelyingParty::single_page_app(&server);
    let metadata = party
        .fetch(&party.endpoint("/.well-known/openid-configuration"))
        .await;
    let algorithms = metadata.json["dpop_signing_alg_values_supported"].clone();
    let algorithms: Vec<String> = serde_json::from_value(algorithms).unwrap();
    assert!(algorithms.contains(&"ES256".to_owned()));
    assert!(
        !algorithms
            .iter()
            .any(|it| it.starts_with("HS") || it == "none")
    );

    let token = party.endpoint("/oauth2/token");
    let preflight = party
        .http
        .request(Method::OPTIONS, token)
        .header("Origin", "http://localhost:3000");
    let preflight = Answer::of(preflight).await;
    assert!(
        preflight
            .header("access-control-allow-headers")
            .contains("DPoP")
    );
    assert!(
        preflight
            .header("access-control-expose-headers")
            .contains("DPoP-Nonce")
    );
}

fn assert_one_success(answers: &[Answer]) {
    let good = answers.iter().filter(|it| it.status == StatusCode::OK);
    assert_eq!(good.count(), 1);
    let refused = answers.iter().filter(|it| it.status != StatusCode::OK);
    for answer in refused {
        answer.refused(&["invalid_dpop_proof"]);
    }
}

/// A confidential client with this metadata beside the usual.
fn add_client(server: &Server, metadata: &Value) -> RelyingParty {
    let mut all = json!({"redirect_uris": ["http://localhost/callback"]});
    let members = all.as_object_mut().expect("an object");
    members.extend(metadata.as_object().expect("an object").clone());
    let added = server.add_client(&all);
    let web_app = RelyingParty::web_app(server);
    RelyingParty {
        client_id: added["client_id"].as_str().expect("an id").to_owned(),
        client_secret: added["client_secret"].as_str().map(str::to_owned),
        redirect_uri: "http://localhost/callback".to_owned(),
        ..web_app
    }
}

/// Asks for a token of the client's own, with these proofs.
async fn ask(party: &RelyingParty, proofs: &[&str]) -> Answer {
    let mut request = party.prepare("/oauth2/token", &[("grant_type", "client_credentials")]);
    for proof in proofs {
        request = request.header("DPoP", *proof);
    }
    Answer::of(request).await
}

/// Signs alice in as far as the code.
async fn code(server: &Server, request: &AuthorizationRequest) -> String {
    let alice = server.user("alice");
    let mut browser = Browser::new(server.issuer());
    let url = request.url();
    let away = browser.sign_in(&url, &alice.username, &alice.password);
    away.await.code()
}

async fn sign_in(server: &Server, party: &RelyingParty, key: &Holder, scope: &str) -> Answer {
    let request = party.request(scope);
    let code = code(server, &request).await;
    redeem(party, &request, &code, Some(key)).await
}

async fn redeem(
    party: &RelyingParty,
    request: &AuthorizationRequest,
    code: &str,
    key: Option<&Holder>,
) -> Answer {
    let parameters = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", &party.redirect_uri),
        ("code_verifier", &request.verifier),
    ];
    token(party, &parameters, key).await
}

async fn refresh(party: &RelyingParty, tokens: &Tokens, key: Option<&Holder>) -> Answer {
    let parameters = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens.refresh_token.as_str()),
    ];
    token(party, &parameters, key).await
}

async fn token(party: &RelyingParty, parameters: &[(&str, &str)], key: Option<&Holder>) -> Answer {
    let mut request = party.prepare("/oauth2/token", parameters);
    if let Some(key) = key {
        request = request.header("DPoP", key.proof("POST", &party.endpoint("/oauth2/token")));
    }
    Answer::of(request).await
}

async fn userinfo(
    party: &RelyingParty,
    access_token: &str,
    scheme: &str,
    key: Option<&Holder>,
) -> Answer {
    let url = party.endpoint("/oauth2/userinfo");
    let mut request = party.http.get(&url);
    request = request.header("Authorization", format!("{scheme} {access_token}"));
    if let Some(key) = key {
        request = request.header("DPoP", key.proof_for("GET", &url, access_token));
    }
    Answer::of(request).await
}
