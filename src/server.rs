//! The whole HTTP surface, and the life of a server: bind, run, drain.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::dev::Extensions;
use actix_web::guard::{Any, Get, Guard, Head};
use actix_web::middleware::from_fn;
use actix_web::rt::net::TcpStream;
use actix_web::web::{Data, ServiceConfig, delete, get, post, put, resource, route, scope, to};
use actix_web::{App, HttpServer, Route};

use crate::dev::Development;
use crate::http::site::Site;
use crate::http::{
    account_selection, assets, authorization, check_session, consent, cors, device,
    device_authorization, discovery, error, form, front, health, introspection, login, logout,
    pushed_authorization_request, registration, revocation, token, trace, userinfo,
};
use crate::oidc::client_certificate::ClientCertificate;
use crate::oidc::metadata::path;
use crate::oidc::webfinger;
use crate::provider::{InternalError, Provider};

/// How a server listens and ends.
#[derive(Debug)]
pub struct Listening {
    /// The sockets, bound.
    pub sockets: Vec<TcpListener>,
    /// What is needed to speak TLS; plain HTTP without it.
    pub tls: Option<rustls::ServerConfig>,
    /// How many threads answer requests; one a core without it.
    pub workers: Option<usize>,
    /// For how long requests in flight may finish after the signal to stop.
    pub shutdown_timeout: Duration,
}

/// Runs a server to its end on the calling thread, in the runtime that [`run`] needs.
pub fn block_on<F: Future>(server: F) -> F::Output {
    actix_web::rt::System::new().block_on(server)
}

/// Serves `site` until a signal says to stop, and then finishes what is in flight.
pub async fn run(
    site: Site,
    development: Option<Development>,
    listening: Listening,
) -> io::Result<()> {
    let site = Data::new(site);
    let development = development.map(Data::new);
    let provider = Arc::clone(&site.provider);
    let base = site.base().to_owned();
    let app_base = base.clone();
    let mut server = HttpServer::new(move || {
        let base = app_base.clone();
        App::new()
            .app_data(site.clone())
            .wrap(from_fn(trace::trace))
            .configure(|app| well_known(app, &base))
            .service(scope(&base).configure(|app| {
                if let Some(development) = &development {
                    crate::dev::routes(app, development);
                }
                routes(app);
            }))
            .default_service(to(error::not_found))
    })
    .on_connect(keep_certificate)
    .client_request_timeout(Duration::from_secs(10))
    .shutdown_timeout(listening.shutdown_timeout.as_secs());
    if let Some(workers) = listening.workers {
        server = server.workers(workers);
    }
    for socket in listening.sockets {
        server = match &listening.tls {
            Some(tls) => server.listen_rustls_0_23(socket, tls.clone())?,
            None => server.listen(socket)?,
        };
    }
    let upkeep = tokio::spawn(keep_up(Arc::clone(&provider)));
    let deliveries = tokio::spawn(Arc::clone(&provider).deliver_logout_tokens());
    let ended = server.run().await;
    upkeep.abort();
    deliveries.abort();
    provider.close().await;
    ended
}

