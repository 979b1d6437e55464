//! What an operator decides about a provider, as values.

use std::collections::BTreeMap;
use std::time::Duration;

use super::api::Apis;
use super::authority::Authority;
use super::authorization_details::AuthorizationDetailsTypes;
use super::logout::LogoutPolicy;
use super::scope::Scopes;
use super::signing_algorithm::SigningAlgorithm;
use super::workload_identity::TrustedIssuer;

/// Everything about a provider that is a choice and not a rule.
#[derive(Clone, Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a setting that is on or off"
)]
pub struct Policy {
    /// How long things live.
    pub lifetimes: Lifetimes,
    /// How passwords are hashed and what they must be like.
    pub passwords: PasswordPolicy,
    /// How guessing is slowed down.
    pub throttle: ThrottlePolicy,
    /// Which signing keys there are, and when they are rotated.
    pub key_rotation: KeyRotationPolicy,
    /// What ends with a session.
    pub logout: LogoutPolicy,
    /// Whether confidential clients must use PKCE too; public ones always must.
    pub require_pkce: bool,
    /// Whether every client must push its authorization requests.
    pub require_pushed_authorization_requests: bool,
    /// Whether DPoP proofs need a nonce of the server's (RFC 9449 section 8).
    pub dpop_nonces: bool,
    /// How long ago somebody may have proved who they are whose claims the userinfo endpoint tells;
    /// any time, without it.
    pub userinfo_max_age: Option<Duration>,
    /// Whether request objects may be unsigned.
    pub unsigned_request_objects: bool,
    /// Whether request objects are fetched from where clients have registered them.
    pub request_uri: bool,
    /// Which clients may register themselves, and what they get.
    pub registration: RegistrationPolicy,
    /// The e-mail domains whose addresses are signed in here, beside the issuer's host, for those
    /// who look for the issuer by WebFinger.
    pub webfinger_domains: Vec<String>,
    /// What scopes beside the standard ones mean, in words for the consent page, by scope.
    pub scopes: BTreeMap<String, String>,
    /// The issuers whose workloads may act as clients.
    pub trusted_issuers: Vec<TrustedIssuer>,
    /// The APIs that clients can name in `resource`.
    pub apis: Apis,
    /// The types of authorization details that clients may ask for.
    pub authorization_details: AuthorizationDetailsTypes,
    /// Where the provider may send requests that others cause.
    pub outbound: OutboundPolicy,
    /// Which certificates of clients count.
    pub client_certificates: ClientCertificatePolicy,
}

/// Which certificates of clients count.
#[derive(Clone, Debug, Default)]
pub struct ClientCertificatePolicy {
    /// Whether they reach Keyfob at all, by its own TLS or by a proxy.
    pub is_accepted: bool,
    /// The authorities that issue them, each a certificate in DER.
    pub authorities: Vec<Vec<u8>>,
}

/// Where the provider may send requests that others cause, beside the hosts of the Internet.
#[derive(Clone, Debug, Default)]
pub struct OutboundPolicy {
    /// Hosts with their ports that may be anywhere, also in a private network.
    pub allow: Vec<Authority>,
    /// Certificate authorities that are trusted beside the machine's, each a certificate in DER.
    pub extra_ca: Vec<Vec<u8>>,
    /// Whether this machine itself may be asked, also in the clear: for development.
    pub allows_loopback: bool,
}

/// How long things live.
#[derive(Clone, Debug)]
pub struct Lifetimes {
    /// Of an authorization code.
    pub authorization_code: Duration,
    /// Of the codes of a device.
    pub device_code: Duration,
    /// Of an access token.
    pub access_token: Duration,
    /// Of an ID token.
    pub id_token: Duration,
    /// Of a refresh token that is not used.
    pub refresh_token_idle: Duration,
    /// Of a grant and so of all its refresh tokens, used or not.
    pub refresh_token: Duration,
    /// For how long a refresh token that was just rotated still gives its successor.
    pub refresh_grace: Duration,
    /// Of a session that is not used.
    pub session_idle: Duration,
    /// Of a session, used or not.
    pub session: Duration,
    /// Of an authorization request that waits for a person.
    pub transaction: Duration,
    /// Of a pushed authorization request, until a browser comes with it.
    pub pushed_request: Duration,
    /// For how long a browser in which somebody signed in is known.
    pub known_browser: Duration,
    /// For how long a client's secret is accepted after it was rotated.
    pub client_secret_overlap: Duration,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            authorization_code: Duration::from_mins(1),
            device_code: Duration::from_mins(10),
            access_token: HOUR,
            id_token: HOUR,
            refresh_token_idle: DAY * 30,
            refresh_token: DAY * 180,
            refresh_grace: Duration::from_secs(30),
            session_idle: HOUR * 12,
            session: DAY * 7,
            transaction: HOUR,
            pushed_request: Duration::from_secs(90),
            known_browser: DAY * 180,
            client_secret_overlap: DAY,
        }
    }
}

