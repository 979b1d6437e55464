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
    /// The APIs at which it asks for it.
    pub apis: Vec<ApiLine>,
}

/// An API that a client asks for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ApiLine {
    /// The name that the operator gave it.
    pub name: Option<String>,
    /// What identifies it, most often its address.
    pub resource: String,
}

/// A scope, or a single claim, in plain words.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ScopeLine {
    /// The scope or claim itself.
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

    /// The claim `name` in the words that Keyfob has for it.
    #[must_use]
    pub fn of_claim(name: &str) -> Self {
        let description = match name {
            "name" => "See your full name",
            "given_name" => "See your first name",
            "family_name" => "See your last name",
            "middle_name" => "See your middle name",
            "nickname" => "See your nickname",
            "preferred_username" => "See your user name",
            "profile" => "See the address of your profile page",
            "picture" => "See your picture",
            "website" => "See the address of your website",
            "gender" => "See your gender",
            "birthdate" => "See your date of birth",
            "zoneinfo" => "See your time zone",
            "locale" => "See your language",
            "updated_at" => "See when your profile was last changed",
            "email" => "See your e-mail address",
            "email_verified" => "See whether your e-mail address is confirmed",
            "address" => "See your postal address",
            "phone_number" => "See your phone number",
            "phone_number_verified" => "See whether your phone number is confirmed",
            "groups" => "See which groups you belong to",
            _ => "See what is called",
        };
        Self {
            name: name.to_owned(),
            description: description.to_owned(),
        }
    }
}
