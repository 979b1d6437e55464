//! `tls_client_auth` and `self_signed_tls_client_auth` (RFC 8705 section 2).

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{DistinguishedName, DnType, SanType};
use reqwest::{Certificate, Client, StatusCode};
use serde_json::{Value, json};

use crate::client_assertions::register;
use crate::support::certificates::{CertificateAuthority, Identity, common_name};
use crate::support::client_key::ClientKey;
use crate::support::launch::{Launch, free_port};
use crate::support::process::Server;
use crate::support::relying_party::{Answer, http_client};

pub(crate) const HEADER: &str = "X-Client-Cert";

/// A server behind a proxy at this address, which passes certificates on.
pub(crate) fn behind_proxy(
    authority: &CertificateAuthority,
    directory: &Path,
    proxies: &str,
) -> Server {
    let file = directory.join("clients.pem");
    std::fs::write(&file, authority.pem()).expect("the authority's file");
    Launch::serve()
        .variable("KEYFOB_TRUSTED_PROXIES", proxies)
        .variable("KEYFOB_CLIENT_CERTIFICATES__HEADER", HEADER)
        .variable(
            "KEYFOB_CLIENT_CERTIFICATES__CA_FILE",
            &file.display().to_string(),
        )
        .start()
}

/// A server with TLS of its own, at which clients show certificates of that authority.
pub(crate) fn with_own_tls(
    directory: &Path,
    servers: &CertificateAuthority,
    clients: &CertificateAuthority,
) -> Server {
    let own = servers.server(&["localhost"]);
    let file = |name: &str, content: &str| {
        use std::os::unix::fs::PermissionsExt as _;
        let path = directory.join(name);
        std::fs::write(&path, content).expect("a file");
        let mode = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(&path, mode).expect("its mode");
        path.display().to_string()
    };
    let port = free_port();
    let launch = Launch::serve()
        .listening_on(port)
        .variable("KEYFOB_ISSUER", &format!("https://localhost:{port}"))
        .variable("KEYFOB_TLS__CERTIFICATE", &file("tls.pem", &own.pem))
        .variable("KEYFOB_TLS__PRIVATE_KEY", &file("tls.key", &own.key_pem))
        .variable("KEYFOB_CLIENT_CERTIFICATES__TLS", "true")
        .variable(
            "KEYFOB_CLIENT_CERTIFICATES__CA_FILE",
            &file("clients.pem", &clients.pem()),
        );
    Server::start_empty(launch)
}

/// A client that trusts that authority alone, and shows this certificate.
pub(crate) fn http_client_of(
    servers: &CertificateAuthority,
    identity: Option<&Identity>,
) -> Client {
    let authority = Certificate::from_der(&servers.der()).expect("an authority");
    let builder = Client::builder().no_proxy().tls_certs_only([authority]);
    let builder = match identity {
        Some(identity) => {
            let pem = format!("{}{}", identity.pem, identity.key_pem);
            let identity = reqwest::Identity::from_pem(pem.as_bytes());
            builder.identity(identity.expect("an identity"))
        }
        None => builder,
    };
    builder.build().expect("a client")
}

/// Asks for a token as the proxy passes it on, with these certificates.
async fn token(server: &Server, client_id: &str, certificates: &[&str]) -> Answer {
    let parameters = [
        ("grant_type", "client_credentials"),
        ("client_id", client_id),
    ];
    let mut request = http_client().post(server.url("/oauth2/token"));
    for certificate in certificates {
        request = request.header(HEADER, *certificate);
    }
    Answer::of(request.form(&parameters)).await
}

pub(crate) fn base64(identity: &Identity) -> String {
    STANDARD.encode(&identity.certificate)
}

fn names() -> Vec<SanType> {
    let text = |text: &str| text.try_into().expect("an ASCII name");
    vec![
        SanType::DnsName(text("app.example")),
        SanType::URI(text("spiffe://example/app")),
        SanType::Rfc822Name(text("app@example.com")),
        SanType::IpAddress([192, 0, 2, 7].into()),
    ]
}

fn subject() -> DistinguishedName {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CountryName, "DE");
    subject.push(DnType::OrganizationName, "Example, Inc.");
    subject.push(DnType::CommonName, "app");
    subject
}

#[tokio::test]
async fn a_client_is_known_by_the_one_name_that_it_registered() {
    let directory = tempfile::tempdir().expect("a directory");
    let authority = CertificateAuthority::new("Clients");
    let server = behind_proxy(&authority, directory.path(), "127.0.0.1,::1");
    let own = authority.client(subject(), names());
    let other = authority.client(common_name("other"), vec![]);
    let stranger = CertificateAuthority::new("Clients").client(subject(), names());
    let self_signed = Identity::self_signed(subject());
    let expired = authority.expired_client(names());
    for (member, name) in [
        ("subject_dn", r"CN=app,O=Example\, Inc.,C=DE"),
        ("san_dns", "app.example"),
        ("san_uri", "spiffe://example/app"),
        ("san_email", "app@example.com"),
        ("san_ip", "192.0.2.7"),
    ] {
        let mut metadata = json!({"token_endpoint_auth_method": "tls_client_auth"});
        metadata[format!("tls_client_auth_{member}")] = json!(name);
        register(&server, member, &metadata);
        let answer = token(&server, member, &[&base64(&own)]).await;
        assert_eq!(answer.status, StatusCode::OK, "{member}: {}", answer.text);
        for (what, certificate) in [
            ("of the same authority", &other),
            ("of another authority", &stranger),
            ("of its own making", &self_signed),
            ("that has ended", &expired),
        ] {
            let answer = token(&server, member, &[&base64(certificate)]).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{member} {what}");
            answer.unauthenticated();
        }
        token(&server, member, &[]).await.unauthenticated();
    }
    // As proxies write it, and not twice or garbled.
    let pem: String = url::form_urlencoded::byte_serialize(own.pem.as_bytes()).collect();
    let pem = pem.replace('+', "%20");
    let bytes = format!(":{}:", base64(&own));
    for value in [&pem, &bytes] {
        let answer = token(&server, "san_dns", &[value]).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    }
    for values in [
        vec![&*bytes, &*bytes],
        vec!["garbage"],
        vec![""],
        vec!["::"],
    ] {
        token(&server, "san_dns", &values).await.unauthenticated();
    }
}

