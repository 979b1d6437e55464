//! The page that asks whether a client may have what it asks for.

use askama::Template;

use super::about_client::AboutClient;
use super::{ClientSummary, Layout, UserSummary};

/// Asks the End-User for consent ([OIDC Core section 3.1.2.4]). Posts `tx`, `csrf` and
/// `decision` (`allow` or `deny`) to `/consent`.
///
/// [OIDC Core section 3.1.2.4]: https://openid.net/specs/openid-connect-core-1_0.html#Consent
#[derive(Debug, Template)]
#[template(path = "consent.html")]
pub struct ConsentPage<'a> {
    /// The frame.
    pub layout: Layout<'a>,
    /// The handle of the transaction.
    pub transaction: &'a str,
    /// The token against forged requests.
    pub csrf: &'a str,
    /// The client that asks.
    pub client: ClientSummary<'a>,
    /// What it says of itself.
    pub about: AboutClient<'a>,
    /// Who is signed in.
    pub user: UserSummary<'a>,
    /// What the client asks for.
    pub scopes: Vec<ScopeLine>,
}

/// A scope in plain words.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ScopeLine {
    /// The scope itself.
    pub name: String,
    /// What it lets the client do or see.
    pub description: String,
}

impl ScopeLine {
    /// The scope `name` in the words that Keyfob has for it.
    #[must_use]
    pub fn of(name: &str) -> Self {
        let description = match name {
            "openid" => "Know that it is you, by an id that stays the same",
            "profile" => "See your name and the rest of your profile",
            "email" => "See your e-mail address",
            "address" => "See your postal address",
            "phone" => "See your phone number",
            "groups" => "See which groups you belong to",
            "offline_access" => "Keep this access while you are away",
            _ => "Use the access called",
        };
        Self {
            name: name.to_owned(),
            description: description.to_owned(),
        }
    }
}
