//! What ends with a session, as the operator decides.

/// What an operator decides about logout.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogoutPolicy {
    /// Which grants end with the session they were made in.
    pub ends: EndingGrants,
    /// Whether relying parties can watch the session
    /// ([Session Management 1.0](https://openid.net/specs/openid-connect-session-1_0.html)).
    pub session_management: bool,
}

/// The grants that end with the session they were made in. Grants of other sessions, and so the
/// person's other devices, never do.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum EndingGrants {
    /// None: tokens live on until they expire or are revoked.
    Nothing,
    /// Those without `offline_access`, which asks to outlive the session
    /// ([Back-Channel Logout section 2.7]).
    ///
    /// [Back-Channel Logout section 2.7]: https://openid.net/specs/openid-connect-backchannel-1_0.html#BCActions
    #[default]
    Online,
    /// All of them.
    All,
}
