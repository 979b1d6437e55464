//! Request objects (RFC 9101; OpenID Connect Core 1.0 section 6).

use serde_json::{Value, json};
use url::Url;

use crate::assertions::{assert_page, assert_told, open};
use crate::pushed_authorization_requests::front_channel;
use crate::support::browser::Browser;
use crate::support::client_key::{ClientKey, now};
use crate::support::jwt;
use crate::support::launch::Launch;
use crate::support::peer::Peer;
use crate::support::process::Server;
use crate::support::relying_party::{Authentication, AuthorizationRequest, RelyingParty};

const SECRET: &str = "kfs_a-secret-for-tests-that-nobody-else-uses-0123";

/// Registers a client with that key and these members.
fn register(server: &Server, key: &ClientKey, members: &Value) -> RelyingParty {
    let mut metadata = json!({
        "client_id": "signer",
        "client_secret": SECRET,
        "redirect_uris": ["https://rp.test/cb"],
        "jwks": key.jwks(),
    });
    for (name, value) in members.as_object().expect("an object") {
        metadata[name] = value.clone();
    }
    let client_id = metadata["client_id"].as_str().expect("a name").to_owned();
    server.add_client(&metadata);
    RelyingParty {
        client_id,
        client_secret: Some(SECRET.to_owned()),
        redirect_uri: "https://rp.test/cb".to_owned(),
        authentication: Authentication::Basic,
        ..RelyingParty::web_app(server)
    }
}

/// The claims of a good request object with `request` in it.
fn claims(party: &RelyingParty, request: &AuthorizationRequest) -> Value {
    let now = now();
    let mut claims = json!({
        "iss": party.client_id,
        "aud": party.issuer,
        "iat": now,
        "nbf": now,
        "exp": now + 300,
    });
    for (name, value) in &request.parameters {
        claims[name.as_str()] = value.as_str().into();
    }
    claims
}

/// A JWT of `key` with these claims and that `typ`.
fn sign(key: &ClientKey, typ: &str, claims: &Value) -> String {
    let mut header = key.header();
    header["typ"] = typ.into();
    key.sign_with_header(&header, claims)
}

/// The address with the parameters of `request` and this object.
fn with_object(request: &AuthorizationRequest, object: &str) -> Url {
    request.clone().and("request", object).url()
}

/// RFC 9101 sections 5, 6.2 and 6.3.
#[tokio::test]
async fn only_what_the_client_signed_counts() {
    let server = Server::serve();
    let key = ClientKey::p256("k1");
    let party = register(&server, &key, &json!({}));
    let alice = server.user("alice");
    for typ in ["JWT", "oauth-authz-req+jwt"] {
        let request = party.request("openid email");
        let object = sign(&key, typ, &claims(&party, &request));
        // Beside it stands something else, and `client_id` alone is enough.
        let beside = request
            .clone()
            .with("redirect_uri", "https://evil.test/")
            .with("scope", "openid profile")
            .with("state", "outer")
            .with("nonce", "outer")
            .with("response_mode", "form_post");
        for url in [with_object(&beside, &object), by_value(&party, &object)] {
            let mut browser = Browser::new(server.issuer());
            let away = browser
                .sign_in(&url, &alice.username, &alice.password)
                .await;
            assert_eq!(away.parameter("state").as_ref(), Some(&request.state));
            assert!(away.url.as_str().starts_with("https://rp.test/cb?"));
            let answer = party.redeem(&away.code(), &request.verifier).await;
            assert_eq!(answer.json["scope"], "openid email", "{}", answer.text);
            let id_token = jwt::claims(answer.member("id_token"));
            assert_eq!(id_token["nonce"], request.nonce.as_str());
        }
    }
}

/// RFC 9101 section 5: the least there is.
fn by_value(party: &RelyingParty, object: &str) -> Url {
    let endpoint = party.endpoint("/oauth2/authorize");
    let parameters = [("client_id", party.client_id.as_str()), ("request", object)];
    Url::parse_with_params(&endpoint, parameters).expect("a URL")
}

