//! What clients and APIs do over and over: codes, tokens, and what they are good for.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use keyfob::oidc::metadata::path;
use serde::Deserialize;

use crate::connection::{Connection, get, post};
use crate::load::Script;
use crate::seeds::{Client, REDIRECT_URI, TOKEN_EXCHANGE};
use crate::sign_in::{VERIFIER, authorization, code};

/// Things that one measurement makes and another uses up.
pub(crate) type Shared<T> = Rc<RefCell<Vec<T>>>;

/// What the token endpoint answers.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Tokens {
    pub(crate) access_token: String,
    pub(crate) refresh_token: Option<String>,
}

/// The same few requests, which all succeed.
#[derive(Debug)]
pub(crate) struct Repeat {
    requests: Vec<Vec<u8>>,
    next: usize,
}

impl Repeat {
    /// Begins with a request of its own, so that not all connections send the same at once.
    pub(crate) fn new(requests: Vec<Vec<u8>>, first: usize) -> Self {
        Self {
            requests,
            next: first,
        }
    }
}

impl Script for Repeat {
    async fn step(&mut self, connection: &mut Connection) -> Result<Option<Duration>> {
        let request = &self.requests[self.next % self.requests.len()];
        self.next += 1;
        let began_at = Instant::now();
        connection.send(request).await?.expect(200)?;
        Ok(Some(began_at.elapsed()))
    }
}

/// Authorization requests of a browser that is signed in; the codes are kept.
#[derive(Debug)]
pub(crate) struct Authorize {
    request: Vec<u8>,
    codes: Shared<String>,
}

impl Authorize {
    pub(crate) fn new(client: &Client, cookies: &str, codes: &Shared<String>) -> Self {
        Self {
            request: get(&authorization(client, "&prompt=none"), cookies),
            codes: Rc::clone(codes),
        }
    }
}

impl Script for Authorize {
    async fn step(&mut self, connection: &mut Connection) -> Result<Option<Duration>> {
        let began_at = Instant::now();
        let answer = connection.send(&self.request).await?;
        let elapsed = began_at.elapsed();
        self.codes.borrow_mut().push(code(answer)?.to_owned());
        Ok(Some(elapsed))
    }
}

/// Exchanges of codes that were made before; the tokens are kept.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) client: Arc<Client>,
    pub(crate) codes: Shared<String>,
    pub(crate) tokens: Shared<Tokens>,
}

impl Script for Exchange {
    async fn step(&mut self, connection: &mut Connection) -> Result<Option<Duration>> {
        let Some(code) = self.codes.borrow_mut().pop() else {
            return Ok(None);
        };
        let request = exchange(&self.client, &code);
        let began_at = Instant::now();
        let answer = connection.send(&request).await?;
        let elapsed = began_at.elapsed();
        let tokens = serde_json::from_slice(answer.expect(200)?.body)?;
        self.tokens.borrow_mut().push(tokens);
        Ok(Some(elapsed))
    }
}

/// An authorization request and the exchange of its code.
#[derive(Debug)]
pub(crate) struct Flow {
    client: Arc<Client>,
    request: Vec<u8>,
}

impl Flow {
    pub(crate) fn new(client: &Arc<Client>, cookies: &str) -> Self {
        Self {
            request: get(&authorization(client, "&prompt=none"), cookies),
            client: Arc::clone(client),
        }
    }
}

impl Script for Flow {
    async fn step(&mut self, connection: &mut Connection) -> Result<Option<Duration>> {
        let began_at = Instant::now();
        let answer = connection.send(&self.request).await?;
        let request = exchange(&self.client, code(answer)?);
        connection.send(&request).await?.expect(200)?;
        Ok(Some(began_at.elapsed()))
    }
}

/// One refresh token after the other.
#[derive(Debug)]
pub(crate) struct Refresh {
    pub(crate) client: Arc<Client>,
    pub(crate) tokens: Tokens,
}

impl Script for Refresh {
    async fn step(&mut self, connection: &mut Connection) -> Result<Option<Duration>> {
        let token = self.tokens.refresh_token.as_ref();
        let token = token.context("no refresh token")?;
        let form = format!("grant_type=refresh_token&refresh_token={token}");
        let request = post(path::TOKEN, &self.client.authorization, &form);
        let began_at = Instant::now();
        let answer = connection.send(&request).await?;
        let elapsed = began_at.elapsed();
        self.tokens = serde_json::from_slice(answer.expect(200)?.body)?;
        Ok(Some(elapsed))
    }
}

fn exchange(client: &Client, code: &str) -> Vec<u8> {
    let form = format!(
        "grant_type=authorization_code&code={code}&redirect_uri={REDIRECT_URI}\
         &code_verifier={VERIFIER}"
    );
    post(path::TOKEN, &client.authorization, &form)
}

/// A request to the token endpoint by which a client gets a token of its own.
pub(crate) fn client_credentials(client: &Client) -> Vec<u8> {
    let form = "grant_type=client_credentials";
    post(path::TOKEN, &client.authorization, form)
}

/// A request to the token endpoint by which a client gets a token of its own for another's
/// (RFC 8693).
pub(crate) fn token_exchange(client: &Client, tokens: &Tokens) -> Vec<u8> {
    let form = format!(
        "grant_type={TOKEN_EXCHANGE}&subject_token={}\
         &subject_token_type=urn:ietf:params:oauth:token-type:access_token",
        tokens.access_token
    );
    post(path::TOKEN, &client.authorization, &form)
}

/// A request to the userinfo endpoint.
pub(crate) fn userinfo(tokens: &Tokens) -> Vec<u8> {
    let token = &tokens.access_token;
    get(
        path::USERINFO,
        &format!("authorization: Bearer {token}\r\n"),
    )
}

/// A request to the introspection endpoint.
pub(crate) fn introspection(client: &Client, tokens: &Tokens) -> Vec<u8> {
    let form = format!("token={}", tokens.access_token);
    post(path::INTROSPECTION, &client.authorization, &form)
}
