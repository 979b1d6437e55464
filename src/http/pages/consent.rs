//! The page that asks whether a client may have what it asks for.

use askama::Template;
use serde_json::Value;

use crate::oidc::authorization_details::AuthorizationDetail;

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
    /// What it asks for in detail.
    pub details: Vec<DetailLine>,
}

/// An API that a client asks for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ApiLine {
    /// The name that the operator gave it.
    pub name: Option<String>,
    /// What identifies it, most often its address.
    pub resource: String,
}

/// Something that is asked for in detail, in plain words.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DetailLine {
    /// Its type.
    pub kind: String,
    /// What the operator says of the type.
    pub description: String,
    /// Its members: their names and what they say.
    pub members: Vec<(String, String)>,
}

impl DetailLine {
    /// `detail`, of a type that the operator describes so.
    #[must_use]
    pub fn of(detail: &AuthorizationDetail, description: &str) -> Self {
        let members = detail.members.iter();
        Self {
            kind: detail.kind.clone(),
            description: description.to_owned(),
            members: members
                .map(|(name, value)| (legible(name), legible(&words(value))))
                .collect(),
        }
    }
}

/// A member of authorization details as a person reads it: a list with commas, an object with the
/// names of its members.
fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(words).collect();
            items.join(", ")
        }
        Value::Object(members) => {
            let members = members.iter();
            let members: Vec<_> = members
                .map(|(name, value)| format!("{name} {}", words(value)))
                .collect();
            members.join(", ")
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// `text` without what would make it look like another one: control characters, and those that
/// turn the direction of writing.
fn legible(text: &str) -> String {
    let is_misleading = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let legible = text.chars();
    legible
        .map(|c| if is_misleading(c) { '\u{fffd}' } else { c })
        .collect()
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
