//! The types of authorization details that the operator registers ([RFC 9396 section 9]).
//!
//! [RFC 9396 section 9]: https://www.rfc-editor.org/rfc/rfc9396#section-9

use std::collections::BTreeSet;

use super::reader::Reader;
use super::value::Names;
use crate::oidc::authorization_details::{AuthorizationDetailsType, AuthorizationDetailsTypes};

/// Reads the sections `[authorization_details.TYPE]`. A type may have dots in its name.
pub(super) fn read(reader: &mut Reader) -> AuthorizationDetailsTypes {
    let mut kinds = BTreeSet::new();
    for key in reader.keys_of(SECTION) {
        if let Some((kind, member)) = key.rsplit_once('.')
            && MEMBERS.contains(&member)
        {
            kinds.insert(kind.to_owned());
        }
    }
    for member in MEMBERS {
        reader.know(&format!("{SECTION}.TYPE.{member}"));
    }
    kinds
        .into_iter()
        .map(|kind| {
            let key = |member: &str| format!("{SECTION}.{kind}.{member}");
            let fix = "write what it means, in words for the consent page";
            let described: Option<String> = reader.required(&key("description"), fix);
            let mut names = |member: &str| {
                let names: Option<Names> = reader.optional(&key(member));
                names.map(|names| names.0.into_iter().collect())
            };
            let described = AuthorizationDetailsType {
                description: described.unwrap_or_default(),
                members: names("members"),
                actions: names("actions"),
                locations: names("locations"),
            };
            (kind, described)
        })
        .collect()
}

const SECTION: &str = "authorization_details";
const MEMBERS: &[&str] = &["description", "members", "actions", "locations"];
