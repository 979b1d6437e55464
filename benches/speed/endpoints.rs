//! The measurements, in their order: later ones use what earlier ones made.

use std::io::Write as _;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use keyfob::oidc::metadata::path;

use crate::arguments::Arguments;
use crate::connection::{Connection, get};
use crate::load::{self, Measurement, Script, Target};
use crate::machine::Rate;
use crate::report::Table;
use crate::seeds::{Client, Seeds};
use crate::server::Server;
use crate::sign_in::{Cookies, SignIn};
use crate::signed::{Kind, Signed};
use crate::tokens::{
    Authorize, Exchange, Flow, Refresh, Repeat, Shared, Tokens, client_credentials, introspection,
    token_exchange, userinfo,
};

/// A server, and what is measured of it.
pub(crate) struct Bench<'a> {
    arguments: &'a Arguments,
    target: Target,
    seeds: &'a Seeds,
    issuer: String,
    table: Table,
    /// Of browsers that are signed in, one a connection.
    cookies: Vec<String>,
}

impl<'a> Bench<'a> {
    pub(crate) fn new(
        arguments: &'a Arguments,
        server: &Server,
        issuer: String,
        seeds: &'a Seeds,
        table: Table,
    ) -> Self {
        Self {
            arguments,
            target: server.target(),
            issuer,
            seeds,
            table,
            cookies: Vec::new(),
        }
    }

    pub(crate) fn finish(self) -> Table {
        self.table
    }

    pub(crate) async fn run(&mut self) -> Result<()> {
        self.documents().await?;
        self.machines().await?;
        self.signed().await?;
        self.sign_in().await?;
        let mut tokens = Vec::new();
        let seeds = self.seeds;
        for client in &seeds.apps {
            let of_client = self.exchange(client).await?;
            self.refresh(client, &of_client).await?;
            if tokens.is_empty() {
                tokens = of_client;
            }
        }
        for client in [&seeds.apps[0], &seeds.apps[2]] {
            let name = format!("full code flow, {}", named(client));
            if self.arguments.wants(&name) {
                let cookies = self.cookies.clone();
                let flows = cookies.iter().map(|cookies| Flow::new(client, cookies));
                let limit = self.signatures(client);
                self.measure(&name, Some(limit), flows.collect()).await?;
            }
        }
        self.apis(&tokens).await
    }

    /// What everybody may read, beside bare routes of the same sizes.
    async fn documents(&mut self) -> Result<()> {
        let bare = Server::bare()?;
        for (name, path) in [
            ("discovery", path::OPENID_CONFIGURATION),
            ("JWKS", path::JWKS),
        ] {
            if !self.arguments.wants(name) {
                continue;
            }
            let request = get(path, "");
            let mut connection = Connection::open(self.target.address).await?;
            let length = connection.send(&request).await?.expect(200)?.body.len();
            let bare_name = format!("bare route of {length} bytes");
            let bare_request = get(&format!("/{length}"), "");
            let scripts = self.repeat(&[bare_request]);
            let limit = load::run(bare.target(), self.arguments.length, scripts).await?;
            self.table.measured(&bare_name, None, &limit);
            let scripts = self.repeat(&[request]);
            self.measure(name, Some(rate(&limit)), scripts).await?;
        }
        Ok(())
    }

    async fn machines(&mut self) -> Result<()> {
        let seeds = self.seeds;
        for client in &seeds.machines {
            let [algorithm, _] = client.algorithms;
            let name = format!("client_credentials, {algorithm}");
            if self.arguments.wants(&name) {
                let limit = self.signature(algorithm);
                let scripts = self.repeat(&[client_credentials(client)]);
                self.measure(&name, Some(limit), scripts).await?;
            }
        }
        Ok(())
    }

    /// What clients sign for each request.
    async fn signed(&mut self) -> Result<()> {
        let seeds = self.seeds;
        let verified = self.table.limits.es256_verification;
        let issued = together(verified, self.signature("ES256"));
        let machine = &seeds.machines[1];
        for (name, client, kind, limit) in [
            (
                "client_credentials, private_key_jwt, ES256",
                &seeds.signing,
                Kind::ClientCredentials,
                issued,
            ),
            (
                "client_credentials, DPoP, ES256",
                machine,
                Kind::BoundToken,
                issued,
            ),
            (
                "PAR, private_key_jwt, ES256",
                &seeds.signing,
                Kind::PushedRequest,
                verified,
            ),
        ] {
            if self.arguments.wants(name) {
                let script = Signed {
                    client: Arc::clone(client),
                    key: Arc::clone(&seeds.key),
                    issuer: self.issuer.clone(),
                    kind,
                };
                let scripts = vec![script; self.arguments.connections];
                self.measure(name, Some(limit), scripts).await?;
            }
        }
        Ok(())
    }

    /// Signs everybody in; measured are those who come after.
    async fn sign_in(&mut self) -> Result<()> {
        let mut connection = Connection::open(self.target.address).await?;
        let seeds = self.seeds;
        let scripts = seeds.users.iter().map(|username| SignIn {
            client: Arc::clone(&seeds.apps[0]),
            username: username.clone(),
            cookies: Cookies::default(),
        });
        let mut scripts: Vec<_> = scripts.collect();
        let mut sessions = Vec::new();
        for script in &mut scripts {
            script.step(&mut connection).await?;
            sessions.push(script.cookies.header());
        }
        let sessions = sessions.iter().cycle().take(self.arguments.connections);
        self.cookies = sessions.cloned().collect();
        if self.arguments.wants("login") {
            // More at once would only wait, and look like somebody who guesses.
            scripts.truncate(4);
            let limit = self.table.limits.argon2id;
            self.measure("login", Some(limit), scripts).await?;
        }
        Ok(())
    }

