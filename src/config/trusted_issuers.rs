//! `[trusted_issuers.NAME]`: the issuers whose workloads may act as clients.

use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::files::unreadable;
use super::mistake::Wrong;
use super::reader::Reader;
use super::source::Raw;
use super::value::{Names, Value, quoted};
use crate::oidc::jwks::Jwks;
use crate::oidc::jws_algorithm::JwsAlgorithm;
use crate::oidc::workload_identity::{IssuerKeys, TrustedIssuer};

/// Reads every `[trusted_issuers.NAME]`.
pub(super) fn read(reader: &mut Reader) -> Vec<TrustedIssuer> {
    let keys = reader.keys_of("trusted_issuers");
    let mut names: Vec<_> = keys
        .iter()
        .filter_map(|key| key.split('.').next())
        .collect();
    names.dedup();
    reader.know("trusted_issuers.NAME.issuer");
    let issuers = names.iter().filter_map(|name| issuer(reader, name));
    issuers.collect()
}

fn issuer(reader: &mut Reader, name: &str) -> Option<TrustedIssuer> {
    let key = |member: &str| format!("trusted_issuers.{name}.{member}");
    let fix = "write the claim iss of its tokens, to the character";
    let issuer: Option<String> = reader.required(&key("issuer"), fix);
    let jwks_uri: Option<String> = reader.optional(&key("jwks_uri"));
    let jwks_file: Option<PathBuf> = reader.optional(&key("jwks_file"));
    let audience = reader.or(&key("audience"), Names(Vec::new()));
    let algorithms = reader.or(&key("algorithms"), Algorithms(DEFAULT_ALGORITHMS.to_vec()));
    let longest = reader.within(&key("longest_lifetime"), Duration::from_hours(1), &LONGEST);
    let single_use = reader.or(&key("single_use"), true);
    let keys = match (jwks_uri, jwks_file) {
        (None, None) => IssuerKeys::Discovered,
        (Some(uri), None) => IssuerKeys::At(uri),
        (None, Some(file)) => match jwks(&file) {
            Ok(jwks) => IssuerKeys::Given(jwks),
            Err(wrong) => {
                reader.wrong(&key("jwks_file"), wrong);
                return None;
            }
        },
        (Some(_), Some(_)) => {
            let wrong = Wrong::new(
                "is given beside jwks_uri",
                "keep one of jwks_uri and jwks_file",
            );
            reader.wrong(&key("jwks_file"), wrong);
            return None;
        }
    };
    Some(TrustedIssuer {
        issuer: issuer?,
        keys,
        audience: audience.0,
        algorithms: algorithms.0,
        longest,
        single_use,
    })
}

fn jwks(path: &Path) -> Result<Jwks, Wrong> {
    let json = fs::read(path).map_err(|error| unreadable(path, &error))?;
    serde_json::from_slice(&json).map_err(|_| {
        Wrong::new(
            format!("names {}, which is no JWK Set", path.display()),
            "name a file with the issuer's public keys: {\"keys\": [...]}",
        )
    })
}

/// Algorithms with public keys, in a list.
#[derive(Clone)]
struct Algorithms(Vec<JwsAlgorithm>);

impl Value for Algorithms {
    fn parse(raw: &Raw) -> Result<Self, Wrong> {
        let algorithm = |name: &String| {
            let algorithm = name.parse::<JwsAlgorithm>().ok();
            algorithm
                .filter(|algorithm| !algorithm.is_symmetric())
                .ok_or_else(|| {
                    Wrong::new(
                        format!(
                            "has {}, which is no algorithm with public keys",
                            quoted(name)
                        ),
                        "write a list of RS256, PS256, ES256, EdDSA and their kin",
                    )
                })
        };
        let names = Names::parse(raw)?.0;
        let algorithms: Result<Vec<_>, _> = names.iter().map(algorithm).collect();
        Ok(Self(algorithms?))
    }

    fn to_toml(&self) -> String {
        let names = self.0.iter().map(|it| it.as_str().to_owned());
        Names(names.collect()).to_toml()
    }
}

const DEFAULT_ALGORITHMS: &[JwsAlgorithm] = &[JwsAlgorithm::RS256, JwsAlgorithm::ES256];
const LONGEST: RangeInclusive<Duration> = Duration::from_mins(1)..=Duration::from_hours(24);
