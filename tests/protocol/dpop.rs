//! DPoP proofs: which are accepted, and how often (RFC 9449 sections 4, 8 and 11).

use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::balancer::Balancer;
use crate::support::holder::Holder;
use crate::support::jwt;
use crate::support::launch::{Database, Launch, free_port};
use crate::support::postgres;
use crate::support::process::Server;
use crate::support::relying_party::{Answer, RelyingParty};

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

/// Asks for a token of the client's own, with these proofs.
async fn ask(party: &RelyingParty, proofs: &[&str]) -> Answer {
    let mut request = party.prepare("/oauth2/token", &[("grant_type", "client_credentials")]);
    for proof in proofs {
        request = request.header("DPoP", *proof);
    }
    Answer::of(request).await
}
