//! The pages on which a person answers a device ([RFC 8628 section 3.3]).
//!
//! [RFC 8628 section 3.3]: https://www.rfc-editor.org/rfc/rfc8628#section-3.3

use std::time::Duration;

use askama::Template;

use super::consent::{ApiLine, ScopeLine};
use super::qr_code::QrCode;
use super::{ClientSummary, Layout, UserSummary, words};

/// Asks for the code that the device shows. Posts `csrf` and `user_code` to `/device`.
#[derive(Debug, Template)]
#[template(path = "device.html")]
pub struct UserCodePage<'a> {
    /// The frame.
    pub layout: Layout<'a>,
    /// The token against forged requests.
    pub csrf: &'a str,
    /// What the field holds: the code of the address, or what was typed before.
    pub user_code: &'a str,
    /// What went wrong with the code before.
    pub alert: Option<UserCodeAlert>,
    /// The address of this page, to go on with on a phone.
    pub qr_code: Option<QrCode>,
}

/// Why a user code was not taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum UserCodeAlert {
    /// It is malformed, unknown, expired or answered already.
    Unknown,
    /// Too many wrong ones.
    TooManyTries {
        /// When the next one will be looked at.
        retry_after: Duration,
    },
}

impl UserCodeAlert {
    /// What is the matter.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Unknown => "No device shows this code",
            Self::TooManyTries { .. } => "Too many wrong codes",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn advice(self) -> String {
        match self {
            Self::Unknown => {
                "Compare it with what the device shows. A code works for a few minutes, and once."
                    .to_owned()
            }
            Self::TooManyTries { retry_after } => {
                format!("Wait {}, then try again.", words::span(retry_after))
            }
        }
    }

    /// Whether what was typed is at fault.
    #[must_use]
    pub fn blames_field(self) -> bool {
        self == Self::Unknown
    }
}

/// Asks whether the device is the person's own and may have what it asks for. Posts `tx`, `csrf`
/// and `decision` (`allow` or `deny`) to `/device/confirm`.
#[derive(Debug, Template)]
#[template(path = "device_confirm.html")]
pub struct ConfirmDevicePage<'a> {
    /// The frame.
    pub layout: Layout<'a>,
    /// The handle of the transaction.
    pub transaction: &'a str,
    /// The token against forged requests.
    pub csrf: &'a str,
    /// The client that the device says it is.
    pub client: ClientSummary<'a>,
    /// Who is signed in.
    pub user: UserSummary<'a>,
    /// The code, to be compared.
    pub user_code: &'a str,
    /// What the device asks for.
    pub scopes: Vec<ScopeLine>,
    /// The APIs at which it asks for it.
    pub apis: Vec<ApiLine>,
}

/// Says what becomes of the device.
#[derive(Debug, Template)]
#[template(path = "device_done.html")]
pub struct DeviceDonePage<'a> {
    /// The frame.
    pub layout: Layout<'a>,
    /// Whether it was allowed.
    pub is_connected: bool,
}
