//! A scripted browser, and authorization requests with and without it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use keyfob::oidc::metadata::path;

use crate::connection::{Answer, Connection, get, post};
use crate::load::Script;
use crate::seeds::{Client, PASSWORD, REDIRECT_URI};

/// The cookies of a browser.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cookies(Vec<(String, String)>);

impl Cookies {
    fn keep(&mut self, answer: Answer<'_>) {
        for cookie in answer.headers("set-cookie") {
            let pair = cookie.split(';').next().unwrap_or_default();
            let Some((name, value)) = pair.split_once('=') else {
                continue;
            };
            self.0.retain(|(own, _)| own != name);
            self.0.push((name.to_owned(), value.to_owned()));
        }
    }

    /// The line of the head that sends them.
    pub(crate) fn header(&self) -> String {
        let pairs: Vec<_> = self
            .0
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        format!("cookie: {}\r\n", pairs.join("; "))
    }
}

/// The target of an authorization request.
pub(crate) fn authorization(client: &Client, more: &str) -> String {
    format!(
        "{}?response_type=code&client_id={}&redirect_uri={REDIRECT_URI}\
         &scope=openid%20profile%20email&state=0123456789abcdef&nonce=fedcba9876543210\
         &code_challenge={CHALLENGE}&code_challenge_method=S256{more}",
        path::AUTHORIZATION,
        client.id
    )
}

/// The code in the redirect that answers an authorization request.
pub(crate) fn code(answer: Answer<'_>) -> Result<&str> {
    let location = answer.location()?;
    let code = location
        .split(['?', '&'])
        .find_map(|it| it.strip_prefix("code="));
    code.with_context(|| format!("no code in {location}"))
}

/// Signing in over and over, each time in a browser that the server has never seen.
#[derive(Debug)]
pub(crate) struct SignIn {
    pub(crate) client: Arc<Client>,
    pub(crate) username: String,
    /// The cookies of the last browser.
    pub(crate) cookies: Cookies,
}

impl Script for SignIn {
    /// Measured is what follows the press of the button on the login page.
    async fn step(&mut self, connection: &mut Connection) -> Result<Option<Duration>> {
        let mut cookies = Cookies::default();
        let target = authorization(&self.client, "");
        let answer = connection.send(&get(&target, "")).await?;
        cookies.keep(answer);
        let login = answer.location()?.to_owned();
        let answer = connection.send(&get(&login, &cookies.header())).await?;
        cookies.keep(answer);
        let page = std::str::from_utf8(answer.expect(200)?.body)?;
        let field = |name: &str| {
            let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\""))?;
            Some(rest.split('"').next().unwrap_or_default())
        };
        let (tx, csrf) = field("tx").zip(field("csrf")).context("no login form")?;
        let username = &self.username;
        let form = format!("tx={tx}&csrf={csrf}&username={username}&password={PASSWORD}");
        let request = post("/login", &cookies.header(), &form);
        let began_at = Instant::now();
        let answer = connection.send(&request).await?;
        let elapsed = began_at.elapsed();
        answer.expect(303)?;
        cookies.keep(answer);
        self.cookies = cookies;
        Ok(Some(elapsed))
    }
}

/// The PKCE verifier of every request, and its challenge (RFC 7636 appendix B).
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
