//! The one HTTP client for everything that a client or a user can name: `jwks_uri`,
//! `request_uri`, `sector_identifier_uri`, client ID metadata documents, back-channel logout URIs.
//!
//! A server that fetches what strangers name can be sent into its own network
//! ([RFC 9126 section 7.1], [OWASP SSRF]). So: https alone, to addresses of the Internet alone; the
//! address that was checked is the one that is connected to; no redirects, no proxy of the
//! environment, no cookies, no compression, five seconds in all and a bounded answer. An operator
//! can list single hosts with their ports; nothing turns the guard off.
//!
//! **Invariant:** no content of an answer is in an error or a log line.
//!
//! [RFC 9126 section 7.1]: https://www.rfc-editor.org/rfc/rfc9126#section-7.1
//! [OWASP SSRF]: https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html

mod address;
pub mod resolver;
mod target;

use std::error::Error;
use std::sync::OnceLock;
use std::time::Duration;

use reqwest::header::{self, HeaderMap};
use reqwest::{Certificate, Client, RequestBuilder, Response};
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;
use url::Host;

use crate::oidc::policy::OutboundPolicy;

use resolver::{Guard, Lookup, OutOfReach};
use target::{Reach, Target};

/// The way out.
#[derive(Debug)]
pub struct Outbound {
    policy: OutboundPolicy,
    lookup: Lookup,
    patience: Duration,
    /// How many requests may be on their way at once.
    places: Semaphore,
    /// Both are made when they are first used: reading the machine's root certificates takes
    /// longer than the server to start.
    to_internet: OnceLock<Client>,
    to_anywhere: OnceLock<Client>,
}

/// What was fetched.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Document<T> {
    /// The content.
    pub content: T,
    /// For how long it may be used again ([RFC 9111 section 5.2.2]); `None` if it does not say.
    ///
    /// [RFC 9111 section 5.2.2]: https://www.rfc-editor.org/rfc/rfc9111#section-5.2.2
    pub max_age: Option<Duration>,
    /// The media type in lower case, without parameters.
    pub media_type: Option<String>,
}

/// Why nothing was fetched or delivered, in the order of the checks.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// The URI is not absolute, or has no host.
    #[error("it is not an absolute URI with a host")]
    NotAUri,
    /// The URI is not https.
    #[error("it is not an https URI")]
    Scheme,
    /// The URI has a user name or a password.
    #[error("the URI has a user name or a password")]
    UserInformation,
    /// The URI's host is an address that is not the Internet's.
    #[error("the address in the URI is not on the Internet")]
    Address,
    /// The port is not one for HTTP.
    #[error("the port {0} is neither 443 nor from 1024 on")]
    Port(u16),
    /// Too many requests are on their way already.
    #[error("too many requests are on their way")]
    Busy,
    /// The machine's root certificates, or the operator's, cannot be used.
    #[error("TLS cannot be set up: {0}")]
    Setup(String),
    /// The name has no address on the Internet.
    #[error("the host is not on the Internet")]
    OutOfReach,
    /// The answer did not come in time.
    #[error("it did not answer in time")]
    TimedOut,
    /// There was no connection, or it broke.
    #[error("it could not be reached: {0}")]
    Unreachable(String),
    /// Another status than success. A redirect is one too.
    #[error("it answered {0}")]
    Status(u16),
    /// The answer is longer than it may be.
    #[error("its answer is longer than {0} bytes")]
    TooLong(usize),
    /// The answer is compressed, which was not asked for.
    #[error("its answer is compressed")]
    Compressed,
    /// The answer is not JSON, or not of the form that was expected.
    #[error("its answer is not the JSON that was expected")]
    NotJson,
}

impl Outbound {
    /// The way out under `policy`.
    #[must_use]
    pub fn new(policy: OutboundPolicy) -> Self {
        Self {
            policy,
            lookup: Lookup::system(),
            patience: PATIENCE,
            places: Semaphore::new(MOST_AT_ONCE),
            to_internet: OnceLock::new(),
            to_anywhere: OnceLock::new(),
        }
    }

    /// The same with another way to look names up.
    #[must_use]
    pub fn with_lookup(self, lookup: Lookup) -> Self {
        Self { lookup, ..self }
    }

    /// The same with another patience than five seconds.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Fetches what is at `uri`, of at most `longest` bytes; `accept` names its media types.
    pub async fn fetch(
        &self,
        uri: &str,
        accept: &'static str,
        longest: usize,
    ) -> Result<Document<Vec<u8>>, OutboundError> {
        let target = Target::parse(uri, &self.policy)?;
        let request = self.client(target.reach)?.get(target.url);
        let place = self.places.try_acquire();
        let _place = place.map_err(|_| OutboundError::Busy)?;
        let response = send(request.header(header::ACCEPT, accept)).await?;
        if !response.status().is_success() {
            return Err(OutboundError::Status(response.status().as_u16()));
        }
        if is_compressed(response.headers()) {
            return Err(OutboundError::Compressed);
        }
        let max_age = max_age(response.headers());
        let media_type = media_type(response.headers());
        Ok(Document {
            content: read(response, longest).await?,
            max_age,
            media_type,
        })
    }

    /// Fetches a JSON document of at most `longest` bytes.
    pub async fn fetch_json<T: DeserializeOwned>(
        &self,
        uri: &str,
        longest: usize,
    ) -> Result<Document<T>, OutboundError> {
        let document = self.fetch(uri, "application/json", longest).await?;
        // What exactly is wrong would show the content.
        let content = serde_json::from_slice(&document.content);
        Ok(Document {
            content: content.map_err(|_| OutboundError::NotJson)?,
            max_age: document.max_age,
            media_type: document.media_type,
        })
    }