#[tokio::test]
async fn a_client_may_sign_its_own_certificate_and_registers_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let authority = CertificateAuthority::new("Clients");
    let server = behind_proxy(&authority, directory.path(), "127.0.0.1,::1");
    let own = Identity::self_signed(common_name("app"));
    let other = Identity::self_signed(common_name("app"));
    let mut jwk = ClientKey::p256("a").jwk;
    jwk["x5c"] = json!([base64(&own)]);
    let metadata = json!({
        "token_endpoint_auth_method": "self_signed_tls_client_auth", "jwks": {"keys": [jwk]},
    });
    register(&server, "app", &metadata);
    let answer = token(&server, "app", &[&base64(&own)]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    for certificates in [vec![base64(&other)], vec![]] {
        let certificates: Vec<_> = certificates.iter().map(String::as_str).collect();
        token(&server, "app", &certificates).await.unauthenticated();
    }
    // A certificate is no way in for who is registered for another.
    let metadata = json!({"token_endpoint_auth_method": "client_secret_basic"});
    register(&server, "secretive", &metadata);
    let answer = token(&server, "secretive", &[&base64(&own)]).await;
    answer.unauthenticated();

    let metadata = Answer::of(http_client().get(server.url("/.well-known/openid-configuration")));
    let methods = metadata.await.json["token_endpoint_auth_methods_supported"].clone();
    let methods = methods.as_array().expect("a list");
    for method in ["tls_client_auth", "self_signed_tls_client_auth"] {
        assert!(methods.iter().any(|it| it == method), "{methods:?}");
    }
}

#[tokio::test]
async fn a_header_of_anybody_but_a_trusted_proxy_is_not_read() {
    let directory = tempfile::tempdir().expect("a directory");
    let authority = CertificateAuthority::new("Clients");
    let server = behind_proxy(&authority, directory.path(), "10.0.0.0/8");
    let own = authority.client(subject(), names());
    let metadata = json!({
        "token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_san_dns": "app.example",
    });
    register(&server, "app", &metadata);
    token(&server, "app", &[&base64(&own)])
        .await
        .unauthenticated();
}

#[tokio::test]
async fn without_certificates_nobody_registers_for_them() {
    let server = Server::serve();
    for metadata in [
        json!({"token_endpoint_auth_method": "tls_client_auth",
            "tls_client_auth_san_dns": "app.example"}),
        json!({"token_endpoint_auth_method": "tls_client_auth"}),
        json!({"token_endpoint_auth_method": "self_signed_tls_client_auth"}),
    ] {
        let mut metadata: Value = metadata;
        metadata["grant_types"] = json!(["client_credentials"]);
        let output = server.run(&["client", "add", "--metadata", "-"], &metadata.to_string());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{metadata}");
        assert!(said.contains("token_endpoint_auth_method"), "{said}");
    }
    let metadata = Answer::of(http_client().get(server.url("/.well-known/openid-configuration")));
    let text = metadata.await.text;
    assert!(!text.contains("tls_client_auth"), "{text}");
}

#[tokio::test]
async fn a_client_shows_its_certificate_to_the_server_itself() {
    let directory = tempfile::tempdir().expect("a directory");
    let (servers, clients) = (
        CertificateAuthority::new("Servers"),
        CertificateAuthority::new("Clients"),
    );
    let server = with_own_tls(directory.path(), &servers, &clients);
    let metadata = json!({
        "token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_san_dns": "app.example",
    });
    register(&server, "app", &metadata);
    let right = clients.client(common_name("app"), names());
    let wrong = clients.client(common_name("app"), vec![]);
    let stranger = CertificateAuthority::new("Clients").client(common_name("app"), names());
    for (identity, expected) in [
        (Some(&right), StatusCode::OK),
        (Some(&wrong), StatusCode::UNAUTHORIZED),
        (Some(&stranger), StatusCode::UNAUTHORIZED),
        (None, StatusCode::UNAUTHORIZED),
    ] {
        let parameters = [("grant_type", "client_credentials"), ("client_id", "app")];
        let request = http_client_of(&servers, identity).post(server.url("/oauth2/token"));
        // The header of a proxy counts for nothing where none is configured.
        let request = request.header(HEADER, base64(&right));
        let answer = Answer::of(request.form(&parameters)).await;
        assert_eq!(answer.status, expected, "{}", answer.text);
    }
}
