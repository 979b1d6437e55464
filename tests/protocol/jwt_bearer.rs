//! RFC 7523 section 2.1: a workload of a trusted issuer acts as a client without a secret.

use std::fs;

use futures_util::future::join_all;
use jsonwebtoken::Algorithm;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use crate::support::certificates::CertificateAuthority;
use crate::support::client_key::{ClientKey, now};
use crate::support::jwt;
use crate::support::launch::Launch;
use crate::support::peer::{Peer, write_json};
use crate::support::process::Server;
use crate::support::relying_party::{Answer, Authentication, RelyingParty, http_client};
use crate::support::seeds::SeededClient;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const CI: &str = "https://ci.test";
const CLUSTER: &str = "https://cluster.test";
const ON_MAIN: &str = "repo:acme/app:ref:refs/heads/main";

/// A server that trusts a CI system and a cluster, and their keys.
struct Scene {
    server: Server,
    deployer: RelyingParty,
    key: ClientKey,
    _keys: TempDir,
}

impl Scene {
    fn new() -> Self {
        let key = ClientKey::p256("ci");
        let keys = tempfile::tempdir().expect("a directory");
        let file = keys.path().join("jwks.json");
        fs::write(&file, key.jwks().to_string()).expect("a file");
        let mut launch = Launch::serve();
        for (name, issuer) in [("CI", CI), ("CLUSTER", CLUSTER)] {
            let setting = |member: &str| format!("KEYFOB_TRUSTED_ISSUERS__{name}__{member}");
            launch = launch
                .variable(&setting("ISSUER"), issuer)
                .variable(&setting("JWKS_FILE"), &file.display().to_string())
                .variable(&setting("AUDIENCE"), "keyfob");
        }
        launch = launch.variable("KEYFOB_TRUSTED_ISSUERS__CLUSTER__SINGLE_USE", "false");
        let server = launch.start();
        let deployer = register(&server, "deployer");
        Self {
            server,
            deployer,
            key,
            _keys: keys,
        }
    }

    /// An assertion of the CI system, changed so.
    fn assertion(&self, changes: &Value) -> String {
        self.key.sign(&claims(changes))
    }

    async fn present(&self, assertion: &str) -> Answer {
        present(&self.deployer, assertion).await
    }
}

fn claims(changes: &Value) -> Value {
    let mut claims = json!({
        "iss": CI, "sub": ON_MAIN, "aud": "keyfob", "repository": "acme/app",
        "iat": now(), "exp": now() + 300, "jti": Uuid::new_v4().to_string(),
    });
    for (name, value) in changes.as_object().expect("changes") {
        claims[name] = value.clone();
    }
    claims
}

/// Registers a client that is a job on the main branch, and a workload in the cluster.
fn register(server: &Server, client_id: &str) -> RelyingParty {
    let metadata = json!({
        "client_id": client_id,
        "token_endpoint_auth_method": "none",
        "grant_types": [GRANT],
        "response_types": [],
        "redirect_uris": [],
        "scope": "deploy:write deploy:read openid",
        "access_token_audience": ["https://deploy.test"],
        "workload_identities": [
            {"issuer": CI, "subject": "repo:acme/*:ref:refs/heads/main",
                "claims": {"repository": "acme/app"}},
            {"issuer": CLUSTER, "subject": "system:serviceaccount:prod:deployer",
                "claims": {"/kubernetes.io/namespace": "prod"}},
        ],
    });
    server.add_client(&metadata);
    let client: SeededClient = serde_json::from_value(metadata).expect("a client");
    RelyingParty::seeded(server, &client, Authentication::None)
}

async fn present(party: &RelyingParty, assertion: &str) -> Answer {
    let parameters = [("grant_type", GRANT), ("assertion", assertion)];
    party.token(&parameters).await
}

