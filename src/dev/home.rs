//! The home page of a development server: the lesson, and what a developer copies.

use std::collections::BTreeSet;

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use crate::http::form;
use crate::http::page::Frame;
use crate::http::site::Site;
use crate::oidc::client::Client;
use crate::oidc::metadata::path;
use crate::oidc::redirect_uri::RedirectUri;

use super::Development;
use super::demo::to_own_name;
use super::pages::home::{ClientLine, HomePage, UserLine};
use super::seeds::DEMO_CLIENT;

/// Shows the home page.
pub async fn get(
    site: Data<Site>,
    development: Data<Development>,
    request: HttpRequest,
) -> HttpResponse {
    if let Some(redirect) = to_own_name(&site, &request) {
        return redirect;
    }
    let parameters = form::query(&request).unwrap_or_default();
    let state = parameters.get("state").ok().flatten();
    let has_signed_out =
        state.is_some_and(|state| development.demo.has_signed_out(&request, state));
    let issuer = site.provider.issuer();
    let environment = development.environment(issuer);
    let clients = development.clients_as_they_are().await;
    let uris: Vec<_> = clients
        .iter()
        .map(|(client, _)| redirect_uris(client))
        .collect();
    let lines = clients
        .iter()
        .zip(&uris)
        .map(|((client, secret), uris)| ClientLine {
            name: client.name(),
            client_id: client.id.as_str(),
            secret: secret.as_deref(),
            redirect_uris: uris.iter().map(String::as_str).collect(),
        });
    let users = development.users.iter().map(|seeded| UserLine {
        username: seeded.user.username.as_str(),
        password: seeded.password,
        note: seeded.note,
    });
    let frame = Frame::new(&site, &request);
    frame.send(
        StatusCode::OK,
        &HomePage {
            layout: frame.layout(&site),
            notice: has_signed_out.then_some(SIGNED_OUT),
            issuer: issuer.as_str(),
            discovery_url: &issuer.join(path::OPENID_CONFIGURATION),
            jwks_url: &issuer.join(path::JWKS),
            clients: lines.collect(),
            users: users.collect(),
            environment: environment
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect(),
        },
    )
}

impl Development {
    /// The seeded clients but the demo's own, with what was registered for them since.
    async fn clients_as_they_are(&self) -> Vec<(Client, Option<String>)> {
        let mut clients = Vec::new();
        for seeded in &self.clients {
            if seeded.client.id.as_str() == DEMO_CLIENT {
                continue;
            }
            let client = self.operator.client(seeded.client.id.as_str()).await;
            let client = client.unwrap_or_else(|_| seeded.client.clone());
            clients.push((client, seeded.secret.clone()));
        }
        clients
    }
}

/// The redirect URIs of a client, those first that stand alone. Of those on this machine, where
/// every port matches, there is one of three names each: only the path tells them apart.
fn redirect_uris(client: &Client) -> Vec<String> {
    let all: BTreeSet<&str> = client
        .metadata
        .redirect_uris
        .iter()
        .map(RedirectUri::as_str)
        .collect();
    let shared = |uri: &str| {
        let path = NAMES.iter().find_map(|name| uri.strip_prefix(name))?;
        let is_shared = NAMES
            .iter()
            .all(|name| all.contains(format!("{name}{path}").as_str()));
        is_shared.then(|| format!("http://localhost:*{path}"))
    };
    let alone = all.iter().filter(|uri| shared(uri).is_none());
    let alone = alone.map(|&uri| uri.to_owned());
    let paths: BTreeSet<String> = all.iter().filter_map(|uri| shared(uri)).collect();
    alone.chain(paths).collect()
}

/// The names of this machine.
const NAMES: [&str; 3] = ["http://localhost", "http://127.0.0.1", "http://[::1]"];

const SIGNED_OUT: &str = "You are signed out, of the demo and of Keyfob.";