    /// Makes codes, and exchanges them. Returns the tokens: none if nobody wants them.
    async fn exchange(&mut self, client: &Arc<Client>) -> Result<Vec<Tokens>> {
        let name = format!("code exchange, {}", named(client));
        let is_first = client.id == self.seeds.apps[0].id;
        let is_measured = self.arguments.wants(&name);
        let is_used = [USERINFO, INTROSPECTION, EXCHANGE].map(|it| self.arguments.wants(it));
        let is_refreshed = self.arguments.wants(&format!("refresh, {}", named(client)));
        let is_used = is_first && is_used.contains(&true);
        if !(is_measured || is_refreshed || is_used) {
            return Ok(Vec::new());
        }
        let codes: Shared<String> = Shared::default();
        let tokens: Shared<Tokens> = Shared::default();
        let silent = self.cookies.iter();
        let silent = silent.map(|cookies| Authorize::new(client, cookies, &codes));
        let silent = silent.collect();
        let made = "authorization with a session";
        if is_first && self.arguments.wants(made) {
            self.measure(made, None, silent).await?;
        } else if is_measured {
            load::run(self.target, self.arguments.length, silent).await?;
        } else {
            load::run(self.target, BRIEFLY, silent).await?;
        }
        let exchanges = self.cookies.iter().map(|_| Exchange {
            client: Arc::clone(client),
            codes: Rc::clone(&codes),
            tokens: Rc::clone(&tokens),
        });
        let exchanges = exchanges.collect();
        if is_measured {
            let limit = self.signatures(client);
            self.measure(&name, Some(limit), exchanges).await?;
        } else {
            load::run(self.target, BRIEFLY, exchanges).await?;
        }
        let tokens = tokens.take();
        ensure!(!tokens.is_empty(), "no code was exchanged");
        Ok(tokens)
    }

    async fn refresh(&mut self, client: &Arc<Client>, tokens: &[Tokens]) -> Result<()> {
        let name = format!("refresh, {}", named(client));
        if !self.arguments.wants(&name) {
            return Ok(());
        }
        let limit = self.signatures(client);
        let some = tokens.iter().take(self.arguments.connections);
        let scripts = some.map(|tokens| Refresh {
            client: Arc::clone(client),
            tokens: tokens.clone(),
        });
        self.measure(&name, Some(limit), scripts.collect()).await
    }

    /// What access tokens are good for.
    async fn apis(&mut self, tokens: &[Tokens]) -> Result<()> {
        let client = Arc::clone(&self.seeds.apps[0]);
        let latest = tokens.iter().rev().take(TOKENS);
        let userinfo: Vec<_> = latest.clone().map(userinfo).collect();
        let introspection: Vec<_> = latest
            .clone()
            .map(|it| introspection(&client, it))
            .collect();
        let gateway = Arc::clone(&self.seeds.gateway);
        let exchange: Vec<_> = latest.map(|it| token_exchange(&gateway, it)).collect();
        let [algorithm, _] = gateway.algorithms;
        let signature = self.signature(algorithm);
        for (name, limit, requests) in [
            (USERINFO, None, userinfo),
            (INTROSPECTION, None, introspection),
            (EXCHANGE, Some(signature), exchange),
        ] {
            if self.arguments.wants(name) {
                let scripts = self.repeat(&requests);
                self.measure(name, limit, scripts).await?;
            }
        }
        Ok(())
    }

    async fn measure<S: Script + 'static>(
        &mut self,
        name: &str,
        limit: Option<Rate>,
        scripts: Vec<S>,
    ) -> Result<()> {
        writeln!(std::io::stderr(), "measuring {name}")?;
        let measured = load::run(self.target, self.arguments.length, scripts).await?;
        self.table.measured(name, limit, &measured);
        Ok(())
    }

    /// The requests on every connection, each of which begins with another.
    fn repeat(&self, requests: &[Vec<u8>]) -> Vec<Repeat> {
        let count = self.arguments.connections;
        let first = |number: usize| number * requests.len() / count;
        (0..count)
            .map(|number| Repeat::new(requests.to_vec(), first(number)))
            .collect()
    }

    fn signature(&self, algorithm: &str) -> Rate {
        match algorithm {
            "RS256" => self.table.limits.rs256,
            _ => self.table.limits.es256,
        }
    }

    /// How often the core can sign an access token and an ID token of `client`.
    fn signatures(&self, client: &Client) -> Rate {
        let [one, other] = client.algorithms.map(|algorithm| self.signature(algorithm));
        together(one, other)
    }
}

/// How often both can be done.
fn together(one: Rate, other: Rate) -> Rate {
    let both = |one: f64, other: f64| 1.0 / (1.0 / one + 1.0 / other);
    Rate {
        a_second: both(one.a_second, other.a_second),
        a_cpu_second: both(one.a_cpu_second, other.a_cpu_second),
    }
}

fn rate(measured: &Measurement) -> Rate {
    Rate {
        a_second: measured.a_second(),
        a_cpu_second: measured.a_cpu_second(),
    }
}

/// The signatures of a client's tokens, in words.
fn named(client: &Client) -> String {
    let [access_token, id_token] = client.algorithms;
    format!("{id_token} ID token + {access_token} access token")
}

const USERINFO: &str = "userinfo";
const INTROSPECTION: &str = "introspection";
const EXCHANGE: &str = "token exchange, RS256";

/// How long what is not measured is done, for what comes of it.
const BRIEFLY: Duration = Duration::from_millis(500);

/// How many tokens are in use at once.
const TOKENS: usize = 1000;
