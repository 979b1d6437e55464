//! The home page in dev: the authorization code flow as a picture, and what a developer copies.

use askama::Template;

use crate::http::pages::Layout;

/// The lesson. Its button leads to `/demo/login`.
#[derive(Debug, Template)]
#[template(path = "dev/home.html")]
pub struct HomePage<'a> {
    /// The frame.
    pub layout: Layout<'a>,
    /// A sentence about what has just happened, like signing out.
    pub notice: Option<&'a str>,
    /// The issuer.
    pub issuer: &'a str,
    /// Where the discovery document is.
    pub discovery_url: &'a str,
    /// Where the public keys are.
    pub jwks_url: &'a str,
    /// The clients that dev made.
    pub clients: Vec<ClientLine<'a>>,
    /// The users that dev made.
    pub users: Vec<UserLine<'a>>,
    /// Environment variables, ready to copy, names and values.
    pub environment: Vec<(&'a str, &'a str)>,
}

/// A client to copy from.
#[derive(Clone, Debug)]
pub struct ClientLine<'a> {
    /// What it is called.
    pub name: &'a str,
    /// Its `client_id`.
    pub client_id: &'a str,
    /// Its secret; none if it is public.
    pub secret: Option<&'a str>,
    /// Its registered redirect URIs, or the paths that they share.
    pub redirect_uris: Vec<&'a str>,
}

/// A user to sign in as.
#[derive(Clone, Copy, Debug)]
pub struct UserLine<'a> {
    /// The user name.
    pub username: &'a str,
    /// The password.
    pub password: &'a str,
    /// What is special about them.
    pub note: &'a str,
}

impl HomePage<'_> {
    /// The environment variables as a shell reads them.
    #[must_use]
    pub fn environment_text(&self) -> String {
        let lines = self.environment.iter();
        let lines = lines.map(|(name, value)| format!("{name}={value}"));
        lines.collect::<Vec<_>>().join("\n")
    }
}