/// RFC 9101 sections 6 and 10; RFC 8725; S92.
#[tokio::test]
async fn a_request_object_that_is_not_right_is_refused() {
    let server = Server::serve();
    let key = ClientKey::p256("k1");
    let party = register(&server, &key, &json!({}));
    let request = party.request("openid");
    let good = claims(&party, &request);
    let issuer = server.issuer();
    let mut objects = Vec::new();
    for (name, value) in [
        ("iss", json!("somebody")),
        ("aud", json!("https://other.test")),
        ("aud", json!([])),
        ("exp", json!(now() - 1)),
        ("exp", json!("9999999999")),
        ("nbf", json!(now() + 60)),
        ("iat", json!(now() + 60)),
        ("sub", json!(party.client_id)),
        ("client_id", json!("somebody")),
        ("request", json!("e30.e30.")),
        ("request_uri", json!("https://rp.test/r")),
        ("state", json!("a\u{0}b")),
    ] {
        let mut claims = good.clone();
        claims[name] = value;
        objects.push(sign(&key, "JWT", &claims));
    }
    for typ in ["at+jwt", "logout+jwt", "dpop+jwt"] {
        objects.push(sign(&key, typ, &good));
    }
    let object = sign(&key, "JWT", &good);
    let (message, signature) = object.rsplit_once('.').expect("a JWT");
    let header = json!({"alg": "HS256", "kid": "k1"});
    objects.extend([
        sign(&ClientKey::p256("k1"), "JWT", &good),
        sign(&ClientKey::p256("k2"), "JWT", &good),
        key.sign_with_header(&json!({"alg": "RS256", "kid": "k1"}), &good),
        key.sign_with_header(&json!({"alg": "ES256", "crit": ["x"], "x": 1}), &good),
        jwt::forge(&json!({"alg": "none"}), &good, b""),
        jwt::forge(&json!({"alg": "none"}), &good, b"x"),
        jwt::forge(&json!({"alg": "None"}), &good, b""),
        jwt::forge(&header, &good, &[0; 32]),
        format!("{message}.{}", "A".repeat(86)),
        format!("{message}."),
        format!("{object}.{signature}"),
        // Kanidm's recursion, and two readers' disagreement.
        key.sign_text(&key.header(), &format!("{{\"a\":{}", "[".repeat(5000))),
        key.sign_text(&key.header(), r#"{"scope":"openid","scope":"email"}"#),
        "eyJhbGciOiJFUzI1NiJ9".to_owned(),
        "x".to_owned(),
    ]);
    for object in &objects {
        let arrival = open(&with_object(&request, object)).await;
        let told = assert_told(arrival, &request, issuer, "invalid_request_object");
        assert_eq!(told.parameter("state").as_ref(), Some(&request.state));
        // Without a redirect URI beside it there is nowhere to tell it.
        assert_page(open(&by_value(&party, object)).await, object);
        let pushed = party.post("/oauth2/par", &[("request", object)]).await;
        pushed.refused(&["invalid_request_object"]);
    }
    // What stands beside it as well says the same (OIDC Core section 6.1).
    let mut other_type = good.clone();
    other_type["response_type"] = json!("token");
    let url = with_object(&request, &sign(&key, "JWT", &other_type));
    assert_told(open(&url).await, &request, issuer, "invalid_request_object");
    let twice = request.clone().and("request", &object);
    let arrival = open(&with_object(&twice, &object)).await;
    assert_told(arrival, &request, issuer, "invalid_request");
    let both = request.clone().and("request_uri", "https://rp.test/r");
    let arrival = open(&with_object(&both, &object)).await;
    assert_told(arrival, &request, issuer, "invalid_request");
    let elsewhere = request.clone().with("redirect_uri", "https://evil.test/");
    let evil = sign(&key, "JWT", &claims(&party, &elsewhere));
    assert_page(open(&by_value(&party, &evil)).await, "redirect_uri inside");
    // A client without keys can prove nothing.
    let keyless = RelyingParty::web_app(&server);
    let other = keyless.request("openid");
    let object = sign(&key, "JWT", &claims(&keyless, &other));
    let arrival = open(&with_object(&other, &object)).await;
    assert_told(arrival, &other, issuer, "invalid_request_object");
}

/// RFC 9126 section 3: pushed and signed.
#[tokio::test]
async fn a_request_object_may_be_pushed() {
    let server = Server::serve();
    let key = ClientKey::p256("k1");
    let party = register(
        &server,
        &key,
        &json!({"require_signed_request_object": true}),
    );
    let request = party.request("openid email");
    let object = sign(&key, "oauth-authz-req+jwt", &claims(&party, &request));
    let beside = [
        ("request", &*object),
        ("scope", "openid"),
        ("state", "outer"),
    ];
    let pushed = party.post("/oauth2/par", &beside).await;
    let url = front_channel(&party, pushed.member("request_uri"));
    let alice = server.user("alice");
    let mut browser = Browser::new(server.issuer());
    let away = browser
        .sign_in(&url, &alice.username, &alice.password)
        .await;
    assert_eq!(away.parameter("state").as_ref(), Some(&request.state));
    let answer = party.redeem(&away.code(), &request.verifier).await;
    assert_eq!(answer.json["scope"], "openid email", "{}", answer.text);

    // RFC 9101 section 10.5: what nobody signed is refused of this client, everywhere.
    let parameters = request.parameters.iter();
    let plain: Vec<_> = parameters
        .map(|(name, value)| (&**name, &**value))
        .collect();
    let pushed = party.post("/oauth2/par", &plain).await;
    pushed.refused(&["invalid_request"]);
    let arrival = open(&request.url()).await;
    assert_told(arrival, &request, server.issuer(), "invalid_request");
}

/// RFC 7591 section 2; OpenID Connect Dynamic Client Registration 1.0 section 2.
#[tokio::test]
async fn the_algorithm_of_request_objects_is_the_clients() {
    let server = Launch::serve()
        .variable("KEYFOB_UNSIGNED_REQUEST_OBJECTS", "true")
        .start();
    let key = ClientKey::p256("k1");
    let issuer = server.issuer();
    let member = |algorithm: &str| json!({"client_id": format!("signs-{algorithm}"), "request_object_signing_alg": algorithm});
    for (members, signed, unsigned) in [
        (json!({}), true, true),
        (member("ES256"), true, false),
        (member("PS256"), false, false),
        (member("none"), false, true),
        (
            json!({"client_id": "strict", "require_signed_request_object": true}),
            true,
            false,
        ),
    ] {
        let party = register(&server, &key, &members);
        let request = party.request("openid");
        let claims = claims(&party, &request);
        let without_signature = jwt::forge(&json!({"alg": "none"}), &claims, b"");
        for (object, is_good) in [
            (sign(&key, "JWT", &claims), signed),
            (without_signature, unsigned),
        ] {
            let url = with_object(&request, &object);
            if is_good {
                Browser::new(issuer).open_login(&url).await;
            } else {
                let arrival = open(&url).await;
                assert_told(arrival, &request, issuer, "invalid_request_object");
            }
        }
    }
    let party = RelyingParty::web_app(&server);
    let metadata = party.endpoint("/.well-known/openid-configuration");
    let metadata = party.fetch(&metadata).await.json;
    assert_eq!(metadata["request_parameter_supported"], true);
    assert_eq!(metadata["request_uri_parameter_supported"], false);
    assert_eq!(metadata["require_request_uri_registration"], Value::Null);
    let algorithms = &metadata["request_object_signing_alg_values_supported"];
    for algorithm in ["RS256", "PS256", "ES256", "EdDSA", "none"] {
        let algorithms = algorithms.as_array().expect("a list");
        assert!(algorithms.contains(&json!(algorithm)), "{algorithm}");
    }
}

/// RFC 9101 section 5.2; OpenID Connect Core 1.0 section 6.2; S92.
#[tokio::test]
async fn a_registered_request_uri_is_fetched_where_that_is_switched_on() {
    let key = ClientKey::p256("k1");
    let (sender, receiver) = std::sync::mpsc::channel::<String>();
    let receiver = std::sync::Mutex::new(receiver);
    let peer = Peer::serving(move || {
        let receiver = receiver.lock().expect("a receiver");
        receiver.try_recv().unwrap_or_default()
    });
    let request_uri = peer.url("/request#a-hash");
    let elsewhere = Peer::serving(String::new);
    let server = Launch::serve()
        .variable("KEYFOB_REQUEST_URI", "true")
        .variable(
            "KEYFOB_OUTBOUND__ALLOW",
            &format!("localhost:{}", peer.port()),
        )
        .start();
    let members = json!({"request_uris": [request_uri, elsewhere.url("/private")]});
    let party = register(&server, &key, &members);
    let issuer = server.issuer();
    let request = party.request("openid email");
    let with_uri = |uri: &str| request.clone().and("request_uri", uri).url();
    let object = sign(&key, "JWT", &claims(&party, &request));

    sender.send(object.clone()).expect("a peer");
    let mut browser = Browser::new(issuer);
    let alice = server.user("alice");
    let away = browser
        .sign_in(
            &front_channel(&party, &request_uri),
            &alice.username,
            &alice.password,
        )
        .await;
    let answer = party.redeem(&away.code(), &request.verifier).await;
    assert_eq!(answer.json["scope"], "openid email", "{}", answer.text);
    // It was fetched once, and not again at each page.
    assert_eq!(peer.connections(), 1);

    for (uri, document, error) in [
        (
            &*request_uri,
            jwt::forge(&json!({"alg": "none"}), &claims(&party, &request), b""),
            "invalid_request_object",
        ),
        (
            &*request_uri,
            sign(&ClientKey::p256("k1"), "JWT", &claims(&party, &request)),
            "invalid_request_object",
        ),
        (&*request_uri, String::new(), "invalid_request_object"),
        (&*request_uri, "x".repeat(100_000), "invalid_request_uri"),
        (
            &*peer.url("/request"),
            object.clone(),
            "invalid_request_uri",
        ),
        (
            &*peer.url("/other#a-hash"),
            object.clone(),
            "invalid_request_uri",
        ),
        (
            &*elsewhere.url("/private"),
            String::new(),
            "invalid_request_uri",
        ),
        (
            "https://169.254.169.254/",
            String::new(),
            "invalid_request_uri",
        ),
    ] {
        let _ = sender.send(document);
        let arrival = open(&with_uri(uri)).await;
        assert_told(arrival, &request, issuer, error);
    }
    assert_eq!(elsewhere.connections(), 0);
    let reference = [("request_uri", &*request_uri)];
    let pushed = party.post("/oauth2/par", &reference).await;
    pushed.refused(&["invalid_request"]);
    let metadata = party.endpoint("/.well-known/openid-configuration");
    let metadata = party.fetch(&metadata).await.json;
    assert_eq!(metadata["request_uri_parameter_supported"], true);
    assert_eq!(metadata["require_request_uri_registration"], true);
}

/// OpenID Connect Core 1.0 section 3.1.2.6.
#[tokio::test]
async fn a_request_uri_is_not_fetched_where_that_is_not_switched_on() {
    let server = Server::serve();
    let peer = Peer::serving(String::new);
    let request_uri = peer.url("/request");
    let key = ClientKey::p256("k1");
    let party = register(&server, &key, &json!({"request_uris": [request_uri]}));
    let request = party.request("openid").and("request_uri", &request_uri);
    let arrival = open(&request.url()).await;
    let error = "request_uri_not_supported";
    assert_told(arrival, &request, server.issuer(), error);
    assert_eq!(peer.connections(), 0);
}
