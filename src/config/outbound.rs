//! `[outbound]`: what the guard of the outbound HTTP client lets pass beside the Internet.

use std::fs;
use std::path::{Path, PathBuf};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::files::unreadable;
use super::mistake::Wrong;
use super::reader::Reader;
use super::source::Raw;
use super::value::{Value, quoted, text};
use crate::oidc::authority::Authority;
use crate::oidc::policy::OutboundPolicy;

/// Reads `[outbound]`.
pub(super) fn read(reader: &mut Reader) -> OutboundPolicy {
    let allow = reader.or("outbound.allow", Vec::new());
    let file: Option<PathBuf> = reader.optional(EXTRA_CA_FILE);
    let extra_ca = file.and_then(|file| {
        certificates(&file)
            .map_err(|wrong| reader.wrong(EXTRA_CA_FILE, wrong))
            .ok()
    });
    OutboundPolicy {
        allow,
        extra_ca: extra_ca.unwrap_or_default(),
        allows_loopback: false,
    }
}

/// The certificates in a PEM file, each as DER.
pub(super) fn certificates(path: &Path) -> Result<Vec<Vec<u8>>, Wrong> {
    let pem = fs::read(path).map_err(|error| unreadable(path, &error))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found.iter().map(|it| it.to_vec()).collect()),
        Ok(_) | Err(_) => Err(Wrong::new(
            format!("names {}, which has no certificate in it", path.display()),
            "name a PEM file with the certificate of each authority",
        )),
    }
}

impl Value for Vec<Authority> {
    fn parse(raw: &Raw) -> Result<Self, Wrong> {
        let fix = "write hosts with their ports, such as [\"intranet.example:8443\"] \
                   (in the environment: with commas between)";
        let authority = |text: &str| {
            text.trim().parse::<Authority>().map_err(|_| {
                Wrong::new(
                    format!("has {}, which is no host with a port", quoted(text.trim())),
                    fix,
                )
            })
        };
        match raw {
            Raw::Bare(text) => {
                let parts = text.split(',').filter(|part| !part.trim().is_empty());
                parts.map(authority).collect()
            }
            Raw::List(items) => items
                .iter()
                .map(|item| {
                    let item = text(item);
                    authority(item.map_err(|_| Wrong::new("is not a list of strings", fix))?)
                })
                .collect(),
            Raw::Text(_) | Raw::Integer(_) | Raw::Boolean(_) | Raw::EmptySection | Raw::Other => {
                Err(Wrong::new("is not a list of hosts with their ports", fix))
            }
        }
    }

    fn to_toml(&self) -> String {
        let authorities: Vec<_> = self.iter().map(|it| quoted(&it.to_string())).collect();
        format!("[{}]", authorities.join(", "))
    }
}

const EXTRA_CA_FILE: &str = "outbound.extra_ca_file";