/// How passwords are hashed and what they must be like.
#[derive(Clone, Debug)]
pub struct PasswordPolicy {
    /// The argon2id memory cost in KiB.
    pub memory_kib: u32,
    /// The argon2id number of passes.
    pub iterations: u32,
    /// The argon2id number of lanes.
    pub parallelism: u32,
    /// How many passwords are hashed at once; each takes `memory_kib`. `None`: one a core.
    pub concurrency: Option<usize>,
    /// How many may wait for their turn before the server answers that it is busy.
    pub queue: usize,
    /// The fewest characters of a new password.
    pub minimum_length: usize,
}

impl Default for PasswordPolicy {
    /// OWASP's parameters for argon2id: 19 MiB, two passes, one lane.
    fn default() -> Self {
        Self {
            memory_kib: 19 * 1024,
            iterations: 2,
            parallelism: 1,
            concurrency: None,
            queue: 256,
            minimum_length: 8,
        }
    }
}

/// How guessing is slowed down.
#[derive(Clone, Debug)]
pub struct ThrottlePolicy {
    /// Wrong passwords for one account, from browsers that are not known, in one window.
    pub account_failures: u32,
    /// Wrong passwords from one address (an IPv6 /64), in one window.
    pub address_failures: u32,
    /// Clients that register themselves from one address, and changes of their registrations, in
    /// one window.
    pub address_registrations: u32,
    /// Wrong passwords from one known browser for the account it is known of, in one window.
    pub known_browser_failures: u32,
    /// Wrong user codes of devices from one account, or from one browser or address where nobody
    /// is signed in, in one window.
    pub user_code_failures: u32,
    /// The window.
    pub window: Duration,
}

impl Default for ThrottlePolicy {
    fn default() -> Self {
        Self {
            account_failures: 10,
            address_failures: 100,
            address_registrations: 30,
            known_browser_failures: 10,
            user_code_failures: 5,
            window: Duration::from_mins(15),
        }
    }
}

/// Which clients may register themselves, and what they get.
#[derive(Clone, Debug)]
pub struct RegistrationPolicy {
    /// Who may.
    pub mode: RegistrationMode,
    /// Whether they must use PKCE even if they are confidential.
    pub require_pkce: bool,
    /// Whether they may have the implicit and hybrid response types. Clients that an operator
    /// registers with them have them anyway.
    pub allow_implicit: bool,
    /// The scopes that they may have beside the standard ones.
    pub scope: Scopes,
    /// Whether they may have any scope that they name: for development.
    pub allows_any_scope: bool,
    /// Whether a `client_id` may be the address of a document that describes the client.
    pub metadata_documents: MetadataDocumentPolicy,
    /// For how long one is kept that nobody has signed in to.
    pub unused_lifetime: Duration,
}

/// Who may register clients.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum RegistrationMode {
    /// Operators alone.
    #[default]
    Off,
    /// Whoever has an initial access token ([RFC 7591 section 3]).
    ///
    /// [RFC 7591 section 3]: https://www.rfc-editor.org/rfc/rfc7591#section-3
    Token,
    /// Everybody.
    Open,
}

/// Whether a `client_id` may be the address of a document that describes the client.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum MetadataDocumentPolicy {
    /// No.
    #[default]
    Off,
    /// Of a document at one of these hosts.
    AtHosts(Vec<String>),
    /// Of any document.
    Anywhere,
}

impl RegistrationPolicy {
    /// Whether somebody can register or describe a client with an implicit or hybrid response type.
    #[must_use]
    pub fn offers_implicit(&self) -> bool {
        let is_closed = self.mode == RegistrationMode::Off;
        let is_open = !is_closed || self.metadata_documents != MetadataDocumentPolicy::Off;
        self.allow_implicit && is_open
    }
}

impl Default for RegistrationPolicy {
    fn default() -> Self {
        Self {
            mode: RegistrationMode::Off,
            require_pkce: false,
            allow_implicit: false,
            scope: Scopes::default(),
            allows_any_scope: false,
            metadata_documents: MetadataDocumentPolicy::Off,
            unused_lifetime: DAY * 7,
        }
    }
}

/// Which signing keys there are, and when they are rotated.
#[derive(Clone, Debug)]
pub struct KeyRotationPolicy {
    /// The algorithms to have keys for, in the order of [`SigningAlgorithm::ALL`].
    pub algorithms: Vec<SigningAlgorithm>,
    /// The age at which an active key is retired. `None`: only by hand.
    pub interval: Option<Duration>,
    /// For how long relying parties may cache the published keys (`Cache-Control: max-age`). No
    /// key signs before it has been published for twice as long.
    pub cache: Duration,
}

impl Default for KeyRotationPolicy {
    fn default() -> Self {
        Self {
            algorithms: SigningAlgorithm::USUAL.to_vec(),
            interval: Some(DAY * 90),
            cache: Duration::from_mins(5),
        }
    }
}

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
