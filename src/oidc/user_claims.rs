//! The claims about the End-User ([OIDC Core section 5.1]), and which go with which scope
//! ([OIDC Core section 5.4]).
//!
//! [OIDC Core section 5.1]: https://openid.net/specs/openid-connect-core-1_0.html#StandardClaims
//! [OIDC Core section 5.4]: https://openid.net/specs/openid-connect-core-1_0.html#ScopeClaims

use serde_json::{Map, Value};

use super::scope::Scopes;
use super::user::User;

/// The claims of `user` that go with `scopes`, each of the type that OIDC Core gives it.
#[must_use]
pub fn of_scopes(user: &User, scopes: &Scopes) -> Map<String, Value> {
    let granted = OF_SCOPES.iter().filter(|(scope, _)| scopes.contains(scope));
    let names = granted.flat_map(|(_, names)| names.iter());
    names
        .filter_map(|name| Some(((*name).to_owned(), value(user, name)?)))
        .collect()
}

/// The claim of `user` that has this name; `None` if nothing is known, or nobody has such a claim.
#[must_use]
pub fn value(user: &User, name: &str) -> Option<Value> {
    let claims = &user.claims;
    let text = |value: &Option<String>| value.clone().map(Value::String);
    match name {
        "name" => text(&claims.name),
        "given_name" => text(&claims.given_name),
        "family_name" => text(&claims.family_name),
        "middle_name" => text(&claims.middle_name),
        "nickname" => text(&claims.nickname),
        "preferred_username" => {
            let preferred = claims.preferred_username.clone();
            Some(
                preferred
                    .unwrap_or_else(|| user.username.to_string())
                    .into(),
            )
        }
        "profile" => text(&claims.profile),
        "picture" => text(&claims.picture),
        "website" => text(&claims.website),
        "gender" => text(&claims.gender),
        "birthdate" => text(&claims.birthdate),
        "zoneinfo" => text(&claims.zoneinfo),
        "locale" => text(&claims.locale),
        "updated_at" => Some(user.updated_at.0.into()),
        "email" => text(&claims.email),
        "email_verified" => {
            claims.email.as_ref()?;
            Some(claims.email_verified.unwrap_or(false).into())
        }
        "address" => serde_json::to_value(claims.address.as_ref()?).ok(),
        "phone_number" => text(&claims.phone_number),
        "phone_number_verified" => {
            claims.phone_number.as_ref()?;
            Some(claims.phone_number_verified.unwrap_or(false).into())
        }
        "groups" => Some(user.groups.clone().into()),
        _ => None,
    }
}

/// The scope that the claim of this name goes with; `None` if it is not one about the End-User.
#[must_use]
pub fn scope_of(name: &str) -> Option<&'static str> {
    let found = OF_SCOPES.iter().find(|(_, names)| names.contains(&name));
    found.map(|(scope, _)| *scope)
}

/// Every claim about the End-User that somebody may have.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    OF_SCOPES
        .iter()
        .flat_map(|(_, names)| names.iter().copied())
}

/// Each scope with the claims that go with it.
const OF_SCOPES: &[(&str, &[&str])] = &[
    (
        "profile",
        &[
            "name",
            "given_name",
            "family_name",
            "middle_name",
            "nickname",
            "preferred_username",
            "profile",
            "picture",
            "website",
            "gender",
            "birthdate",
            "zoneinfo",
            "locale",
            "updated_at",
        ],
    ),
    ("email", &["email", "email_verified"]),
    ("address", &["address"]),
    ("phone", &["phone_number", "phone_number_verified"]),
    ("groups", &["groups"]),
];