/// RFC 7523 sections 2.1 and 3; RFC 7521 section 4.1.
#[tokio::test]
async fn a_ci_job_and_a_workload_of_a_cluster_get_a_token_without_a_secret() {
    let scene = Scene::new();
    let endpoint = scene.server.url("/oauth2/token").to_string();
    for audience in [
        json!("keyfob"),
        json!(scene.server.issuer()),
        json!(["x", endpoint]),
    ] {
        let assertion = scene.assertion(&json!({"aud": audience}));
        let answer = scene.present(&assertion).await;
        let token = answer.tokens();
        assert_eq!(answer.member("scope"), "deploy:write deploy:read");
        assert_eq!((&*token.refresh_token, &*token.id_token), ("", ""));
        let claims = jwt::verify(&token.access_token, &scene.deployer.jwks().await);
        assert_eq!(claims["sub"], "deployer");
        assert_eq!(claims["client_id"], "deployer");
        assert_eq!(claims["aud"], "https://deploy.test");
    }
    let in_cluster = json!({
        "iss": CLUSTER,
        "sub": "system:serviceaccount:prod:deployer",
        "kubernetes.io": {"namespace": "prod"},
    });
    let assertion = scene.assertion(&in_cluster);
    // A workload has its JWT for an hour and presents it as often as it needs.
    for _ in 0..2 {
        scene.present(&assertion).await.tokens();
    }
    let narrow = scene
        .deployer
        .token(&[
            ("grant_type", GRANT),
            ("assertion", &assertion),
            ("scope", "deploy:read"),
        ])
        .await;
    narrow.tokens();
    assert_eq!(narrow.member("scope"), "deploy:read");
    let identity = scene
        .deployer
        .token(&[
            ("grant_type", GRANT),
            ("assertion", &assertion),
            ("scope", "openid"),
        ])
        .await;
    identity.refused(&["invalid_scope"]);

    let metadata = scene.deployer.endpoint("/.well-known/openid-configuration");
    let metadata = scene.deployer.fetch(&metadata).await;
    let grants = metadata.json["grant_types_supported"].to_string();
    assert!(grants.contains(GRANT), "{grants}");
}

/// S45, of these assertions; RFC 7523 section 3.
#[tokio::test]
async fn an_assertion_that_is_not_for_this_client_here_and_now_is_refused() {
    let scene = Scene::new();
    let now = now();
    for changes in [
        json!({"sub": "repo:acme/app:ref:refs/heads/feature"}),
        json!({"sub": "repo:acme/app:environment:x:ref:refs/heads/main"}),
        json!({"sub": "repo:evil/app:ref:refs/heads/main"}),
        json!({"sub": ""}),
        json!({"sub": null}),
        json!({"repository": "acme/other"}),
        json!({"repository": null}),
        json!({"iss": CLUSTER}),
        json!({"iss": "https://unknown.test"}),
        json!({"iss": format!("{CI}/")}),
        json!({"iss": null}),
        json!({"aud": "elsewhere"}),
        json!({"aud": null}),
        json!({"aud": {}}),
        json!({"aud": [1]}),
        json!({"exp": null}),
        json!({"exp": now - 1}),
        json!({"exp": now + 7200}),
        json!({"exp": "9999999999"}),
        json!({"exp": 1e300}),
        json!({"nbf": now + 60}),
        json!({"iat": now + 60}),
    ] {
        let answer = scene.present(&scene.assertion(&changes)).await;
        answer.refused(&["invalid_grant"]);
    }
    let good = scene.assertion(&json!({}));
    let stranger = ClientKey::p256("ci").sign(&claims(&json!({})));
    let another = ClientKey::p256("other").sign(&claims(&json!({})));
    let unsigned = jwt::forge(&json!({"alg": "none"}), &claims(&json!({})), b"");
    let secret = scene.key.jwk.to_string();
    let confused = ClientKey::secret(secret.as_bytes(), Algorithm::HS256);
    let confused = confused.sign(&claims(&json!({})));
    let foreign = scene.key.sign_with_header(
        &json!({"alg": "ES256", "kid": "ci", "typ": "at+jwt"}),
        &claims(&json!({})),
    );
    let garbage = ["x", "a.b.c", &good[..good.len() - 2], &format!("{good}x")].map(str::to_owned);
    for assertion in [stranger, another, unsigned, confused, foreign]
        .into_iter()
        .chain(garbage)
    {
        let answer = scene.present(&assertion).await;
        answer.refused(&["invalid_grant"]);
    }
    let empty = scene.present("").await;
    empty.refused(&["invalid_request"]);
    // Nothing of that has used it up.
    scene.present(&good).await.tokens();
}

/// S46, of these assertions.
#[tokio::test]
async fn an_assertion_with_a_jti_counts_once() {
    let mut scene = Scene::new();
    let assertion = scene.assertion(&json!({}));
    let answers = join_all((0..20).map(|_| scene.present(&assertion))).await;
    let good = answers.iter().filter(|it| it.status == StatusCode::OK);
    assert_eq!(good.count(), 1);
    scene.server.restart();
    scene.present(&assertion).await.refused(&["invalid_grant"]);
    let without = scene.assertion(&json!({"jti": null}));
    for _ in 0..2 {
        scene.present(&without).await.tokens();
    }
}

