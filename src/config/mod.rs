//! The configuration of a server: `keyfob.toml` and the environment, parsed once into types.
//!
//! Every mistake is reported in one run, each with its key, its value and its fix; an unknown key
//! is a mistake, in the file and in the environment. A key `a.b` of the file is the environment
//! variable `KEYFOB_A__B`, which wins over the file; a secret `s` can be in a file that `s_file`
//! (`KEYFOB_S_FILE`) names. Relative paths are relative to the working directory.
//!
//! **Invariant:** this module alone reads the environment.

mod api;
mod authorization_details;
pub mod brand;
pub mod client_certificates;
pub mod database_url;
mod effective;
mod files;
pub mod log;
mod logout;
pub mod master_key;
pub mod mistake;
mod nearest;
mod outbound;
mod policy;
mod reader;
mod registration;
mod relaxations;
mod source;
pub mod tls;
mod trusted_issuers;
mod value;

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use ipnet::IpNet;

use self::brand::Brand;
use self::client_certificates::ClientCertificates;
use self::database_url::DatabaseUrl;
use self::log::Log;
use self::master_key::MasterKey;
use self::mistake::{ConfigError, Mistake, Origin, Wrong};
use self::reader::{Reader, Setting};
use self::source::Entries;
use self::tls::Tls;
use crate::oidc::issuer::Issuer;
use crate::oidc::policy::Policy;

/// The configuration of a server and of the commands that work on its database.
#[derive(Clone, Debug)]
pub struct Config {
    /// The issuer, from which every public URL is made.
    pub issuer: Issuer,
    /// Another base URL at which containers reach the back-channel endpoints.
    pub internal_url: Option<Issuer>,
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The networks of the proxies whose `X-Forwarded-For` headers count.
    pub trusted_proxies: Vec<IpNet>,
    /// How the certificates of clients come.
    pub client_certificates: ClientCertificates,
    /// What is needed to speak TLS; `None` for plain HTTP.
    pub tls: Option<Tls>,
    /// How many threads answer requests; `None`: one a core.
    pub workers: Option<usize>,
    /// For how long requests in flight may finish after the signal to stop.
    pub shutdown_timeout: Duration,
    /// The database.
    pub database: Database,
    /// The key under which the signing keys are kept.
    pub master_key: MasterKey,
    /// What the provider decides.
    pub policy: Policy,
    /// What the pages look like.
    pub brand: Brand,
    /// What is logged.
    pub log: Log,
    settings: Vec<Setting>,
}

/// The database of a server.
#[derive(Clone, Debug)]
pub struct Database {
    /// Where it is.
    pub url: DatabaseUrl,
    /// How many connections to PostgreSQL may be open at once, or readers of a SQLite file.
    pub max_connections: u32,
}

/// The variables of the process's environment. Bytes that are not UTF-8 are replaced, so that a
/// variable of Keyfob's that has some is refused and not overlooked.
#[must_use]
pub fn environment() -> Vec<(String, String)> {
    let text = |it: std::ffi::OsString| it.to_string_lossy().into_owned();
    let variables = std::env::vars_os();
    variables
        .map(|(name, value)| (text(name), text(value)))
        .collect()
}

impl Config {
    /// Reads the file at `path`, or `keyfob.toml` in the working directory if there is one, and
    /// over it the variables of `environment`, most often [`environment`]'s.
    ///
    /// # Errors
    ///
    /// Every mistake in them.
    pub fn load(
        path: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let (file, mistakes) = file(path);
        let mut reader = Reader::new(file, source::environment(environment), mistakes);

        let issuer = issuer(&mut reader);
        let listen = (Ipv4Addr::LOCALHOST, DEFAULT_PORT).into();
        let listen = reader.or("listen", listen);
        let internal_url = reader.optional("internal_url");
        let trusted_proxies = reader.or("trusted_proxies", Vec::new());
        let workers = reader.optional_within("workers", &(1..=1024));
        let shutdown_timeout = reader.within(
            "shutdown_timeout",
            Duration::from_secs(30),
            &(Duration::ZERO..=Duration::from_mins(10)),
        );
        let master_key = reader.required_secret("master_key", MAKE_MASTER_KEY);
        // Before the sections, as TOML wants it.
        let policy = policy::read(&mut reader);
        let (client_certificates, accepted) = client_certificates::read(&mut reader);
        let policy = Policy {
            client_certificates: accepted,
            ..policy
        };
        let database = database(&mut reader);
        let tls = tls::read(&mut reader, client_certificates.tls);
        if client_certificates.header.is_some() && trusted_proxies.is_empty() {
            let wrong = Wrong::new(
                "is set and trusted_proxies is empty",
                "set trusted_proxies too: the networks of the proxies that write the header",
            );
            reader.wrong(client_certificates::HEADER, wrong);
        }
        let brand = brand::read(&mut reader);
        let log = log::read(&mut reader);

        let ((issuer, master_key), settings) = reader.finish(issuer.zip(master_key))?;
        Ok(Self {
            issuer,
            internal_url,
            listen,
            trusted_proxies,
            client_certificates,
            tls,
            workers,
            shutdown_timeout,
            database,
            master_key,
            policy,
            brand,
            log,
            settings,
        })
    }
}

/// The keys of the file, and what keeps it from being read.
fn file(path: Option<&Path>) -> (Entries, Vec<Mistake>) {
    let named = path.unwrap_or(Path::new(DEFAULT_FILE));
    match fs::read_to_string(named) {
        Ok(text) => source::file(named, &text),
        Err(error) if path.is_none() && error.kind() == std::io::ErrorKind::NotFound => {
            (Entries::new(), Vec::new())
        }
        Err(error) => {
            let mistake = Mistake {
                key: "--config".to_owned(),
                origin: Origin::Default,
                value: Some(named.display().to_string()),
                problem: format!("cannot be read: {error}"),
                fix: "name a file that exists and that Keyfob's user may read".to_owned(),
            };
            (Entries::new(), vec![mistake])
        }
    }
}

fn issuer(reader: &mut Reader) -> Option<Issuer> {
    let issuer: Option<Issuer> = reader.required(
        "issuer",
        "write the URL that browsers reach Keyfob at: issuer = \"https://login.example.com\"",
    );
    let allow_insecure = reader.or("allow_insecure_issuer", false);
    let issuer = issuer?;
    if !issuer.is_https() && !issuer.is_loopback() && !allow_insecure {
        let wrong = Wrong::new(
            "is http and not on this machine: passwords and tokens would travel in the clear",
            "write an https URL; in a closed test network: allow_insecure_issuer = true",
        );
        reader.wrong("issuer", wrong);
    }
    Some(issuer)
}

fn database(reader: &mut Reader) -> Database {
    let url = reader.secret_or("database.url", DatabaseUrl::default());
    let max_connections = if url.is_sqlite() { 4 } else { 10 };
    Database {
        max_connections: reader.within("database.max_connections", max_connections, &(1..=1000)),
        url,
    }
}

/// A span of time as it is written in the configuration, such as `15m`.
#[must_use]
pub fn parse_span(text: &str) -> Option<Duration> {
    value::parse_span(text)
}

/// The port of Keyfob.
pub const DEFAULT_PORT: u16 = 8484;

const DEFAULT_FILE: &str = "keyfob.toml";

const MAKE_MASTER_KEY: &str = "make one with: openssl rand -base64 32 > master.key; \
    chmod 600 master.key; then write: master_key_file = \"master.key\"";
