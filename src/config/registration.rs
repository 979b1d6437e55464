//! Clients that register themselves, and the domains that WebFinger answers for.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::mistake::Wrong;
use super::reader::Reader;
use super::source::Raw;
use super::value::{Value, quoted, text};
use crate::oidc::policy::{MetadataDocumentPolicy, RegistrationMode, RegistrationPolicy};
use crate::oidc::scope::Scopes;

/// Reads `[registration]`.
pub(super) fn read(reader: &mut Reader, default: RegistrationPolicy) -> RegistrationPolicy {
    RegistrationPolicy {
        mode: reader.or("registration.mode", default.mode),
        require_pkce: reader.or("registration.require_pkce", default.require_pkce),
        allow_implicit: reader.or("registration.allow_implicit", default.allow_implicit),
        scope: reader
            .optional("registration.scope")
            .unwrap_or(default.scope),
        allows_any_scope: default.allows_any_scope,
        metadata_documents: metadata_documents(reader),
        unused_lifetime: reader.within(
            "registration.unused_lifetime",
            default.unused_lifetime,
            &UNUSED,
        ),
    }
}

fn metadata_documents(reader: &mut Reader) -> MetadataDocumentPolicy {
    let is_on = reader.or("registration.client_id_metadata_documents", false);
    let hosts = reader.or("registration.metadata_document_hosts", Domains(Vec::new()));
    match (is_on, hosts.0) {
        (false, _) => MetadataDocumentPolicy::Off,
        (true, hosts) if hosts.is_empty() => MetadataDocumentPolicy::Anywhere,
        (true, hosts) => MetadataDocumentPolicy::AtHosts(hosts),
    }
}

/// Reads `[webfinger]`.
pub(super) fn webfinger_domains(reader: &mut Reader) -> Vec<String> {
    let Domains(domains) = reader.or("webfinger.domains", Domains(Vec::new()));
    domains
}

impl Value for RegistrationMode {
    fn parse(raw: &Raw) -> Result<Self, Wrong> {
        let name = text(raw)?.trim();
        let found = MODES.iter().find(|(own, _)| *own == name);
        found.map(|(_, mode)| *mode).ok_or_else(|| {
            Wrong::new(
                "does not say who may register clients",
                "write \"off\", \"token\" or \"open\"",
            )
        })
    }

    fn to_toml(&self) -> String {
        let found = MODES.iter().find(|(_, mode)| mode == self);
        quoted(found.map_or("off", |(name, _)| *name))
    }
}

impl Value for Scopes {
    fn parse(raw: &Raw) -> Result<Self, Wrong> {
        text(raw)?.parse().map_err(|_| {
            Wrong::new(
                "is not a list of scopes",
                "write scopes with spaces between: \"orders:read orders:write\"",
            )
        })
    }

    fn to_toml(&self) -> String {
        quoted(&self.to_string())
    }
}

/// Domain names.
struct Domains(Vec<String>);

impl Value for Domains {
    fn parse(raw: &Raw) -> Result<Self, Wrong> {
        let wrong = || {
            Wrong::new(
                "is not a list of domains",
                "write domain names, such as [\"example.com\"] (in the environment: with commas \
                 between)",
            )
        };
        let domain = |text: &str| {
            let text = text.trim();
            let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
            let is_domain = !text.is_empty() && text.bytes().all(is_name);
            is_domain.then(|| text.to_owned()).ok_or_else(wrong)
        };
        let domains = match raw {
            Raw::Bare(text) => {
                let parts = text.split(',').filter(|part| !part.trim().is_empty());
                parts.map(domain).collect::<Result<_, _>>()
            }
            Raw::List(items) => items
                .iter()
                .map(|item| domain(text(item).map_err(|_| wrong())?))
                .collect(),
            Raw::Text(_) | Raw::Integer(_) | Raw::Boolean(_) | Raw::EmptySection | Raw::Other => {
                Err(wrong())
            }
        };
        domains.map(Self)
    }

    fn to_toml(&self) -> String {
        let domains: Vec<_> = self.0.iter().map(|it| quoted(it)).collect();
        format!("[{}]", domains.join(", "))
    }
}

const MODES: &[(&str, RegistrationMode)] = &[
    ("off", RegistrationMode::Off),
    ("token", RegistrationMode::Token),
    ("open", RegistrationMode::Open),
];

const UNUSED: RangeInclusive<Duration> = Duration::from_hours(1)..=Duration::from_hours(43800);
