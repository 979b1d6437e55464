//! The certificate and its key, read and matched before the server starts.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::client_certificates::AnyClient;
use super::files::{read_private, unreadable};
use super::mistake::Wrong;
use super::reader::Reader;

/// What the server needs to speak TLS.
#[derive(Clone, Debug)]
pub struct Tls {
    /// The file that the certificates were read from.
    pub certificate: PathBuf,
    /// The file that the private key was read from.
    pub private_key: PathBuf,
    /// The two of them, which belong together.
    pub server: Arc<ServerConfig>,
}

/// Reads `[tls]`; `None` if there is none or something is wrong with it.
pub(super) fn read(reader: &mut Reader, asks_clients: bool) -> Option<Tls> {
    let certificate: Option<PathBuf> = reader.optional(CERTIFICATE);
    let private_key: Option<PathBuf> = reader.optional(PRIVATE_KEY);
    let (certificate, private_key) = match (certificate, private_key) {
        (Some(certificate), Some(private_key)) => (certificate, private_key),
        (None, None) => {
            if asks_clients {
                let wrong = Wrong::new(
                    "is true and there is no [tls]",
                    "set tls.certificate and tls.private_key too; behind a proxy that ends TLS, \
                     set client_certificates.header instead",
                );
                reader.wrong("client_certificates.tls", wrong);
            }
            return None;
        }
        (Some(_), None) => {
            reader.alone(CERTIFICATE, PRIVATE_KEY);
            return None;
        }
        (None, Some(_)) => {
            reader.alone(PRIVATE_KEY, CERTIFICATE);
            return None;
        }
    };
    let chain = read_chain(&certificate).map_err(|wrong| reader.wrong(CERTIFICATE, wrong));
    let key = read_key(&private_key).map_err(|wrong| reader.wrong(PRIVATE_KEY, wrong));
    let (Ok(chain), Ok(key)) = (chain, key) else {
        return None;
    };
    let server = ServerConfig::builder();
    let server = if asks_clients {
        server.with_client_cert_verifier(AnyClient::new())
    } else {
        server.with_no_client_auth()
    };
    let server = server.with_single_cert(chain, key);
    match server {
        Ok(server) => Some(Tls {
            certificate,
            private_key,
            server: Arc::new(server),
        }),
        Err(error) => {
            let wrong = Wrong::new(
                format!("does not go with the certificate: {error}"),
                "name the key that the certificate was made for",
            );
            reader.wrong(PRIVATE_KEY, wrong);
            None
        }
    }
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, Wrong> {
    let text = fs::read(path).map_err(|error| unreadable(path, &error))?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match chain {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        Ok(_) | Err(_) => Err(Wrong::new(
            format!("names {}, which has no certificate in it", path.display()),
            "name a PEM file with the server's certificate first and its issuers after it",
        )),
    }
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, Wrong> {
    let text = zeroize::Zeroizing::new(read_private(path)?);
    PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|_| {
        Wrong::new(
            format!("names {}, which has no private key in it", path.display()),
            "name a PEM file with an unencrypted private key",
        )
    })
}

const CERTIFICATE: &str = "tls.certificate";
const PRIVATE_KEY: &str = "tls.private_key";