/// Every address below the issuer, grouped by who calls it.
#[expect(clippy::too_many_lines, reason = "the whole surface in one place")]
fn routes(app: &mut ServiceConfig) {
    // Clients and APIs, server to server or from their own pages.
    app.service(
        resource(path::TOKEN)
            .route(post().to(token::post))
            .route(options().to(cors::preflight))
            .default_service(to(|| async { form::method_not_allowed("POST, OPTIONS") })),
    )
    .service(
        resource(path::PUSHED_AUTHORIZATION_REQUEST)
            .route(post().to(pushed_authorization_request::post))
            .route(options().to(cors::preflight))
            .default_service(to(|| async { form::method_not_allowed("POST, OPTIONS") })),
    )
    .service(
        resource(path::USERINFO)
            .route(get().to(userinfo::answer))
            .route(post().to(userinfo::answer))
            .route(options().to(cors::preflight))
            .default_service(to(|| async {
                form::method_not_allowed("GET, POST, OPTIONS")
            })),
    )
    .service(
        resource(path::REVOCATION)
            .route(post().to(revocation::post))
            .route(options().to(cors::preflight))
            .default_service(to(|| async { form::method_not_allowed("POST, OPTIONS") })),
    )
    .service(
        resource(path::DEVICE_AUTHORIZATION)
            .route(post().to(device_authorization::post))
            .route(options().to(cors::preflight))
            .default_service(to(|| async { form::method_not_allowed("POST, OPTIONS") })),
    )
    .service(
        resource(path::INTROSPECTION)
            .route(post().to(introspection::post))
            .default_service(to(|| async { form::method_not_allowed("POST") })),
    )
    .service(
        resource(path::REGISTRATION)
            .route(post().to(registration::post))
            .route(options().to(registration::preflight))
            .default_service(to(|| async { form::method_not_allowed("POST, OPTIONS") })),
    )
    .service(
        resource(format!("{}/{{client_id}}", path::REGISTRATION))
            .route(get().to(registration::get))
            .route(put().to(registration::put))
            .route(delete().to(registration::delete))
            .route(options().to(registration::preflight))
            .default_service(to(|| async {
                form::method_not_allowed("GET, PUT, DELETE, OPTIONS")
            })),
    )
    // Anybody.
    .service(public(path::OPENID_CONFIGURATION).route(read().to(discovery::metadata)))
    .service(public(path::AUTHORIZATION_SERVER).route(read().to(discovery::metadata)))
    .service(public(path::JWKS).route(read().to(discovery::jwks)))
    // Browsers.
    .service(
        resource(path::AUTHORIZATION)
            .route(get().to(authorization::get))
            .route(post().to(authorization::post))
            .default_service(to(|| async { form::method_not_allowed("GET, POST") })),
    )
    .service(
        resource(path::END_SESSION)
            .route(get().to(logout::get))
            .route(post().to(logout::post))
            .default_service(to(|| async { form::method_not_allowed("GET, POST") })),
    )
    .route(
        &format!("{}/confirm", path::END_SESSION),
        post().to(logout::confirm),
    )
    .route(path::CHECK_SESSION, get().to(check_session::get))
    .route("/continue", get().to(authorization::go_on))
    .service(
        resource("/login")
            .route(get().to(login::get))
            .route(post().to(login::post)),
    )
    .service(
        resource("/select-account")
            .route(get().to(account_selection::get))
            .route(post().to(account_selection::post)),
    )
    .service(
        resource("/consent")
            .route(get().to(consent::get))
            .route(post().to(consent::post)),
    )
    .service(
        resource(path::DEVICE)
            .route(get().to(device::get))
            .route(post().to(device::post)),
    )
    .service(
        resource("/device/confirm")
            .route(get().to(device::confirmation))
            .route(post().to(device::confirm)),
    )
    .route("/device/connected", get().to(device::connected))
    .route("/device/refused", get().to(device::refused))
    .route("/", get().to(front::get))
    .route("", get().to(front::get))
    .route("/logo", get().to(front::logo))
    .route("/static/{name}", read().to(assets::asset))
    // Whoever runs the server.
    .route("/healthz", read().to(health::live))
    .route("/readyz", read().to(health::ready));
}

/// The addresses outside an issuer with a path: the metadata where [RFC 8414 section 3.1] puts it,
/// what is asked of a host, and what asks after the process and not after the issuer.
///
/// [RFC 8414 section 3.1]: https://www.rfc-editor.org/rfc/rfc8414#section-3.1
fn well_known(app: &mut ServiceConfig, base: &str) {
    app.service(public(webfinger::PATH).route(read().to(crate::http::webfinger::get)));
    let protected = format!("{}{base}", path::PROTECTED_RESOURCE);
    app.service(public(&protected).route(read().to(discovery::protected_resource)));
    let protected = public(&format!("{protected}{}", path::USERINFO));
    app.service(protected.route(read().to(discovery::protected_userinfo)));
    if base.is_empty() {
        return;
    }
    for document in [path::AUTHORIZATION_SERVER, path::OPENID_CONFIGURATION] {
        let inserted = public(&format!("{document}{base}"));
        app.service(inserted.route(read().to(discovery::metadata)));
    }
    app.route("/healthz", read().to(health::live))
        .route("/readyz", read().to(health::ready));
}

fn public(path: &str) -> actix_web::Resource {
    resource(path).route(options().to(cors::public_preflight))
}

fn read() -> Route {
    route().guard(either(Get(), Head()))
}

fn either(one: impl Guard + 'static, other: impl Guard + 'static) -> impl Guard {
    Any(one).or(other)
}

fn options() -> Route {
    route().method(actix_web::http::Method::OPTIONS)
}

/// Keeps the certificate that a client showed in the handshake for the requests of its connection.
fn keep_certificate(connection: &dyn std::any::Any, data: &mut Extensions) {
    let Some(stream) = connection.downcast_ref::<TlsStream<TcpStream>>() else {
        return;
    };
    let (_, tls) = stream.get_ref();
    let mut chain = tls.peer_certificates().unwrap_or_default().iter();
    if let Some(own) = chain.next() {
        data.insert(Arc::new(ClientCertificate {
            der: own.to_vec(),
            intermediates: chain.map(|it| it.to_vec()).collect(),
        }));
    }
}

/// Keeps a provider up as long as it serves: its keys, and the rows that have expired.
async fn keep_up(provider: Arc<Provider>) {
    let mut beats = tokio::time::interval(BEAT);
    let mut since_sweep = 0_u32;
    loop {
        beats.tick().await;
        log_if_failed(
            "the signing keys could not be kept up",
            provider.maintain_keys().await,
        );
        if since_sweep == 0 {
            log_if_failed("expired rows could not be deleted", provider.sweep().await);
        }
        since_sweep = (since_sweep + 1) % BEATS_PER_SWEEP;
    }
}

fn log_if_failed(what: &str, result: Result<(), InternalError>) {
    if let Err(error) = result {
        tracing::warn!(what);
        crate::http::error::log_failure(&error);
    }
}

/// How often the keys are looked after: what the key rotation counts on is 30 s.
const BEAT: Duration = Duration::from_secs(25);
const BEATS_PER_SWEEP: u32 = 12;