    /// Posts a form to `uri`. Returns the status; what else is answered is not read.
    pub async fn post_form(
        &self,
        uri: &str,
        parameters: &[(&str, &str)],
    ) -> Result<u16, OutboundError> {
        let target = Target::parse(uri, &self.policy)?;
        let request = self.client(target.reach)?.post(target.url);
        let place = self.places.try_acquire();
        let _place = place.map_err(|_| OutboundError::Busy)?;
        let response = send(request.form(parameters)).await?;
        Ok(response.status().as_u16())
    }

    /// Whether `uri` may be asked, as far as that is known without asking it: a name that has
    /// addresses, but none on the Internet, may not. One that has none yet may get some.
    pub async fn check(&self, uri: &str) -> Result<(), OutboundError> {
        let target = Target::parse(uri, &self.policy)?;
        let Some(Host::Domain(name)) = target.url.host() else {
            return Ok(());
        };
        let guard = self.guard(target.reach);
        let found = tokio::time::timeout(self.patience, guard.find(name.to_owned()));
        match found.await {
            Ok(Err(error)) if error.is::<OutOfReach>() => Err(OutboundError::OutOfReach),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    fn guard(&self, reach: Reach) -> Guard {
        Guard {
            lookup: self.lookup.clone(),
            reach,
            allows_loopback: self.policy.allows_loopback,
        }
    }

    fn client(&self, reach: Reach) -> Result<&Client, OutboundError> {
        let made = match reach {
            Reach::Internet => &self.to_internet,
            Reach::Anywhere => &self.to_anywhere,
        };
        if let Some(client) = made.get() {
            return Ok(client);
        }
        let guard = self.guard(reach);
        let extra_ca = self.policy.extra_ca.iter();
        let extra_ca: Result<Vec<_>, _> = extra_ca.map(|der| Certificate::from_der(der)).collect();
        let client = Client::builder()
            .dns_resolver(guard)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .timeout(self.patience)
            .connect_timeout(self.patience.min(CONNECT_PATIENCE))
            // A name is looked up, and judged, for each request.
            .pool_max_idle_per_host(0)
            .tls_certs_merge(extra_ca.map_err(|error| OutboundError::Setup(causes(&error)))?)
            .user_agent(concat!("keyfob/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| OutboundError::Setup(causes(&error)))?;
        Ok(made.get_or_init(|| client))
    }
}

async fn send(request: RequestBuilder) -> Result<Response, OutboundError> {
    request.send().await.map_err(failure)
}

/// Reads an answer as far as it may go, and no further.
async fn read(mut response: Response, longest: usize) -> Result<Vec<u8>, OutboundError> {
    let too_long = OutboundError::TooLong(longest);
    let announced = response.content_length().unwrap_or_default();
    if usize::try_from(announced).map_or(true, |announced| announced > longest) {
        return Err(too_long);
    }
    let mut content = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failure)? {
        if content.len() + chunk.len() > longest {
            return Err(too_long);
        }
        content.extend_from_slice(&chunk);
    }
    Ok(content)
}

fn failure(error: reqwest::Error) -> OutboundError {
    // The URI may have a secret of the client's in it.
    let error = error.without_url();
    let mut source = error.source();
    while let Some(cause) = source {
        if cause.is::<OutOfReach>() {
            return OutboundError::OutOfReach;
        }
        source = cause.source();
    }
    if error.is_timeout() {
        return OutboundError::TimedOut;
    }
    OutboundError::Unreachable(causes(&error))
}

fn causes(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

fn is_compressed(headers: &HeaderMap) -> bool {
    let mut encodings = headers.get_all(header::CONTENT_ENCODING).iter();
    encodings.any(|encoding| encoding != "identity")
}

fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let media_type = value.split(';').next()?;
    Some(media_type.trim().to_ascii_lowercase())
}

fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let values = headers.get_all(header::CACHE_CONTROL).iter();
    let values = values.filter_map(|value| value.to_str().ok());
    let directives = values.flat_map(|value| value.split(','));
    let directives: Vec<_> = directives
        .map(|directive| directive.trim().to_ascii_lowercase())
        .collect();
    if directives
        .iter()
        .any(|it| matches!(it.as_str(), "no-store" | "no-cache"))
    {
        return Some(Duration::ZERO);
    }
    let seconds = directives.iter().find_map(|it| it.strip_prefix("max-age="));
    let seconds = seconds?.trim_matches('"').parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// The longest answer where nothing else is said.
pub const LONGEST: usize = 64 * 1024;

/// How long a request may take in all, and to connect.
const PATIENCE: Duration = Duration::from_secs(5);
const CONNECT_PATIENCE: Duration = Duration::from_secs(3);

/// How many requests may be on their way at once: whoever names many slow hosts keeps no more
/// than these waiting.
const MOST_AT_ONCE: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_a_document_may_be_used_is_what_cache_control_says() {
        for (value, expected) in [
            ("max-age=60", Some(60)),
            ("public, Max-Age=3600, must-revalidate", Some(3600)),
            ("max-age=\"60\"", Some(60)),
            ("no-store, max-age=60", Some(0)),
            ("no-cache", Some(0)),
            ("max-age=-1", None),
            ("s-maxage=60", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::CACHE_CONTROL, value.parse().unwrap());
            let expected = expected.map(Duration::from_secs);
            assert_eq!(max_age(&headers), expected, "{value}");
        }
        assert_eq!(max_age(&HeaderMap::new()), None);
    }
}
