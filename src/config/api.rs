//! The APIs that tokens are for: `[api."URI"]`, a section each.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::time::Duration;

use super::mistake::Wrong;
use super::reader::Reader;
use super::source::Raw;
use super::value::{Names, Value, quoted, text};
use crate::oidc::api::{Api, ApiClients, Apis, is_identifier};
use crate::oidc::client_metadata::AccessTokenFormat;
use crate::oidc::scope::{STANDARD, Scopes};
use crate::oidc::signing_algorithm::SigningAlgorithm;

/// Reads every `[api."URI"]`.
pub(super) fn read(reader: &mut Reader, algorithms: &[SigningAlgorithm]) -> Apis {
    let mut identifiers = BTreeSet::new();
    let mut scopes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (key, is_empty) in reader.sections_of("api") {
        // A URI has dots, and so may a scope: the member is what is between.
        if is_empty {
            let identifier = key.strip_suffix(".scopes").unwrap_or(&key);
            identifiers.insert(identifier.to_owned());
        } else if let Some((identifier, scope)) = key.rsplit_once(".scopes.") {
            let own = scopes.entry(identifier.to_owned()).or_default();
            own.push(scope.to_owned());
            identifiers.insert(identifier.to_owned());
        } else if let Some((identifier, _)) = key.rsplit_once('.') {
            identifiers.insert(identifier.to_owned());
        }
    }
    let mut registered = BTreeMap::new();
    for identifier in identifiers {
        let scopes = scopes.remove(&identifier).unwrap_or_default();
        let api = api(reader, &identifier, scopes, algorithms);
        registered.insert(identifier, api);
    }
    Apis {
        registered,
        allows_loopback: false,
    }
}

fn api(
    reader: &mut Reader,
    identifier: &str,
    scopes: Vec<String>,
    algorithms: &[SigningAlgorithm],
) -> Api {
    let key = |member: &str| format!("api.{identifier}.{member}");
    let api = Api {
        name: reader.optional(&key("name")),
        clients: reader.or(&key("clients"), ApiClients::default()),
        token_format: reader.optional(&key("token_format")),
        token_lifetime: reader.optional_within(&key("token_lifetime"), &LIFETIME),
        token_signing_alg: reader.optional(&key("token_signing_alg")),
        introspected_by: reader
            .optional::<Names>(&key("introspected_by"))
            .map_or_else(Vec::new, |names| names.0),
        scopes: scopes
            .into_iter()
            .filter_map(|scope| {
                let words: String = reader.optional(&key(&format!("scopes.{scope}")))?;
                check_scope(reader, &key(&format!("scopes.{scope}")), &scope);
                Some((scope, words))
            })
            .collect(),
        has_any_scope: false,
    };
    let algorithm = api.token_signing_alg;
    if algorithm.is_some_and(|algorithm| !algorithms.contains(&algorithm)) {
        let wrong = Wrong::new(
            "is not among keys.algorithms",
            "write one of those, or add it there",
        );
        reader.wrong(&key("token_signing_alg"), wrong);
    }
    if !is_identifier(identifier) {
        let wrong = Wrong::new(
            "is not below the identifier of an API",
            "write the API's own address: [api.\"https://mcp.example.com/mcp\"], an absolute URI \
             without a fragment",
        );
        reader.wrong(&key("clients"), wrong);
    }
    api
}

fn check_scope(reader: &mut Reader, key: &str, scope: &str) {
    let is_token = scope
        .parse::<Scopes>()
        .is_ok_and(|parsed| parsed.contains(scope));
    if !is_token || STANDARD.contains(&scope) {
        let wrong = Wrong::new(
            "is not a scope that an API can have",
            "write one that is not a standard scope: printable ASCII characters without spaces, \
             quotes and backslashes",
        );
        reader.wrong(key, wrong);
    }
}

impl Value for ApiClients {
    fn parse(raw: &Raw) -> Result<Self, Wrong> {
        match text(raw)?.trim() {
            "all" => Ok(Self::All),
            "listed" => Ok(Self::Listed),
            _ => Err(Wrong::new(
                "does not say which clients may ask for the API",
                "write \"all\", or \"listed\" for those that name it in access_token_audience",
            )),
        }
    }

    fn to_toml(&self) -> String {
        quoted(match self {
            Self::All => "all",
            Self::Listed => "listed",
        })
    }
}

impl Value for AccessTokenFormat {
    fn parse(raw: &Raw) -> Result<Self, Wrong> {
        match text(raw)?.trim() {
            "jwt" => Ok(Self::Jwt),
            "opaque" => Ok(Self::Opaque),
            _ => Err(Wrong::new(
                "is not a form of access tokens",
                "write \"jwt\" or \"opaque\"",
            )),
        }
    }

    fn to_toml(&self) -> String {
        quoted(match self {
            Self::Jwt => "jwt",
            Self::Opaque => "opaque",
        })
    }
}

impl Value for SigningAlgorithm {
    fn parse(raw: &Raw) -> Result<Self, Wrong> {
        let name = text(raw)?.trim();
        let found = Self::ALL.iter().find(|it| it.as_str() == name);
        found.copied().ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|it| quoted(it.as_str())).collect();
            Wrong::new(
                "is not an algorithm that Keyfob signs with",
                format!("write one of {}", names.join(", ")),
            )
        })
    }

    fn to_toml(&self) -> String {
        quoted(self.as_str())
    }
}

const LIFETIME: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(720);
