//! The page that asks for user name and password.

use std::time::Duration;

use askama::Template;

use super::about_client::AboutClient;
use super::{ClientSummary, Layout, words};

/// Asks the End-User to sign in. Posts `tx`, `csrf`, `username`, `password` to `/login`.
#[derive(Debug, Template)]
#[template(path = "login.html")]
pub struct LoginPage<'a> {
    /// The frame.
    pub layout: Layout<'a>,
    /// The handle of the transaction that the sign-in belongs to.
    pub transaction: &'a str,
    /// The token against forged requests.
    pub csrf: &'a str,
    /// The client that asked, if one did.
    pub client: Option<ClientSummary<'a>>,
    /// What it says of itself. No logo: who has not signed in yet loads nothing from elsewhere.
    pub about: Option<AboutClient<'a>>,
    /// What the user name field holds: the `login_hint`, or what was typed before.
    pub username: &'a str,
    /// Whether the End-User has a session and is asked to prove it anew.
    pub again: bool,
    /// What went wrong with the attempt before.
    pub alert: Option<LoginAlert>,
    /// In dev, the seeded users and their passwords; empty otherwise.
    pub dev_users: &'a [(String, String)],
}

/// Why a sign-in did not succeed, as far as the End-User may know.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LoginAlert {
    /// Unknown user, wrong password and disabled account alike.
    WrongCredentials,
    /// Too many attempts, of this account or from this address.
    TooManyTries {
        /// When the next attempt will be looked at.
        retry_after: Duration,
    },
    /// Too many sign-ins at once.
    Busy,
    /// The form was too old, or another page's.
    Expired,
}

impl LoginAlert {
    /// What is the matter.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::WrongCredentials => "That did not work",
            Self::TooManyTries { .. } => "Too many attempts",
            Self::Busy => "Very busy right now",
            Self::Expired => "This page was open for too long",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn advice(self) -> String {
        match self {
            Self::WrongCredentials => {
                "The user name or the password is wrong. Check both and try again.".to_owned()
            }
            Self::TooManyTries { retry_after } => {
                format!("Please wait {}, then try again.", words::span(retry_after))
            }
            Self::Busy => "Many people are signing in. Please try again in a moment.".to_owned(),
            Self::Expired => "Nothing is lost. Please sign in once more.".to_owned(),
        }
    }

    /// Whether what was typed is at fault.
    #[must_use]
    pub fn blames_fields(self) -> bool {
        self == Self::WrongCredentials
    }
}