/// S50, of this grant: the assertion replaces the secret of a client that has none, and no more.
#[tokio::test]
async fn a_workload_is_only_the_client_that_it_is_registered_as() {
    let scene = Scene::new();
    let assertion = scene.assertion(&json!({}));
    let machine = RelyingParty::machine(&scene.server);
    let answer = present(&machine, &assertion).await;
    answer.refused(&["unauthorized_client"]);
    let without_secret = machine.authenticating(Authentication::None);
    present(&without_secret, &assertion).await.unauthenticated();
    let nameless = http_client()
        .post(scene.server.url("/oauth2/token"))
        .form(&[("grant_type", GRANT), ("assertion", &assertion)]);
    Answer::of(nameless).await.unauthenticated();
    let itself = [("grant_type", "client_credentials")];
    let answer = scene.deployer.token(&itself).await;
    answer.refused(&["unauthorized_client"]);
    for (workloads, code) in [
        (json!([]), 5),
        (json!([{"issuer": CI, "subject": "*"}]), 5),
        (json!([{"issuer": CI}]), 5),
    ] {
        let metadata = json!({"grant_types": [GRANT], "workload_identities": workloads});
        let file = scene.server.directory().join("workload.json");
        fs::write(&file, metadata.to_string()).expect("a file");
        let file = file.display().to_string();
        let added = scene
            .server
            .run(&["client", "add", "--metadata", &file], "");
        assert_eq!(added.status.code(), Some(code), "{workloads}");
    }
    scene.present(&assertion).await.tokens();
}

/// OpenID Connect Discovery 1.0 section 4: the keys are found, and found again when they change.
#[tokio::test]
async fn the_keys_of_an_issuer_are_discovered_and_its_failure_passes() {
    let authority = CertificateAuthority::new("Cluster");
    let (first, second) = (ClientKey::p256("first"), ClientKey::p256("second"));
    let jwks = json!({"keys": [first.jwk, second.jwk]}).to_string();
    let peer = Peer::https(&authority.server(&["localhost"]), move |request, stream| {
        let host = request.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("host")
                .then(|| value.trim().to_owned())
        });
        let issuer = format!("https://{}", host.unwrap_or_default());
        // The impostor has the document of another issuer.
        if request.contains("/.well-known/openid-configuration ") {
            let document = json!({"issuer": issuer, "jwks_uri": format!("{issuer}/jwks")});
            write_json(stream, "", &document.to_string());
        } else {
            write_json(stream, "", &jwks);
        }
    });
    let keys = tempfile::tempdir().expect("a directory");
    let ca = keys.path().join("ca.pem");
    fs::write(&ca, authority.pem()).expect("a file");
    let issuer = peer.url("");
    let impostor = peer.url("/impostor");
    let server = Launch::serve()
        .variable("KEYFOB_TRUSTED_ISSUERS__A__ISSUER", &issuer)
        .variable("KEYFOB_TRUSTED_ISSUERS__B__ISSUER", &impostor)
        .variable("KEYFOB_TRUSTED_ISSUERS__C__ISSUER", "https://localhost:1")
        .variable(
            "KEYFOB_OUTBOUND__ALLOW",
            &format!("localhost:{}", peer.port()),
        )
        .variable("KEYFOB_OUTBOUND__EXTRA_CA_FILE", &ca.display().to_string())
        .start();
    let workloads: Vec<_> = [&*issuer, &*impostor, "https://localhost:1"]
        .iter()
        .map(|issuer| json!({"issuer": issuer, "subject": "job"}))
        .collect();
    let metadata = json!({
        "client_id": "job",
        "token_endpoint_auth_method": "none",
        "grant_types": [GRANT],
        "response_types": [],
        "redirect_uris": [],
        "workload_identities": workloads,
    });
    server.add_client(&metadata);
    let client: SeededClient = serde_json::from_value(metadata).expect("a client");
    let job = RelyingParty::seeded(&server, &client, Authentication::None);
    let about =
        |issuer: &str| claims(&json!({"iss": issuer, "sub": "job", "aud": server.issuer()}));
    for key in [&first, &second] {
        present(&job, &key.sign(&about(&issuer))).await.tokens();
    }
    assert_eq!(peer.requests().len(), 2, "one of each");
    for unreachable in [&*impostor, "https://localhost:1"] {
        let answer = present(&job, &first.sign(&about(unreachable))).await;
        assert_eq!(
            answer.status,
            StatusCode::SERVICE_UNAVAILABLE,
            "{}",
            answer.text
        );
        assert_eq!(answer.member("error"), "temporarily_unavailable");
    }
}
